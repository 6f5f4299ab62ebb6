"""Time 10,000 descent-ascent paths beside NumPy, numba and PyTorch, which do the same in every step.

Run ``python benchmarks/dynamics.py``; it prints a Markdown table.  Every round runs each function once, in turn, so that
a busy moment of the machine falls on all of them.  Every step of every peer is one step of plain simultaneous
descent-ascent, the check for divergence, both mean losses, the distance to the oracle, the best stop so far, and the
three rules for stopping that look at a loss (the fourth is a number of steps fixed in advance and needs no work).
"""

from __future__ import annotations

import dataclasses
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
from ascentfail.dynamics.stopping import DIVERGED
from ascentfail.problems import losses

numba, torch = optional("numba"), optional("torch")
prange = numba.prange if numba else range

COUNT = 10_000
STEPS = 10_000
SHORT = 500  # steps of NumPy and PyTorch, which are linear in the steps; their time is scaled up
THREADS = 2
ROUNDS = 7
STEP_SIZE = 0.2
TEST_LEVEL = 0.98
WORSENS = 0.02
PROBLEM = af.CrossCorrelated.from_ratios(epsilon=0.5, alpha=0.1, phi=1.0, b=3.0)
EPSILON = np.linspace(0.0, 1.0, COUNT)
TOLERANCE = 1e-9
FIELDS = ("w1", "w2", "best_stop", "best_distance", "diverged_at", "test_step", "test_distance",
          "oracle_step", "oracle_distance", "retain_step", "retain_distance")  # fmt: skip


def compiled(epsilons: Any, steps: int) -> Any:
    """The paths of all problems as one compiled function of the correlation strengths, where these lie."""

    def run(epsilon: Any) -> af.Run:
        problem = dataclasses.replace(PROBLEM, epsilon=epsilon)
        return af.descent_ascent(
            problem,
            "original",
            steps=steps,
            step_size=STEP_SIZE,
            record="summary",
            stop_weights=False,
            test_level=TEST_LEVEL,
            retain_worsens=WORSENS,
        )

    return jax.jit(jax.vmap(run)).lower(epsilons).compile()


def fields(run: af.Run) -> dict[str, np.ndarray]:
    """What the peers are compared in; the step of a rule that has not fired is -1, its distance 0."""
    rules = [run.stops.test_level, run.stops.oracle_level, run.stops.retain_worsens]
    stops = [
        x
        for rule in rules
        for x in (jnp.where(rule.fired, rule.step, -1), jnp.where(rule.fired, rule.distance, 0))
    ]
    found = [
        run.weights[:, 0],
        run.weights[:, 1],
        run.best_stop,
        run.best_distance,
        run.diverged_at,
        *stops,
    ]
    return {name: np.asarray(value) for name, value in zip(FIELDS, found, strict=True)}


def inputs() -> tuple[Any, ...]:
    """Start, oracle, and the levels of the two rules that come from them; the peers are given these, we compute them."""

    def of(epsilon: Any) -> Any:
        problem = dataclasses.replace(PROBLEM, epsilon=epsilon)
        start, oracle = (
            af.stationary_point(problem, which).weights for which in ("original", "oracle")
        )
        retain, forget = (
            losses.mean_losses(problem, start)[0],
            losses.mean_losses(problem, oracle)[1],
        )
        return *start, *oracle, forget, (1 + WORSENS) * retain

    return tuple(np.asarray(x) for x in jax.jit(jax.vmap(of))(jnp.asarray(EPSILON)))


def constants() -> tuple[float, float, float]:
    """Shares of the samples in the plane, of the retain and of the forget set, and the ridge."""
    p = PROBLEM
    return (
        float(p.retain_in_plane / p.retain_total),
        float(p.forget_in_plane / p.forget_total),
        float(p.ridge),
    )


