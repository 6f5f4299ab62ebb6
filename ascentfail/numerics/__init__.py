"""How a number is computed, in any arithmetic: arithmetics, Lambert W, the logistic root, loops, compiled programs."""
