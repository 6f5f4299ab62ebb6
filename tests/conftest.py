"""Entry point of the tests: float64 once, no implicit broadcasting of ranks, Hypothesis profiles."""

import os

import hypothesis
import jax
import matplotlib

import ascentfail as af

matplotlib.use("agg")
af.enable_x64()
jax.config.update("jax_numpy_rank_promotion", "raise")

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")
