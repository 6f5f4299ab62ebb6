r"""Losses of your own: what they are called with, on which data, and which leaves of the weights they move."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ascentfail.core.errors import invalid
from ascentfail.problems import batches
from ascentfail.problems.batches import Batches, How
from ascentfail.problems.protocol import Objective, is_finite, objective_of, widest

_NUMBER = "one finite real number, such as jnp.mean of the losses"
_WEIGHTS = "weights, a pytree of finite real numbers"


@dataclass(frozen=True, eq=False)
class Losses:
    """A model of your own for `descent_ascent` and `gradient_flow`: two mean losses and a ridge.

    The functions are called in one of three ways, and `descent_ascent` calls both of them in the same way::

        (weights)         without `data` and without a key
        (weights, key)    without `data`, with a key: a new one in every (half-)step, for a batch that you draw yourself. Where
                          all samples are looked at the key is left out if it has a default, else it is the run's own
        (weights, part)   with `data`: all of the set's part, or the rows of it that `batch_size` draws

    Data that are given as `data` are arguments of the compiled program: another data set of the same shapes compiles nothing,
    and a batch of data sets is a `jax.vmap` over `Losses`.

    Args:
        retain: function that returns the mean loss of the retain set, a differentiable scalar.
        forget: the same function for the forget set.
        ridge: lam >= 0 of ridge/2 |w|^2, scalar.
        data: (part of retain, part of forget), two pytrees of arrays; for `batch_size` their first axis is the sample.
        fixed: names of leaves or branches of the weights that stay as they are, a tuple of words such as "batch_stats" or
            "layers/0/scale". They count neither in the ridge nor in a distance. Leaves that are no floats stay in any case.

    Raises:
        ValueError: a loss is not callable, the ridge is negative or no number, the data are no pair of arrays, or a name is no
            word.

    Paper: Sec. 5.1.
    """

    retain: Callable[..., Any]
    forget: Callable[..., Any]
    ridge: Any = 0.0
    data: Any = None
    fixed: tuple[str, ...] = ()

    holds_functions: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Checks the fields."""
        for name in ("retain", "forget"):
            if not callable(getattr(self, name)):
                raise invalid(
                    name, getattr(self, name), "a function of the weights that returns a scalar"
                )
        _check_ridge(self.ridge)
        object.__setattr__(self, "data", _pair(self.data))
        takes = "names of leaves or branches of the weights, a tuple of words"
        if not isinstance(self.fixed, tuple | list) or not all(
            isinstance(name, str) for name in self.fixed
        ):
            raise invalid("fixed", self.fixed, takes)
        object.__setattr__(self, "fixed", tuple(self.fixed))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Losses):
            return NotImplemented
        ours, theirs = (
            (p.retain, p.forget, p.fixed, jax.tree.structure(p.data)) for p in (self, other)
        )
        leaves = zip(
            jax.tree.leaves((self.ridge, self.data)),
            jax.tree.leaves((other.ridge, other.data)),
            strict=False,
        )
        return ours == theirs and all(np.array_equal(a, b) for a, b in leaves)

    def __hash__(self) -> int:
        return hash((self.retain, self.forget, self.fixed))

    def objective(self, start: Any, key: Any = None) -> Objective:
        """The objective on the leaves that move.

        Args:
            start: the weights that a run starts from, a pytree; the leaves that stay keep its values.
            key: of the run, a typed key, for losses without data that are called with one; None without.

        Returns:
            Objective. Never raises.
        """
        moving, means = parts(start, self.fixed), caller(self, key)
        return objective_of(
            self.ridge, 1, lambda w, batch: means(moving.join(w), batch), moving.split, moving.join
        )

    def start_and_oracle(
        self, start: Any, oracle: Any, key: Any = None, batch_size: int | None = None
    ) -> tuple[Any, Any]:
        """Start and oracle as pytrees of arrays, where both losses can be called.

        Args:
            start: finite weights, a pytree.
            oracle: the same, a pytree of the start's structure.
            key: of the run, a typed key; None without.
            batch_size: number of samples drawn from each set >= 1, None without.

        Returns:
            (start, oracle), the leaves = arrays of the start's types.

        Raises:
            ValueError: no such weights, or a loss that fails or is no finite scalar there.
        """
        start, oracle = weights_of(self, start, oracle)
        check_calls(self, start, oracle, key, batch_size)
        return start, oracle

    def batches(self, size: int | None, how: How, key: Any) -> Batches:
        """The source of batches: keys without data, else rows of the data; never raises.

        Args:
            size: number of rows of each part in a batch >= 1; None without data.
            how: "with replacement" or "epoch".
            key: of the run, a typed key.

        Returns:
            Batches.
        """
        return batches.of_rows(self.data, size, how, key)

    def check_batches(self, size: int | None, how: How) -> None:
        """Refuses a size that the data do not have.

        Args:
            size: number of rows of each part in a batch >= 1, or None.
            how: "with replacement" or "epoch".

        Raises:
            ValueError: parts without rows, or of arrays of several lengths; more rows in a batch than in an epoch.
        """
        if size is None or self.data is None:
            batches.check_size(size, how)
        else:
            batches.check_rows(self.data, size, how)


