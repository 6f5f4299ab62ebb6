"""What the paper states, one result a file."""