def arrays(xp: Any, given: tuple[Any, ...], steps: int) -> tuple[Any, ...]:
    """All problems at once, in NumPy or PyTorch."""
    eps, u1, u2, o1, o2, oracle_level, retain_level = given
    share_r, share_f, ridge = constants()

    def look(w1: Any, w2: Any) -> tuple[Any, ...]:
        e_r, e_f = xp.exp(-(w1 + eps * w2)), xp.exp(-(eps * w1 + w2))
        d1, d2 = w1 - o1, w2 - o2
        return (
            e_r,
            e_f,
            xp.sqrt(d1 * d1 + d2 * d2),
            share_r * (e_r - 1) + 1,
            share_f * (e_f - 1) + 1,
        )

    def rules(so_far: list[Any], k: int, distance: Any, retain: Any, forget: Any) -> None:
        fires = (forget >= TEST_LEVEL, forget >= oracle_level, retain > retain_level)
        for i, fire in enumerate(fires):
            now = fire & (so_far[2 * i] < 0)
            so_far[2 * i] = xp.where(now, k, so_far[2 * i])
            so_far[2 * i + 1] = xp.where(now, distance, so_far[2 * i + 1])

    w1, w2 = u1, u2
    e_r, e_f, distance, retain, forget = look(w1, w2)
    zero = xp.zeros_like(xp.asarray(eps), dtype=xp.int32)
    stops = [zero - 1, 0 * eps] * 3
    rules(stops, 0, distance, retain, forget)
    best_stop, best, diverged_at = zero, distance, zero - 1
    for k in range(1, steps + 1):
        a, c = share_r * e_r, share_f * e_f
        n1 = w1 - STEP_SIZE * (eps * c - a + ridge * w1)
        n2 = w2 - STEP_SIZE * (c - eps * a + ridge * w2)
        bad = ~(n1 * n1 + n2 * n2 <= DIVERGED**2)
        gone = diverged_at >= 0
        diverged_at = xp.where(bad & ~gone, k, diverged_at)
        stay = bad | gone
        w1, w2 = xp.where(stay, w1, n1), xp.where(stay, w2, n2)
        e_r, e_f, distance, retain, forget = look(w1, w2)
        better = distance < best
        best_stop, best = xp.where(better, k, best_stop), xp.where(better, distance, best)
        rules(stops, k, distance, retain, forget)
    return w1, w2, best_stop, best, diverged_at, *stops


def one_problem(steps: int, numbers: tuple[float, ...], given: np.ndarray, out: np.ndarray) -> None:
    """One problem for numba, with everything in registers; a path that has diverged is left."""
    share_r, share_f, ridge, step_size, test_level, limit = numbers
    eps, w1, w2, o1, o2, oracle_level, retain_level = (
        given[0],
        given[1],
        given[2],
        given[3],
        given[4],
        given[5],
        given[6],
    )
    best, best_stop, diverged = np.inf, 0, -1
    t, td, f, fd, r, rd = -1, 0.0, -1, 0.0, -1, 0.0
    for k in range(steps + 1):
        e_r, e_f = math.exp(-(w1 + eps * w2)), math.exp(-(eps * w1 + w2))
        d1, d2 = w1 - o1, w2 - o2
        distance = math.sqrt(d1 * d1 + d2 * d2)
        retain, forget = share_r * (e_r - 1) + 1, share_f * (e_f - 1) + 1
        if distance < best:
            best, best_stop = distance, k
        if t < 0 and forget >= test_level:
            t, td = k, distance
        if f < 0 and forget >= oracle_level:
            f, fd = k, distance
        if r < 0 and retain > retain_level:
            r, rd = k, distance
        a, c = share_r * e_r, share_f * e_f
        n1 = w1 - step_size * (eps * c - a + ridge * w1)
        n2 = w2 - step_size * (c - eps * a + ridge * w2)
        if k == steps:
            break
        if not n1 * n1 + n2 * n2 <= limit:
            diverged = k + 1
            break
        w1, w2 = n1, n2
    out[0], out[1], out[2], out[3], out[4] = w1, w2, best_stop, best, diverged
    out[5], out[6], out[7], out[8], out[9], out[10] = t, td, f, fd, r, rd


