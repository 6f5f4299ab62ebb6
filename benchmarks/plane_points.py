"""Time 1,000,000 stationary points of the plane beside SciPy, optimistix and numba.

Run ``python benchmarks/plane_points.py``; it prints a Markdown table.  Every round runs each function once, in turn, so
that a busy moment of the machine falls on all of them.  What JAX computes is timed as one batch of all problems, and in
chunks on as many host devices as the peers have threads.  All peers solve s_1 = beta e^{-(s_1 - q S)} and
S = gamma e^{-(q s_1 - S)} for the minimum of descent-ascent; in the problems drawn here it exists.  SciPy also solves
them with -gamma, which gives the original model with S = -s_2.
"""

from __future__ import annotations

import math
import os
from functools import partial
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")  # one for each thread of the peers

import jax
import jax.numpy as jnp
import numpy as np
from side_by_side import Table, divide, optional, processor, versions

import ascentfail as af
from ascentfail import stationary
from ascentfail.plane import equations as plane_equations

numba, optimistix, optimize = optional("numba"), optional("optimistix"), optional("scipy.optimize")
prange = numba.prange if numba else range

COUNT = 1_000_000
FEW = 2_000  # points of SciPy, whose loop is linear in the count; its time is scaled up
THREADS = 2
CHUNK = 4_000  # problems whose numbers fit the cache of a core
ROUNDS = 7
NEWTON_STEPS = 100
STOP = 1e-14  # relative change at which a peer's Newton iteration stops
TOLERANCE = 1e-9


def problems() -> af.CrossCorrelated:
    """A batch of problems that have a minimum: gamma = alpha b/phi is below 1/e, where it exists whatever the correlation."""
    rng = np.random.default_rng(0)
    epsilon, b, phi = (
        rng.uniform(0, 1, COUNT),
        10 ** rng.uniform(-1, 2, COUNT),
        10 ** rng.uniform(-1, 0, COUNT),
    )
    alpha = np.minimum(phi, rng.uniform(0.01, 0.95, COUNT) * phi / (np.e * b))
    return af.CrossCorrelated.from_ratios(epsilon=epsilon, alpha=alpha, phi=phi, b=b)


def inputs(batch: af.CrossCorrelated, which: stationary.Model) -> tuple[np.ndarray, ...]:
    """What the peers are given: q, beta and gamma, the last with a minus sign for the original."""
    q, beta, gamma = (
        np.array(x) for x in (plane_equations.cosine(batch), *plane_equations.pulls(batch, which))
    )
    return q, beta, gamma if which == "descent_ascent" else -gamma


