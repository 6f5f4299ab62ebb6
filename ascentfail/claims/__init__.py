"""What a claim is and what counts as evidence: the engine, which states no claim itself."""
