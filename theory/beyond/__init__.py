"""What this project states beyond the paper, one result a file."""
