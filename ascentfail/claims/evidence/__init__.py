"""Evidence, weakest first: sample, search, certify, symbolic; recheck confirms what any of them found."""