def _flatten(p: Losses) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
    children = tuple(
        (jax.tree_util.GetAttrKey(name), getattr(p, name)) for name in ("ridge", "data")
    )
    return children, (p.retain, p.forget, p.fixed)


def _unflatten(static: tuple[Any, ...], children: Any) -> Losses:
    """Without checks: JAX rebuilds pytrees with tracers, `None` or the numbers of axes as leaves."""
    p = object.__new__(Losses)
    for name, value in zip(
        ("retain", "forget", "fixed", "ridge", "data"), (*static, *children), strict=True
    ):
        object.__setattr__(p, name, value)
    return p


jax.tree_util.register_pytree_with_keys(Losses, _flatten, _unflatten)


def _check_ridge(ridge: Any) -> None:
    if isinstance(ridge, Tracer):
        return
    number: Any = ridge
    if (
        isinstance(ridge, jax.Array | np.ndarray)
        and ridge.shape == ()
        and jnp.issubdtype(ridge.dtype, jnp.floating)
    ):
        number = float(ridge)
    if (
        isinstance(number, bool)
        or not isinstance(number, numbers.Real)
        or not 0 <= float(number) < float("inf")
    ):
        raise invalid("ridge", ridge, "a real number >= 0")


def _pair(data: Any) -> Any:
    """The data with lists of numbers as arrays, as everywhere else."""
    if data is None:
        return None
    takes = "(part of retain, part of forget), two pytrees of arrays"
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise invalid("data", data, takes)
    data = tuple(np.asarray(part) if is_list_of_numbers(part) else part for part in data)
    if any(part is None for part in data) or not all(
        _is_array(leaf) for leaf in jax.tree.leaves(data)
    ):
        raise invalid("data", data, takes)
    return data


def is_list_of_numbers(value: Any) -> bool:
    """Whether a value is a list or tuple of real numbers, which is one array here."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(x, numbers.Real) for x in value)
    )


def _is_array(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in "biufc" or jnp.issubdtype(leaf.dtype, jnp.inexact)
    return isinstance(leaf, jax.Array | numbers.Number)


# --- how the losses are called -------------------------------------------------------------------------------------------------


def _one(problem: Losses, place: int, key: Any) -> Callable[[Any, Any], Any]:
    """(weights, batch) -> what the loss at this place returns, called in the one way that `Losses` states."""
    loss = (problem.retain, problem.forget)[place]

    def mean(weights: Any, batch: Any) -> Any:
        if problem.data is not None:
            return loss(weights, (problem.data if batch is None else batch)[place])
        if key is None or (batch is None and _takes(loss, 1)):
            return loss(weights)
        return loss(weights, key if batch is None else batch)

    return mean


def caller(problem: Losses, key: Any) -> Callable[[Any, Any], tuple[jax.Array, jax.Array]]:
    """The two means as functions of the weights and a batch.

    Args:
        problem: losses of one's own.
        key: of the run, None without.

    Returns:
        (weights, batch) -> (retain, forget), scalars of one floating type; the batch is None for all samples, a key, or a pair
        of parts of the data.
    """
    retain, forget = (_one(problem, place, key) for place in (0, 1))

    def means(weights: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
        values = jnp.asarray(retain(weights, batch)), jnp.asarray(forget(weights, batch))
        common = widest(*values)
        return values[0].astype(common), values[1].astype(common)

    return means


def _takes(loss: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; one that does not say takes them."""
    try:
        inspect.signature(loss).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # no signature, as of some built-in functions
        return True
    return True


def check_calls(problem: Losses, start: Any, oracle: Any, key: Any, batch_size: int | None) -> None:
    """Refuses losses that cannot be called as the run will call them, or that are no finite number at start or oracle.

    Raises:
        ValueError: as said; the message names the loss and keeps the words of what it raised.
    """
    if problem.data is None and batch_size is not None:
        takes = "None for losses without data: give them data=(retain part, forget part), or draw the batch by the key yourself"
        raise invalid("batch_size", batch_size, takes)
    if problem.data is not None and key is not None and batch_size is None:
        raise invalid(
            "batch_size", None, "a number of rows, when a key is given to losses with data"
        )
    called = (
        "of (weights, part of the data)"
        if problem.data is not None
        else "of (weights, key)"
        if key is not None
        else ""
    )
    for place, name in enumerate(("retain", "forget")):
        loss = getattr(problem, name)
        if not _takes(loss, 2 if called else 1):
            raise invalid(
                name,
                loss,
                f"a function {called or 'of the weights alone, as no key is given'}, see ascentfail.Losses",
            )
        takes = f"a function {called or 'of the weights'}, written with jax.numpy, that returns one number"
        _check_loss(
            name, loss, _one(problem, place, key), {"start": start, "oracle": oracle}, takes
        )


def _check_loss(
    name: str, loss: Any, mean: Callable[[Any, Any], Any], at: dict[str, Any], takes: str
) -> None:
    """Calls a loss of the user's on both weights and once on tracers, where one written with NumPy fails."""

    def traced(w: Any) -> None:
        mean(w, None)

    try:
        values = {where: mean(w, None) for where, w in at.items()}
        jax.eval_shape(traced, at["start"])
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise invalid(name, loss, f"{takes}; here {said}") from error
    for where, value in values.items():
        if not _is_number(value):
            raise invalid(f"{name}({where})", value, _NUMBER)


