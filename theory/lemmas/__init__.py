"""One file per result of the paper: what is printed, and what holds."""
