r"""Claims as data: what is stated, where, and what counts as evidence.

A claim says `margin(p, xp) >= 0` (or `> 0`, or `= 0`) for every point p of its domain. The margin is written once, for any
arithmetic, so that the same text is sampled in JAX, re-checked in mpmath and enclosed in balls.

Ours: the statements are the paper's, their form is not.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jax

from ascentfail.core.errors import invalid
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.numerics.sample_losses import EXPONENTIAL, Loss

Scale = Literal["linear", "log", "integer"]
Level = Literal["sampled", "searched", "certified", "symbolic"]
Grade = Literal["formal", "boxes", "identity", "cases", "argued", "searched", "sampled"]


class Kind(enum.StrEnum):
    """What kind of statement a claim is; the kind decides the check.

    EQUALITY: the margin is a residual that must vanish. BOUND: an inequality between two expressions. ORDERING: an inequality
    between models. EXISTENCE: for every point some values of the inner axes make the margin >= 0. LIMIT: the margin is an
    explicit modulus minus the distance from the limit. PROBABILITY: the margin is a bound minus a probability.
    """

    EQUALITY = "equality"
    BOUND = "bound"
    ORDERING = "ordering"
    EXISTENCE = "existence"
    LIMIT = "limit"
    PROBABILITY = "probability"


@jax.tree_util.register_pytree_node_class
class Point:
    """Named coordinates of one point, readable as attributes in formulas: p.b, p.phi, p.alpha, p.epsilon, p.forget_b.

    Args:
        loss: the Loss of one sample under which its formulas are meant; no coordinate.
        values: any scalar or array each, in one arithmetic, by name; forget_b = alpha b follows where both are there.

    Raises:
        AttributeError: a coordinate that is neither there nor follows is read.
    """

    def __init__(self, *, loss: Loss = EXPONENTIAL, **values: Scalar):
        """Keeps the coordinates."""
        self.loss, self._values = loss, values

    def __getattr__(self, name: str) -> Scalar:
        """The coordinate `name`; forget_b = alpha b follows from the others."""
        if name.startswith("_"):
            raise AttributeError(name)
        values = self._values
        if name in values:
            return values[name]
        if name == "forget_b" and "alpha" in values and "b" in values:
            return values["alpha"] * values["b"]
        raise AttributeError(f"this point has no coordinate {name!r}, only {', '.join(values)}")

    def values(self) -> dict[str, Scalar]:
        """The coordinates by name."""
        return dict(self._values)

    def replace(self, *, loss: Loss | None = None, **changes: Scalar) -> Point:
        """A point with some coordinates changed or added.

        Args:
            loss: another Loss; None: as it is.
            changes: any scalar or array each, by name.

        Returns:
            A new Point. Never raises.
        """
        return Point(loss=loss or self.loss, **{**self._values, **changes})

    def tree_flatten(self) -> tuple[tuple[Scalar, ...], tuple[Loss, tuple[str, ...]]]:
        """Leaves, and the loss and the names, for JAX: (values, (loss, names))."""
        return tuple(self._values.values()), (self.loss, tuple(self._values))

    @classmethod
    def tree_unflatten(
        cls, static: tuple[Loss, tuple[str, ...]], leaves: tuple[Scalar, ...]
    ) -> Point:
        """Inverse of `tree_flatten`, for JAX.

        Args:
            static: the loss, and the names of the coordinates.
            leaves: pytree leaves, as many; JAX puts tracers and placeholders here, so nothing is checked.

        Returns:
            Point.

        Raises:
            ValueError: not as many leaves as names.
        """
        loss, names = static
        return cls(loss=loss, **dict(zip(names, leaves, strict=True)))


@dataclass(frozen=True)
class Axis:
    """One coordinate of a domain.

    Args:
        name: coordinate name.
        low, high: closed range; 0 < low for a log axis.
        scale: "linear", "log" or "integer".

    Raises:
        ValueError: an empty, infinite or (log) non-positive range.
    """

    name: str
    low: float
    high: float
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        """Checks the range."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise invalid(
                "high", self.high, f"a finite number >= low = {self.low} (axis {self.name!r})"
            )
        if self.scale == "log" and self.low <= 0:
            raise invalid("low", self.low, f"a number > 0 on a log axis (axis {self.name!r})")
        if self.scale not in ("linear", "log", "integer"):
            raise invalid("scale", self.scale, "'linear', 'log' or 'integer'")
        if self.scale == "integer" and (
            self.low != round(self.low) or self.high != round(self.high)
        ):
            raise invalid(
                "low", (self.low, self.high), f"whole ends on an integer axis (axis {self.name!r})"
            )

    def at(self, unit: Any) -> Any:
        """The coordinate at a fraction u of the axis, c = low + u (high - low), or c = low (high/low)^u on a log axis.

        Args:
            unit: fraction in [0, 1], of any shape.

        Returns:
            Coordinates in [low, high], of that shape, whole on an integer axis; the ends exactly. Never raises.
        """
        import numpy as np

        unit = np.asarray(unit, dtype=float)
        if self.scale == "integer":
            count = int(self.high) - int(self.low) + 1
            return int(self.low) + np.minimum(np.floor(unit * count), count - 1)
        if self.scale == "log":
            value = np.exp(np.log(self.low) + (np.log(self.high) - np.log(self.low)) * unit)
        else:
            value = self.low + (self.high - self.low) * unit
        inside = np.clip(value, self.low, self.high)
        return np.where(
            unit <= 0, self.low, np.where(unit >= 1, self.high, inside)
        )  # the faces exactly

    def contains(self, value: Any) -> bool:
        """Whether a number lies on the axis, low <= value <= high, and is whole where the axis is.

        Args:
            value: any real scalar.

        Returns:
            Whether it does. Never raises on a number.
        """
        return bool(self.low <= value <= self.high) and (
            self.scale != "integer" or value == round(value)
        )


