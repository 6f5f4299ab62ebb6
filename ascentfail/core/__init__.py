"""Small things that every room needs: errors, checks of arguments, files, precision, processes."""
