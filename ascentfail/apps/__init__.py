"""What a person asks for: the command line, its list of names, and runs of many claims."""
