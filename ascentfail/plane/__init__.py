"""What is exactly known of two correlated directions: equations, solvers, bounds, the fold."""
