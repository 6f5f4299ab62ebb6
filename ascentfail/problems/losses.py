r"""The training objectives of the three models, and the samples they are sums over."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ascentfail.core.errors import invalid
from ascentfail.core.explained import explained, reals
from ascentfail.core.models import Model, check_model
from ascentfail.problems.paper import CrossCorrelated, SemiOrthogonal
from ascentfail.problems.protocol import Linear

Problem = SemiOrthogonal | CrossCorrelated


@explained
def loss(problem: Problem, weights: jax.Array, which: Model) -> jax.Array:
    r"""Objective of one of the three models, summed over whole sets as the paper writes it.

        L_D  = (1/|D|) sum_D loss(<w, y x>) + ridge/2 |w|^2
        L_R  = (1/|R|) sum_R loss(<w, y x>) + ridge/2 |w|^2
        L_DA = (1/|R|) sum_R loss(<w, y x>) - (1/|F|) sum_F loss(<w, y x>) + ridge/2 |w|^2

    Samples outside the group have margin 0 here and enter as the constant loss(0).

    Args:
        problem: SemiOrthogonal or CrossCorrelated.
        weights: scalar or (axes,) for SemiOrthogonal, (2,) for CrossCorrelated.
        which: "original", "oracle" or "descent_ascent".

    Returns:
        The scalar objective.

    Raises:
        ValueError: unknown model, or weights of the wrong shape.

    Paper: Sec. 5.1.
    """
    check_model(which)
    retain, forget = mean_losses(problem, weights)
    if which == "original":
        # each mean by its own share: retain + share (forget - retain) would cancel where nearly all of D is F
        total = problem.retain_total + problem.forget_total
        data = problem.retain_total / total * retain + problem.forget_total / total * forget
    elif which == "oracle":
        data = retain
    else:
        data = retain - forget
    return data + problem.ridge / 2 * jnp.sum(jnp.asarray(weights) ** 2)


@explained
def mean_losses(problem: Problem, weights: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean losses of the retain and of the forget set, without the ridge: (1/|R|) sum_R loss, (1/|F|) sum_F loss.

    Args:
        problem: SemiOrthogonal or CrossCorrelated.
        weights: scalar or (axes,) for SemiOrthogonal, (2,) for CrossCorrelated.

    Returns:
        Two scalars.

    Raises:
        ValueError: weights of the wrong shape.

    Paper: Sec. 5.1.
    """
    if not isinstance(problem, Linear):
        raise invalid("problem", type(problem).__name__, "a SemiOrthogonal or a CrossCorrelated")
    shape = problem.weight_shape
    if (
        np.shape(reals("weights", weights, f"real numbers of shape {shape} for this problem"))
        != shape
    ):
        raise invalid("weights", weights, f"shape {shape} for this problem")
    weights = jnp.asarray(weights)
    return problem.means_at(*problem.margins(weights))


def _whole(name: str, value: Any) -> int:
    number = float(value)
    if number != round(number):
        raise invalid(name, number, "a whole number, because samples are listed one by one")
    return round(number)


@explained
def samples(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    r"""Every training sample of a problem with whole counts, so that a mean over rows is the paper's mean.

    Rows are y_i x_i: e_j for SemiOrthogonal, (1, eps) or (eps, 1) for CrossCorrelated, and zero rows for the samples that lie
    in other groups (|R| and |F| count them).

    Args:
        problem: a concrete SemiOrthogonal or CrossCorrelated with whole counts.

    Returns:
        inputs: (|R| + |F|, axes) array, axes = 1 for a single coordinate and 2 for the plane; retain rows first.
        is_forget: (|R| + |F|,) booleans.

    Raises:
        ValueError: a count is not whole, or the counts on the axes exceed their total.

    Paper: Sec. 5.1.1 and 5.1.2.
    """
    blocks = []
    for (name, rows), total_name in zip(
        problem.sample_rows(), ("retain_total", "forget_total"), strict=True
    ):
        per_row = np.broadcast_to(np.asarray(getattr(problem, name), dtype=float), (len(rows),))
        counts = [_whole(name, n) for n in per_row]
        total = _whole(total_name, getattr(problem, total_name))
        if sum(counts) > total:
            raise invalid(name, counts, f"counts that sum to at most {total_name} = {total}")
        outside = np.zeros((total - sum(counts), rows.shape[1]))
        blocks.append(np.concatenate([np.repeat(rows, counts, axis=0), outside]))
    is_forget = np.repeat([False, True], [len(block) for block in blocks])
    return np.concatenate(blocks), is_forget