def _same_point(p: Point, xp: Arithmetic) -> Point:
    return p


@dataclass(frozen=True)
class Domain:
    """The points that a claim quantifies over: a box, a chart, and side conditions.

    Args:
        axes: the sides of the box.
        chart: (coordinates, xp) -> Point, from the box to the coordinates that the claim speaks of (for instance
            alpha = ratio * phi). The counterexample of a claim is stated in the chart's coordinates.
        where: (p, xp) -> tuple of expressions; the point belongs to the domain where each is >= 0.
        words: the domain in words, for tables.

    Raises:
        ValueError: no axis, or two of one name.
    """

    axes: tuple[Axis, ...]
    chart: Callable[[Point, Arithmetic], Point] = _same_point
    where: Callable[[Point, Arithmetic], tuple[Scalar, ...]] | None = None
    words: str = ""

    def __post_init__(self) -> None:
        """Checks the axes."""
        object.__setattr__(self, "axes", tuple(self.axes))
        names = [axis.name for axis in self.axes]
        if not names or len(set(names)) != len(names):
            raise invalid("axes", names, "one or more axes of different names")


@dataclass(frozen=True)
class Cases:
    """A finite domain, decided case by case where no formula gives the margin: readings of a text, data sets, schedules.

    Args:
        points: the coordinates of each case, plain floats; their number is added as `case`.
        margin: (point, level) -> (lower, upper) around the margin of a case; floats give lower = upper, NaN is undecided. At
            level "certified" the enclosure is rigorous where `rigorous` says so.
        exact: (point, digits) -> the margin by an independent route, in mpmath at that many digits; NaN where it cannot say.
        quantifier: "every" case has margin >= 0, or "some" case has.
        rigorous: whether the enclosure at level "certified" is a proof.
        bound: what makes the list complete, or one case enough, in words; carried by a counterexample.
        unmeasured: why there is no case yet; the claim is then open.

    Raises:
        ValueError: unknown quantifier, or no case without a reason.
    """

    points: tuple[dict[str, float], ...]
    margin: Callable[[dict[str, float], Level], tuple[Any, Any]]
    exact: Callable[[dict[str, float], int], Any]
    quantifier: Literal["every", "some"] = "every"
    rigorous: bool = False
    bound: str = ""
    unmeasured: str = ""

    def __post_init__(self) -> None:
        """Checks the quantifier and that there is something to decide."""
        numbered = tuple({"case": float(i), **point} for i, point in enumerate(self.points))
        object.__setattr__(self, "points", numbered)
        if self.quantifier not in ("every", "some"):
            raise invalid("quantifier", self.quantifier, "'every' or 'some'")
        if not self.points and not self.unmeasured:
            raise invalid(
                "points", self.points, "one or more cases, or `unmeasured` says why there is none"
            )

    def domain(self, words: str) -> Domain:
        """The domain of a claim decided by these cases: their number is its only axis.

        Args:
            words: what the cases are, for a reader.

        Returns:
            Domain with the axis "case". Never raises.
        """
        return Domain((Axis("case", 0, max(len(self.points) - 1, 0), "integer"),), words=words)


