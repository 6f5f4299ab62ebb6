"""Figures with sliders, in a notebook or as a page."""