def scipy_loop(q: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """The loop over `scipy.optimize.root`, with the exact Jacobian."""

    def equations(
        s: np.ndarray, q: float, beta: float, gamma: float
    ) -> tuple[list[float], list[list[float]]]:
        a, c = beta * math.exp(q * s[1] - s[0]), gamma * math.exp(s[1] - q * s[0])
        return [s[0] - a, s[1] - c], [[1 + a, -q * a], [q * c, 1 - c]]

    rows = zip(np.log1p(beta), zip(q, beta, gamma, strict=True), strict=True)
    return np.stack(
        [
            optimize.root(equations, [start, 0.0], args=row, jac=True, tol=1e-13).x
            for start, row in rows
        ]
    )


def optimistix_newton(q: Any, beta: Any, gamma: Any) -> jax.Array:
    """One point by the Newton method of optimistix, for `jax.vmap`."""

    def equations(s: jax.Array, _: Any) -> jax.Array:
        return jnp.stack(
            [s[0] - beta * jnp.exp(q * s[1] - s[0]), s[1] - gamma * jnp.exp(s[1] - q * s[0])]
        )

    newton = optimistix.Newton(rtol=1e-12, atol=1e-12)
    start = jnp.stack([jnp.log1p(beta), jnp.zeros_like(beta)])
    return optimistix.root_find(equations, newton, start, max_steps=NEWTON_STEPS, throw=False).value


def one_point(q: float, beta: float, gamma: float, out: np.ndarray) -> None:
    """One point for numba, by Newton's method with early exit."""
    s, t = math.log1p(beta), 0.0
    for _ in range(NEWTON_STEPS):
        a, c = beta * math.exp(q * t - s), gamma * math.exp(t - q * s)
        r1, r2 = s - a, t - c
        determinant = (1 + a) * (1 - c) + q * q * a * c
        d1, d2 = (
            ((1 - c) * r1 + q * a * r2) / determinant,
            ((1 + a) * r2 - q * c * r1) / determinant,
        )
        s, t = s - d1, t - d2
        if abs(d1) <= STOP * abs(s) and abs(d2) <= STOP * abs(t):
            break
    out[0], out[1] = s, t


def numba_newton(q: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> Any:
    """The compiled loop over the points, divided between the threads."""
    one = numba.njit(one_point)

    @numba.njit(parallel=True)
    def loop(q: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        out = np.empty((len(q), 2))
        for i in prange(len(q)):
            one(q[i], beta[i], gamma[i], out[i])
        return out

    numba.set_num_threads(THREADS)
    return partial(loop, q, beta, gamma)


def in_chunks(one: Any) -> Any:
    """A function of one problem for a batch: chunks that fit the cache, one after the other on each device."""
    spec, many = jax.sharding.PartitionSpec("problems"), partial(jax.lax.map, one, batch_size=CHUNK)
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("problems",))
    return jax.jit(jax.shard_map(many, mesh=mesh, in_specs=spec, out_specs=spec))


def main() -> None:
    """Check all peers against each other, time everything in one interleaved run, and print the table."""
    batch = jax.tree.map(lambda x: jnp.broadcast_to(jnp.asarray(x), COUNT), problems())
    given = inputs(batch, "descent_ascent")
    pulls = partial(stationary.plane, which="descent_ascent")
    point = partial(af.stationary_point, which="descent_ascent")
    original = jax.jit(jax.vmap(partial(af.stationary_point, which="original")))
    both = jax.tree.map(divide, batch)
    ours = [
        (
            "`stationary.plane`, chunks, two devices",
            in_chunks(pulls),
            both,
            "the two pulls, with the test that they exist",
        ),
        (
            "`stationary_point`, chunks, two devices",
            in_chunks(point),
            both,
            "weights, margins, kind, residual, converged",
        ),
        (
            "`stationary.plane`, chunks",
            jax.jit(partial(jax.lax.map, pulls, batch_size=CHUNK)),
            batch,
            "as the first row",
        ),
        ("`stationary.plane`, one `jax.vmap`", jax.jit(jax.vmap(pulls)), batch, "as the first row"),
    ]
    want = np.stack(ours[0][1](both), axis=1) * [1, -1]
    full = ours[1][1](both)
    assert bool(jnp.all(full.converged))
    weights = plane_equations.weights(want[:, 0], -want[:, 1], np.asarray(batch.epsilon))
    assert np.max(np.abs(np.stack(weights, axis=1) - full.weights)) <= TOLERANCE

    table = Table(ROUNDS)
    for label, call, problem, note in ours:
        if "plane" in label:
            assert np.max(np.abs(np.stack(call(problem), axis=1) * [1, -1] - want)) <= TOLERANCE, (
                label
            )
        table.add(
            f"ascentfail, {label}",
            lambda call=call, problem=problem: jax.block_until_ready(call(problem)),
            note,
        )
    everything = "weights, margins, kind, residual, converged"
    for label, call in (("descent_ascent", jax.jit(jax.vmap(point))), ("original", original)):
        table.add(f'ascentfail, `stationary_point(q, "{label}")`, one `jax.vmap`',
                  lambda call=call: jax.block_until_ready(call(batch)), everything)  # fmt: skip
    newton = jax.jit(jax.vmap(optimistix_newton)) if optimistix else None
    chunked = (
        jax.jit(lambda x: jax.lax.map(lambda one: optimistix_newton(*one), x, batch_size=CHUNK))
        if optimistix
        else None
    )
    device = tuple(jnp.asarray(x) for x in given)
    few, few_original = (
        tuple(x[:FEW] for x in inputs(batch, which)) for which in ("descent_ascent", "original")
    )
    if optimize:
        s = scipy_loop(*few_original)
        there = np.stack(
            plane_equations.weights(s[:, 0], -s[:, 1], np.asarray(batch.epsilon)[:FEW]), axis=1
        )
        assert np.max(np.abs(there - original(batch).weights[:FEW])) <= TOLERANCE
    peers = [
        ("numba, two threads", numba_newton(*given) if numba else None, COUNT, "the two pulls, Newton with early exit"),
        ("optimistix Newton, chunks", chunked and (lambda: jax.block_until_ready(chunked(device))), COUNT,
         "the two pulls; it does not run inside `jax.shard_map`"),
        ("optimistix Newton, one `jax.vmap`", newton and (lambda: jax.block_until_ready(newton(*device))), COUNT,
         "the two pulls"),
        ("`scipy.optimize.root`", partial(scipy_loop, *few) if optimize else None, FEW,
         f"the two pulls of {FEW:,} points, scaled; hybr with the exact Jacobian"),
    ]  # fmt: skip
    for label, call, count, note in peers:
        if call is not None:
            assert np.max(np.abs(np.asarray(call()) - want[:count])) <= TOLERANCE, label
        table.add(label, call, note, COUNT / count)
    table.add("`scipy.optimize.root`, original", partial(scipy_loop, *few_original) if optimize else None,
              f"as the row above, {FEW:,} points, scaled", COUNT / FEW)  # fmt: skip
    print(f"{COUNT:,} points; {ROUNDS} interleaved rounds; {processor()}; "
          f"{versions('jax', 'numpy', 'scipy', 'numba', 'optimistix')}.")  # fmt: skip
    print(f"All rows agree to {TOLERANCE:g} in both pulls.\n")
    table.show()


if __name__ == "__main__":
    main()