def _is_number(value: Any) -> bool:
    """Whether a value is one finite real number of a floating type; a tracer's value is not known."""
    if not isinstance(value, float | np.ndarray | np.generic | jax.Array) or np.shape(value) != ():
        return False
    floating = jnp.issubdtype(jnp.result_type(value), jnp.floating)
    return floating and (isinstance(value, Tracer) or bool(jnp.isfinite(jnp.asarray(value))))


# --- weights -------------------------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """The leaves of weights that move, and the way back.

    Attributes:
        split: weights -> the same pytree with None for the leaves that stay.
        join: the way back; where the leaves that move are a path, those that stay are repeated along it.
    """

    split: Callable[[Any], Any]
    join: Callable[[Any], Any]


def parts(start: Any, fixed: tuple[str, ...]) -> Parts:
    """How weights of the start's structure fall apart; what stays is the start's.

    Args:
        start: pytree of arrays.
        fixed: names of leaves or branches that stay.

    Returns:
        Parts. Never raises.
    """
    moves = moving(start, fixed)
    leaves, tree = jax.tree.flatten(start)
    if all(moves):
        return Parts(lambda weights: weights, lambda w: w)

    def split(weights: Any) -> Any:
        return tree.unflatten(
            [
                leaf if move else None
                for leaf, move in zip(tree.flatten_up_to(weights), moves, strict=True)
            ]
        )

    def join(w: Any) -> Any:
        moved = iter(jax.tree.leaves(w))
        found = [next(moved) if move else None for move in moves]
        ends = [(new, old) for new, old in zip(found, leaves, strict=True) if new is not None]
        path = ends[0][0].shape[: ends[0][0].ndim - jnp.ndim(ends[0][1])]
        still = [jnp.broadcast_to(leaf, (*path, *jnp.shape(leaf))) for leaf in leaves]
        return tree.unflatten(
            [old if new is None else new for new, old in zip(found, still, strict=True)]
        )

    return Parts(split, join)


def moving(start: Any, fixed: tuple[str, ...]) -> list[bool]:
    """Which leaves move: those of a floating type whose name is not among the fixed ones."""
    names = [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(start)
    ]
    stays = [any(name == stay or name.startswith(f"{stay}/") for stay in fixed) for name in names]
    floats = [
        jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in jax.tree.leaves(start)
    ]
    return [a and not b for a, b in zip(floats, stays, strict=True)]


def weights_of(problem: Losses, start: Any, oracle: Any) -> tuple[Any, Any]:
    """Start and oracle as pytrees of arrays; the oracle takes the start's types.

    Raises:
        ValueError: no pytree of finite real numbers, no oracle, one of another structure, or nothing that moves.
    """
    if oracle is None:
        raise invalid(
            "oracle",
            None,
            "the weights of a model trained on the retain set alone, for losses of your own",
        )
    start = _tree("start", start)
    oracle = _tree("oracle", oracle)
    shapes, known = (jax.tree.map(jnp.shape, tree) for tree in (start, oracle))
    if jax.tree.structure(start) != jax.tree.structure(oracle) or shapes != known:
        raise invalid("oracle", known, f"weights of the start's structure and shapes, {shapes}")
    names = [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(start)
    ]
    for stay in problem.fixed:
        if not any(name == stay or name.startswith(f"{stay}/") for name in names):
            raise invalid(
                "fixed",
                stay,
                f"names of leaves or branches of the weights; these have {', '.join(names)}",
            )
    if not any(moving(start, problem.fixed)):
        raise invalid(
            "start", start, "weights of which at least one leaf holds floats and is not fixed"
        )
    return start, jax.tree.map(_typed, oracle, start)


def _typed(value: jax.Array, like: jax.Array) -> jax.Array:
    return value.astype(like.dtype) if jnp.issubdtype(like.dtype, jnp.number) else value


def _tree(name: str, value: Any) -> Any:
    """Weights as arrays: floats keep their type and so do arrays of anything else, Python's numbers take the default float.

    A list or tuple of numbers is one array, as everywhere else, and so is an array of whole numbers alone an array of floats.
    """
    alone = isinstance(value, np.ndarray | jax.Array) and jnp.issubdtype(value.dtype, jnp.integer)
    try:
        if is_list_of_numbers(value) or alone:
            value = jnp.asarray(value, float)
        tree = jax.tree.map(_leaf, value)
    except (TypeError, ValueError) as error:
        raise invalid(name, value, _WEIGHTS) from error
    if not all(is_finite(leaf) for leaf in jax.tree.leaves(tree)):
        raise invalid(name, value, _WEIGHTS)
    return tree


def _leaf(value: Any) -> jax.Array:
    plain = isinstance(value, numbers.Real) and not isinstance(value, bool | np.generic)
    array = jnp.asarray(value, float) if plain else jnp.asarray(value)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise TypeError("complex weights")
    return array