@dataclass(frozen=True)
class Modulus:
    """What bounds the distance from a limit, and where it is said to vanish.

    Args:
        value: (p, xp) -> the bound, >= 0; the margin of the claim is this minus the distance.
        axis: the axis of the domain along which the limit is taken.
        towards: where the axis goes, 0 or infinity; beyond the end of the axis, where the limit is.

    Raises:
        ValueError: another end.
    """

    value: Callable[[Point, Arithmetic], Scalar]
    axis: str
    towards: float

    def __post_init__(self) -> None:
        """Checks the end."""
        if self.towards not in (0, math.inf):
            raise invalid(
                "towards", self.towards, "0 or math.inf, the end to which the axis of a limit goes"
            )


def by_cases(p: Point, xp: Arithmetic) -> Scalar:
    """The margin of a claim that is decided case by case: there is no formula."""
    raise ClaimError("this claim is decided case by case, no formula gives its margin")


@dataclass(frozen=True)
class Claim:
    """One statement with one verdict.

    Args:
        id: short name, "lemma-3.main".
        statement: what is claimed, in words and ASCII formulas.
        source: where it is printed.
        kind: decides the check, see `Kind`.
        domain: what it quantifies over.
        margin: (p, xp) -> scalar, >= 0 where the claim holds (EQUALITY: = 0). EXISTENCE: evaluated at the outer and inner axes
            together; the claim holds at an outer point when some inner values give a margin >= 0.
        strict: the margin must be > 0.
        inner: the axes of the existential variables (EXISTENCE only).
        exclusion: (p, xp) -> scalar, an upper bound on the margin for ALL values of whatever else the claim quantifies over
            (inner variables, later terms of a sequence). Where given, a counterexample needs exclusion < 0.
        exclusion_words: what the bound excludes and why.
        factors: (p, xp) -> scalar each, easier to enclose: their product is the margin or, where the margin is the least of as
            many parts, each equals its part. They count as the margin only where SymPy sees that.
        proof: smaller claims, in variables of their own, from which this one follows; each is certified or symbolic.
        proof_words: how it follows.
        cases: the finite list that decides the claim instead of a margin; then domain = cases.domain(words), margin = by_cases.
        repaired: the statement that does hold, with its exact domain.
        note: what a reader should know about the reading chosen.
        modulus: of a LIMIT: the bound on the distance, and where it vanishes. Without one nothing shows that there is a limit.

    Raises:
        ValueError: an unknown kind, an EXISTENCE claim without inner axes or exclusion, inner axes on another kind, or a modulus
            on another kind or along an axis that the domain does not have.
    """

    id: str
    statement: str
    source: str
    kind: Kind
    domain: Domain
    margin: Callable[[Point, Arithmetic], Scalar]
    strict: bool = False
    inner: tuple[Axis, ...] = ()
    exclusion: Callable[[Point, Arithmetic], Scalar] | None = None
    exclusion_words: str = ""
    factors: tuple[Callable[[Point, Arithmetic], Scalar], ...] = ()
    proof: tuple[Claim, ...] = ()
    proof_words: str = ""
    cases: Cases | None = None
    repaired: Claim | None = None
    note: str = ""
    modulus: Modulus | None = None

    def __post_init__(self) -> None:
        """Checks that the parts fit the kind."""
        if self.kind not in list(Kind):
            raise invalid("kind", self.kind, " or ".join(repr(str(kind)) for kind in Kind))
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "inner", tuple(self.inner))
        names = [axis.name for axis in (*self.domain.axes, *self.inner)]
        if len(set(names)) != len(names):
            raise invalid("inner", names, f"axes with names of their own (claim {self.id!r})")
        if self.modulus is not None and (
            self.kind is not Kind.LIMIT or self.modulus.axis not in names
        ):
            raise invalid(
                "modulus",
                self.modulus,
                f"a limit along one of the axes {names} (claim {self.id!r})",
            )
        if self.cases is not None:  # the quantifier over the cases is theirs
            return
        if (self.kind is Kind.EXISTENCE) != bool(self.inner):
            raise invalid(
                "inner",
                self.inner,
                f"axes for an existence claim and none otherwise (claim {self.id!r})",
            )
        if self.kind is Kind.EXISTENCE and self.exclusion is None:
            raise invalid(
                "exclusion",
                None,
                f"a bound over the inner axes for an existence claim (claim {self.id!r})",
            )

    def family(self) -> Iterator[Claim]:
        """The claim as printed and its repaired statements."""
        yield self
        if self.repaired is not None:
            yield from self.repaired.family()


class ClaimError(RuntimeError):
    """A claim's own functions failed; the message names the claim and the point."""