def numba_loop(given: tuple[np.ndarray, ...], fastmath: bool) -> Any:
    """The compiled loop over the problems, divided between the threads, as a function of the steps."""
    one = numba.njit(fastmath=fastmath)(one_problem)
    numbers = (*constants(), STEP_SIZE, TEST_LEVEL, DIVERGED**2)

    @numba.njit(parallel=True, fastmath=fastmath)
    def loop(steps: int, given: np.ndarray) -> np.ndarray:
        out = np.empty((given.shape[1], 11))
        for i in prange(given.shape[1]):
            one(steps, numbers, given[:, i], out[i])
        return out

    numba.set_num_threads(THREADS)
    stacked = np.stack(given)
    return lambda steps: tuple(loop(steps, stacked).T)


def torch_loop(given: tuple[np.ndarray, ...]) -> Any:
    """The same as NumPy, in PyTorch."""
    torch.set_num_threads(THREADS)
    tensors = tuple(torch.from_numpy(np.array(x)) for x in given)

    def run(steps: int) -> tuple[Any, ...]:
        with torch.inference_mode():
            return arrays(torch, tensors, steps)

    return run


def check(label: str, found: Any, want: dict[str, np.ndarray]) -> None:
    """Asserts that a peer got the same results.

    Weights and distances to the tolerance, and steps exactly. Where the distances of neighbouring steps agree to rounding, this
    decides which is the best stop: it may then be up to 3 steps away, in at most one path of 1,000.
    """
    got = {name: np.asarray(value) for name, value in zip(FIELDS, found, strict=True)}
    for name in FIELDS:
        if name == "best_stop":
            differs = np.flatnonzero(got[name] != want[name])
            assert len(differs) <= COUNT // 1000 and np.all(np.abs(got[name] - want[name]) <= 3), (
                label,
                name,
            )
        elif want[name].dtype.kind == "f":
            assert np.max(np.abs(got[name] - want[name])) <= TOLERANCE, (label, name)
        else:
            assert np.array_equal(got[name], want[name]), (label, name)


def main() -> None:
    """Check all peers against each other, time everything in one interleaved run, and print the table."""
    given = (EPSILON, *inputs())
    here = jnp.asarray(EPSILON)
    divided = divide(here)
    ours, short, both = compiled(here, STEPS), compiled(here, SHORT), compiled(divided, STEPS)
    long_want, short_want = fields(ours(here)), fields(short(here))
    check("two devices", fields(both(divided)).values(), long_want)

    table = Table(ROUNDS)
    every = "10,000 steps, everything that `Run` holds save the weights at stops"
    table.add("ascentfail, one device", lambda: jax.block_until_ready(ours(here)), every)
    table.add(
        "ascentfail, problems divided between two host devices",
        lambda: jax.block_until_ready(both(divided)),
        every,
    )
    peers: list[tuple[str, Any, int, str]] = []
    for fastmath in (False, True):
        run = numba_loop(given, fastmath) if numba else None
        note = "10,000 steps, problem by problem in registers; start and oracle given"
        peers.append(
            (f"numba, two threads, fastmath {'on' if fastmath else 'off'}", run, STEPS, note)
        )
    note = f"{SHORT} steps, scaled; all problems at once; start and oracle given"
    peers.append(("PyTorch, two threads", torch_loop(given) if torch else None, SHORT, note))
    peers.append(("NumPy", partial(arrays, np, given), SHORT, note))
    for label, run, steps, note in peers:
        if run is not None:
            check(label, run(steps), long_want if steps == STEPS else short_want)
        table.add(label, run and partial(run, steps), note, STEPS / steps)
    diverged = int(np.sum(long_want["diverged_at"] >= 0))
    print(f"{COUNT:,} problems, {STEPS:,} steps; {ROUNDS} interleaved rounds; {processor()}; "
          f"{versions('jax', 'numpy', 'numba', 'torch')}.")  # fmt: skip
    print(f"{diverged} paths diverge.  All rows agree to {TOLERANCE:g} in weights and distances, and exactly in the steps, save "
          "the best stop of at most one path in 1,000, where the distances of neighbouring steps tie to rounding.\n")  # fmt: skip
    table.show()


if __name__ == "__main__":
    main()
