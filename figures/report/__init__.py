"""Verdicts as pages, pictures and tables."""
