"""Steps and coordinates that the proofs of several results share."""
