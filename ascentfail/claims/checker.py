r"""Checks a certificate by itself: it needs python-flint and SymPy, and nothing else of this package.

    python checker.py FILE ...      ends with 0: every statement is proved, 1: one is not, 2: a file is no certificate

A certificate holds the axes of a statement, its expressions as one list of operations, and what proves it.
boxes: the margin is >= 0 wherever all side conditions are. A tree of bisections of the axes, each symbol an axis that is halved
    (lower half first) or a leaf: at 53 (P), 106 (Q), 212 (R) bits the margin is enclosed and >= 0, O: a side condition is
    enclosed and < 0, U: undecided. The boxes are built while the tree is walked, so they cover the axes whatever the tree says.
identity: SymPy reduces the margin to zero, and by a tree as above it is defined wherever all side conditions are >= 0.
argued: each step is one of the two. That the statement follows from them is said in words, and no machine has checked it.

Intervals have exact ends: exp of [0, h] begins at exactly 1, so that a margin that vanishes on a face is seen to be >= 0 there.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from fractions import Fraction
from functools import lru_cache

import sympy
from flint import arb, ctx

BITS = {"P": 53, "Q": 106, "R": 212}
AXES = "0123456789abcdefghijklmnopqrstuvwxyz"  # the symbols of a tree that halve an axis
DEEPEST = 200  # halvings of one axis


class Rejected(ValueError):
    """The certificate does not prove what it says."""


class Unusable(ValueError):
    """It is no certificate."""


class TooLarge(ValueError):
    """An expression beyond the size on which SymPy is tried."""


# --- intervals: a pair of exact ends, or None where an operation is not defined on all of its argument --------------------------

ZERO, ONE = arb(0), arb(1)
NOUGHT, UNIT = (ZERO, ZERO), (ONE, ONE)


def span(low, high):
    """From two balls, rounded outwards."""
    low, high = low.lower(), high.upper()
    return None if low.is_nan() or high.is_nan() else (low, high)


def plus(a, b):
    """The sum."""
    return None if a is None or b is None else span(a[0] + b[0], a[1] + b[1])


def minus(a):
    """-a."""
    return None if a is None else (-a[1], -a[0])


def product(x, y):
    """Of two ends; an infinite one is a bound, not a number: 0 times it is 0."""
    return ZERO if x == 0 or y == 0 else x * y


def times(a, b):
    """The product."""
    if a is None or b is None or a is UNIT or b is UNIT:
        return b if a is UNIT else a if b is UNIT else None
    if a[0] < 0 <= b[0]:
        a, b = b, a
    if a[0] >= 0:  # which end of a belongs to which end of b
        return span(product(a[b[0] < 0], b[0]), product(a[b[1] >= 0], b[1]))
    ends = [product(x, y) for x in a for y in b]
    return span(min(x.lower() for x in ends), max(x.upper() for x in ends))


def inverse(a):
    """1/a."""
    return span(1 / a[1], 1 / a[0]) if a and (a[0] > 0 or a[1] < 0) else None


def power(a, n):
    """a^n, n >= 0."""
    if n % 2 or a[0] >= 0:
        return span(a[0] ** n, a[1] ** n)
    return span(ZERO, max(-a[0], a[1]) ** n) if a[1] > 0 and n else span(a[1] ** n, a[0] ** n)


def hull(a, b):
    """What contains both."""
    return None if a is None or b is None else (min(a[0], b[0]), max(a[1], b[1]))


def rising(function):
    """The image of an interval under an increasing function of exact numbers."""
    return lambda a: span(function(a[0]), function(a[1]))


def root(function, near):
    """A ball around the root of an increasing function: it is <= 0 at one end and >= 0 at the other."""
    low = high = near.mid()
    step = (abs(low) / 2 ** (ctx.prec - 4)).mid()
    for _ in range(ctx.prec):
        if function(low) <= 0 <= function(high):
            return low.union(high)
        if not function(low) <= 0:
            low = (low - step).mid()
        if not function(high) >= 0:
            high = (high + step).mid()
        step = 2 * step
    return arb("nan")


def wexp(y):
    """W_0(e^y), the root of w + ln w = y."""
    if y < 100 or not y.is_finite():
        return y if y > 0 and not y.is_finite() else y.exp().lambertw()
    w = y - y.log()
    for _ in range(8):
        w = (w - (w + w.log() - y) * w / (1 + w)).mid()
    return root(lambda w: w + w.log() - y, w)


def pull(c, shift):
    """The w with w (1 + e^{w + shift}) = c, for c >= 0 or without a shift (then the slope 1 + (1 + w) e^w is positive, too)."""
    if c == 0 or not c.is_finite():
        return c
    w = c / 2 if c < 0 else min(c, (c * (-shift).exp()).lambertw().upper())
    for _ in range(60):
        e = (w + shift).exp()
        step = (w * (1 + e) - c) / (1 + (1 + w) * e)
        w = (w - step).mid()
        if abs(step) < abs(w) / 2 ** (ctx.prec // 2 + 8):
            break
    found = root(lambda w: w * (1 + (w + shift).exp()) - c, w)
    return found.max(ZERO) if c > 0 else found


exp = rising(lambda x: x.exp())
sigmoid = rising(lambda x: 1 / (1 + (-x).exp()))
softplus = rising(lambda x: x.exp().log1p() if x < 50 else x + (-x).exp().log1p())


def lambertw(a, branch):
    """W_0 rises, W_{-1} falls."""
    if branch == 0:
        return span(a[0].lambertw(), a[1].lambertw())
    return span(a[1].lambertw(-1), a[0].lambertw(-1)) if a[1] < 0 else None


RULES = {  # the image of an interval, and of the derivative, from it and the image
    "exp": (exp, lambda a, y: y),
    "log": (lambda a: span(a[0].log(), a[1].log()) if a[0] > 0 else None, lambda a, y: inverse(a)),
    "sqrt": (
        lambda a: span(a[0].sqrt(), a[1].sqrt()) if a[0] >= 0 else None,
        lambda a, y: inverse(plus(y, y)),
    ),
    "softplus": (softplus, lambda a, y: sigmoid(a)),
    "sigmoid": (sigmoid, lambda a, y: times(y, plus(UNIT, minus(y)))),
    "lambertw_exp": (rising(wexp), lambda a, y: times(y, inverse(plus(UNIT, y)))),
    "logisticw": (
        rising(lambda c: pull(c, ZERO)),
        lambda a, y: inverse(plus(UNIT, times(plus(UNIT, y), exp(y)))),
    ),
}


# --- jets: an interval, and by axis that of the partial derivative over the whole box, None where unknown, absent: 0 ---------


def chain(value, *parts):
    """A value whose argument's jets enter with these partial derivatives."""
    slope = {}
    for partial, (_, inner) in parts:
        for axis, own in inner.items():
            term = times(partial, own)
            slope[axis] = plus(slope[axis], term) if axis in slope else term
    return value, slope


def unknown(value, *jets):
    """A value of which nothing more is known."""
    return value, {axis: None for _, slope in jets for axis in slope}


def divide(a, b):
    """a/b."""
    over = inverse(b[0])
    value = times(a[0], over)
    return value and chain(value, (over, a), (minus(times(value, over)), b))


def raised(a, n):
    """a^n."""
    return (
        chain(power(a[0], n), (times((arb(n), arb(n)), power(a[0], n - 1)), a)) if n else (UNIT, {})
    )


def smaller(a, b):
    """min(a, b); where either may win, the derivative is one of both."""
    (low, high), (least, most) = a[0], b[0]
    if high <= least or most <= low:
        return a if high <= least else b
    slope = {
        axis: hull(a[1].get(axis, NOUGHT), b[1].get(axis, NOUGHT)) for axis in {**a[1], **b[1]}
    }
    return (min(low, least), min(high, most)), slope


def negative(a):
    """-a."""
    return minus(a[0]), {axis: minus(own) for axis, own in a[1].items()}


def larger(a, b):
    """max(a, b)."""
    return negative(smaller(negative(a), negative(b)))


def magnitude(a):
    """|a|."""
    value, slope = larger(a, negative(a))
    return value and (max(value[0], ZERO), value[1]), slope


def meet(a, b):
    """What two enclosures of one function say together."""

    def both(x, y):
        if x is None or y is None:
            return x or y
        low, high = max(x[0], y[0]), min(x[1], y[1])
        return (low, high) if low <= high else x

    return both(a[0], b[0]), {
        axis: both(own, b[1][axis]) for axis, own in a[1].items() if axis in b[1]
    }


def indicator(a):
    """1 where a >= 0, else 0."""
    if a[0][0] >= 0 or a[0][1] < 0:
        return (UNIT if a[0][0] >= 0 else NOUGHT), {}
    return unknown((ZERO, ONE), a)  # there is a jump


class Exponential:
    """The force l(m) = e^{-m}: the pull s = c l(s + shift), l at a margin, and -l'/l times a pull; `one` is 1/l(m) - e^m."""

    bounded, one = False, 0
    pull = staticmethod(lambda c, shift: (c * (-shift).exp()).lambertw())
    force = staticmethod(lambda m: exp(minus(m)))
    steep = staticmethod(lambda s, m: s)


class Logistic:
    """The same of l(m) = 1/(1 + e^m), which is bounded."""

    bounded, one = True, 1
    pull = staticmethod(pull)
    force = staticmethod(lambda m: sigmoid(minus(m)))
    steep = staticmethod(lambda s, m: times(s, sigmoid(m)))


LOSSES = {"exponential": Exponential, "logistic": Logistic}  # as certificates name them


def plane(beta, gamma, q, sign, loss):
    """Both pulls of a stationary point, s_1 = beta l(s_1 + q s_2) and |s_2| = gamma l(q s_1 + s_2), of l = e^{-m} or 1/(1 + e^m).

    For sign = 1 and q >= 0 there is one by Brouwer (one only for q <= 1), and each pull falls as the other rises: bounds of one
    bound the other. For sign = -1 and the logistic loss there is one, too, with pulls of at most beta, gamma. All are enclosed.
    """
    (b, c, k), loss = (beta[0], gamma[0], q[0]), LOSSES[loss]
    if b[0] < 0 or c[0] < 0 or k[0] < 0 or (sign != 1 and not loss.bounded):
        return None, None
    if sign != 1:
        return unknown((ZERO, b[1]), beta, gamma, q), unknown((-c[1], ZERO), beta, gamma, q)

    def held(
        strength, other
    ):  # the pull s of s = strength l(s + q other): it rises with the strength, falls with the other
        low, high = product(k[1], other[1]).upper(), product(k[0], other[0]).lower()
        return span(loss.pull(strength[0], low), loss.pull(strength[1], high))

    s, t = (ZERO, b[1]), (ZERO, c[1])
    for _ in range(40):
        s, t, before = held(b, t), held(c, s), (s, t)
        if s is None or t is None:
            return None, None
        if all(
            32 * (after[0] - old[0] + old[1] - after[1]) < old[1] - old[0]
            for after, old in zip((s, t), before, strict=True)
        ):
            break
    x, y = plus(s, times(k, t)), plus(times(k, s), t)
    first, second = loss.force(x), loss.force(y)
    u, v = loss.steep(s, x), loss.steep(t, y)  # -l'(x)/l(x) times the pull
    # (1 + u) ds + q u dt = l(x) dbeta - u t dq,   q v ds + (1 + v) dt = l(y) dgamma - v s dq,   solved
    left, right = plus(UNIT, v), plus(UNIT, u)
    over = inverse(plus(plus(UNIT, plus(u, v)), times(times(u, v), plus(UNIT, minus(power(k, 2))))))
    for_q, back_q = minus(times(u, t)), minus(times(v, s))
    cross, back = minus(times(k, u)), minus(times(k, v))
    ds = [times(left, first), times(cross, second), plus(times(left, for_q), times(cross, back_q))]
    dt = [times(back, first), times(right, second), plus(times(right, back_q), times(back, for_q))]
    given = beta, gamma, q
    return tuple(
        chain(value, *zip((times(over, d) for d in ends), given, strict=True))
        for value, ends in ((s, ds), (t, dt))
    )


# --- statements -----------------------------------------------------------------------------------------------------------------

RISING = ("exp", "log", "sqrt", "softplus", "sigmoid", "lambertw_exp", "logisticw")
TAKES = {  # how many earlier operations each takes
    "axis": 0, "number": 0, "power": 1, "lambertw": 1, "neg": 1, "abs": 1, "indicator": 1, "add": 2, "sub": 2, "mul": 2, "div": 2,
    "minimum": 2, "maximum": 2, "plane": 3, "fold": 2, **dict.fromkeys(RULES, 1),
}  # fmt: skip
JETS = {
    "neg": negative, "abs": magnitude, "indicator": indicator, "div": divide, "minimum": smaller, "maximum": larger,
    "add": lambda a, b: chain(plus(a[0], b[0]), (UNIT, a), (UNIT, b)),
    "sub": lambda a, b: chain(plus(a[0], minus(b[0])), (UNIT, a), (UNIT, negative(b))),
    "mul": lambda a, b: raised(a, 2) if a is b else chain(times(a[0], b[0]), (b[0], a), (a[0], b)),
}  # fmt: skip


def operate(operation, given, known):
    """The jet of an operation on jets, None where it is undefined; `known` keeps the pulls of one stationary point together."""
    name, a = operation[0], given[0]
    if name in JETS:
        jet = JETS[name](*given)
    elif name in RULES:
        value = RULES[name][0](a[0])
        jet = value and chain(value, (RULES[name][1](a[0], value), a))
    elif name == "power":
        jet = raised(a, operation[2])
    elif name == "lambertw":
        value = lambertw(a[0], operation[2])
        jet = value and chain(value, (times(exp(minus(value)), inverse(plus(UNIT, value))), a))
    elif name == "plane":
        both = known[operation[2:]] = known.get(operation[2:]) or plane(*given, *operation[5:])
        jet = both[operation[1]]
    else:
        jet = None  # the fold
    return jet if jet and jet[0] else None


def first(operation):
    """Where in an operation the places of others begin."""
    return 2 if operation[0] in ("plane", "fold") else 1


def arguments(operation):
    """The places of the operations that an operation takes."""
    return operation[first(operation) : first(operation) + TAKES[operation[0]]]


@lru_cache(maxsize=65536)
def constant(text, bits):
    """A fraction, enclosed."""
    value = Fraction(text)
    return span(*[arb(value.numerator) / arb(value.denominator)] * 2)


def part(axis, k, n):
    """The part [k/2^n, (k+1)/2^n] of an axis, rounded outwards, its own ends exact; of an integer axis its integers."""
    _, low, high, scale = axis
    if scale == "integer":
        count = int(high) - int(low) + 1
        first, last = -(-count * k // 2**n), -(-count * (k + 1) // 2**n) - 1
        return (arb(int(low) + first), arb(int(low) + last)) if first <= last else None

    def at(step):
        if step in (0, 2**n):
            return arb(high if step else low)
        share = arb(step) / 2**n
        if scale == "log":
            return arb(low) * (share * (arb(high) / arb(low)).log()).exp()
        return arb(low) + share * (arb(high) - arb(low))

    return span(at(k), at(k + 1))


def walk(tree, axes):
    """The leaves of a tree, each with its box: for each axis (k, n), the part of it."""
    if not isinstance(tree, str):
        raise Rejected("the certificate has no tree")
    stack = [((0, 0),) * axes]
    for symbol in tree:
        if not stack:
            raise Rejected("the tree goes on after its last leaf")
        box = stack.pop()
        if symbol in "PQROU":
            yield symbol, box
        elif symbol in AXES[:axes] and box[AXES.index(symbol)][1] < DEEPEST:
            stack += halves(box, AXES.index(symbol))[::-1]
        else:
            raise Rejected(f"the tree has the symbol {symbol!r} where none of its kind can stand")
    if stack:
        raise Rejected("the tree ends before its last leaf")


def halves(box, i):
    """The lower and the upper half of a box along an axis."""
    k, n = box[i]
    return [(*box[:i], (2 * k + side, n + 1), *box[i + 1 :]) for side in (0, 1)]


class Statement:
    """That a margin is >= 0 (strict: > 0; identity: = 0) wherever all side conditions are >= 0, on a box of axes.

    Twins are pairs of places of which SymPy sees that they are equal wherever both are defined; both are enclosed. Signs are
    pairs that have the same sign.
    """

    def __init__(self, axes, operations, sides, margin, strict=False, twins=(), signs=()):
        """Keeps them; operations take earlier ones by their place."""
        self.axes, self.operations, self.sides, self.margin, self.strict = (
            axes,
            operations,
            tuple(sides),
            margin,
            strict,
        )
        self.twin, self.sign = dict(twins), dict(signs)
        self.index = {axis[0]: i for i, axis in enumerate(axes)}
        self.orders = {}
        self.edged = {self._edged(operations[side]) for side in self.sides}

    def _edged(self, side):
        """The z of a side condition 1 + e z >= 0, which is what W(z) needs: no rounding of -1/e shall take it away."""
        at = self.operations
        for one, product in (side[1:3], side[2:0:-1]) if side[0] == "add" else ():
            for e, z in (at[product][1:3], at[product][2:0:-1]) if at[product][0] == "mul" else ():
                if (
                    at[one] == ("number", "1")
                    and at[e][0] == "exp"
                    and at[at[e][1]] == ("number", "1")
                ):
                    return z
        return None

    def order(self, places, twins=True):
        """All operations that some need, each after those that it needs itself."""
        if (places, twins) not in self.orders:
            found, opened, stack = {}, set(), [(place, False) for place in places]
            while stack:
                place, ready = stack.pop()
                if ready:
                    found[place] = None
                elif place not in opened:
                    opened.add(place)
                    others = [
                        pairs[place] for pairs in (self.twin, self.sign) if twins and place in pairs
                    ]
                    needs = [*arguments(self.operations[place]), *others]
                    stack += [(place, True), *((i, False) for i in needs)]
            self.orders[places, twins] = list(found)
        return self.orders[places, twins]

    def evaluate(self, places, parts, sharp=True):
        """By place, the jet of each operation that some need, over a box; None where it is undefined.

        What uses a side condition, or W(z) with one on z, is enclosed where that condition is >= 0, and its slope is unknown.
        Second, the side conditions themselves.
        """
        known, sides = {}, {}
        for place in self.order(places):
            name, *rest = operation = self.operations[place]
            if name == "axis":
                own = parts[self.index[rest[0]]]
                known[place] = own, {} if own[0] == own[1] else {self.index[rest[0]]: UNIT}
            elif name == "number":
                known[place] = constant(rest[0], ctx.prec), {}
            else:
                given = [known[i] for i in arguments(operation)]
                known[place] = None if None in given else operate(operation, given, known)
                if (
                    known[place] is None
                    and None not in given
                    and name in ("div", "log", "sqrt", "lambertw")
                ):
                    if sharp:  # what has to stay within a domain, by its faces
                        given[-1] = self.sharpened(arguments(operation)[-1], parts, given[-1])
                    known[place] = operate(operation, given, known)
                    if known[place] is None and name == "lambertw":
                        known[place] = self._at_edge(given[0], *rest)
            if known[place] and known.get(self.twin.get(place)):
                known[place] = meet(known[place], known[self.twin[place]])
            if place in self.sides:
                sides[place] = jet = known[place]
                if jet and jet[0][0] < 0 <= jet[0][1]:
                    known[place] = unknown((ZERO, jet[0][1]), jet)
        return known, sides

    def _at_edge(self, a, place, branch):
        """W(z) where z >= -1/e is a side condition, and z is enclosed too widely to see it."""
        end = lambertw((a[0][1],) * 2, branch) if place in self.edged else None
        return end and unknown((-ONE, end[1]) if branch == 0 else (end[0], -ONE), a)

    def face(self, parts, slope, least):
        """The face of a box on which a monotone expression is least (or largest), or None where that is the box."""
        face = list(parts)
        for i, own in slope.items():
            if own and (own[0] >= 0 or own[1] <= 0):
                face[i] = (parts[i][0 if (own[0] >= 0) is least else 1],) * 2
        return face if face != list(parts) else None

    def along(self, place, parts, jet, least):
        """Enclosures of an expression on a box, then on the face where it is least (or largest), then on a face of that."""
        for _ in range(3):
            if jet is None:
                return
            yield jet[0]
            parts = self.face(parts, jet[1], least)
            if parts is None:
                return
            known, sides = self.evaluate((place,), parts, sharp=False)
            jet = sides.get(place, known[place])

    def sharpened(self, place, parts, jet):
        """A jet whose value is narrowed by the faces on which it is extreme."""
        low, high = (list(self.along(place, parts, jet, least)) for least in (True, False))
        return meet(
            jet, ((max(value[0] for value in low), min(value[1] for value in high)), jet[1])
        )

    def positive(self, place, parts, known, sign=1):
        """Whether an expression is surely >= 0 (strict: > 0) on a box, or <= 0 for sign = -1, perhaps part by part."""

        def enough(value):
            low = value[0] if sign == 1 else -value[1]
            return low > 0 or (low == 0 and not self.strict)

        name, *rest = self.operations[place]
        if known[place] is None or any(
            map(enough, self.along(place, parts, known[place], sign == 1))
        ):
            return known[place] is not None
        if name == "minimum" and sign == 1:
            return all(self.positive(i, parts, known) for i in rest)
        if name == "neg" and self.positive(rest[0], parts, known, -sign):
            return True
        if name in ("mul", "div"):
            for one in (1, -1):
                if self.positive(rest[0], parts, known, one) and self.positive(
                    rest[1], parts, known, sign * one
                ):
                    return True
        return any(
            place in pairs and self.positive(pairs[place], parts, known, sign)
            for pairs in (self.twin, self.sign)
        )

    def same_sign(self, one, two):
        """Of f(a) - f(b) and a - b for a rising f, |a| - |b| and (a - b) (a + b), and of products and quotients of such."""
        (name, *a), (other, *b), at = self.operations[one], self.operations[two], self.operations
        if one == two:
            return True
        if name == "sub":
            (f, x, *branch), (g, y, *same) = (
                (at[i] for i in a) if all(len(at[i]) > 1 for i in a) else (("", 0), ("", 1))
            )
            if f == g == "abs" and other == "mul":
                return at[b[0]] == ("sub", x, y) and at[b[1]] == ("add", x, y)
            rises = f in RISING or (f == "lambertw" and branch == [0])
            return f == g and branch == same and rises and at[two] == ("sub", x, y)
        products = name in ("mul", "div") and other == "mul"
        return (products or name == other == "neg") and all(
            self.same_sign(i, j) for i, j in zip(a, b, strict=True)
        )

    def parts(self, box):
        """The intervals of a box, None for an integer axis without an integer there."""
        return [part(axis, *own) for axis, own in zip(self.axes, box, strict=True)]

    def jets(self, parts):
        """Of side conditions and margin, as `evaluate`."""
        return self.evaluate((*self.sides, self.margin), parts)

    def letter(self, parts, jets, identity=False):
        """P: proved on a box (identity: defined), O: a side condition excludes it, U: neither is seen at this precision."""
        known, sides = jets
        if any(
            value[1] < 0
            for place, jet in sides.items()
            for value in self.along(place, parts, jet, False)
        ):
            return "O"
        proved = (
            known[self.margin] is not None if identity else self.positive(self.margin, parts, known)
        )
        return "P" if proved else "U"

    def leaf(self, letter, box, identity):
        """Whether a box proves what its letter says; an exclusion may need any of the precisions."""
        for bits in BITS.values() if letter == "O" else (BITS[letter],):
            with ctx.workprec(bits):
                parts = self.parts(box)
                found = "O" if None in parts else self.letter(parts, self.jets(parts), identity)
                if found == ("O" if letter == "O" else "P"):
                    return True
        return False

    def tree(self, tree, identity=False):
        """(decided fraction of the axes, proved fraction, boxes undecided, boxes): every leaf, evaluated again."""
        decided = proved = Fraction(0)
        undecided = boxes = 0
        for letter, box in walk(tree, len(self.axes)):
            boxes += 1
            if letter == "U":
                undecided += 1
                continue
            if not self.leaf(letter, box, identity):
                raise Rejected(f"box {box} does not prove what the certificate says ({letter})")
            volume = Fraction(1, 2 ** sum(n for _, n in box))
            decided, proved = decided + volume, proved + (volume if letter != "O" else 0)
        return decided, proved, undecided, boxes

    def holds_point(self, point):
        """Whether a point lies on the axes and surely satisfies the side conditions, with a margin that is defined."""
        for (_, low, high, scale), value in zip(self.axes, point, strict=True):
            if not (low <= value <= high) or (scale == "integer" and value != round(value)):
                return False
        for bits in BITS.values():
            with ctx.workprec(bits):
                known, sides = self.evaluate(
                    (*self.sides, self.margin), [(arb(value),) * 2 for value in point]
                )
                if known[self.margin] and all(jet and jet[0][0] >= 0 for jet in sides.values()):
                    return True
        return False

    def vanishes(self, place, other=None):
        """Whether SymPy sees that an expression, or the difference of two, is zero wherever all in it is defined."""
        unknowns = Unknowns()
        try:
            known = self.symbolic((place,) if other is None else (place, other), unknowns)
            return unknowns.vanishes(known[place] - (0 if other is None else known[other]))
        except REFUSALS:
            return False

    def symbolic(self, places, unknowns):
        """By place, the SymPy expressions of all operations that some need."""
        known = {}
        for i in sorted(
            self.order(places, twins=False)
        ):  # the equations in one order, whatever the margin is
            name, *rest = operation = self.operations[i]
            if name == "axis":
                known[i] = coordinate(*self.axes[self.index[rest[0]]])
            elif name == "number":
                known[i] = sympy.Rational(rest[0])
            else:
                known[i] = unknowns.apply(operation, [known[j] for j in arguments(operation)])
        return known


# --- identities -----------------------------------------------------------------------------------------------------------------

OPERATIONS, EXPONENT, TERMS, UNKNOWNS = (
    4000,
    400,
    20_000,
    32,
)  # the largest expression, exponent, polynomial, number of unknowns
REFUSALS = (
    TooLarge,
    TypeError,
    ValueError,
    AttributeError,
    NotImplementedError,
    ZeroDivisionError,
    sympy.PolynomialError,
)
modulus = sympy.Function("magnitude")  # |.|, of which only |0| = 0 is used
SYMBOLIC = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "abs": modulus, "exp": lambda a: sympy.exp(small(a)), "log": lambda a: sympy.log(small(a)),
    "sqrt": lambda a: sympy.sqrt(small(a)), "softplus": lambda a: sympy.log(1 + sympy.exp(small(a))),
    "sigmoid": lambda a: 1 / (1 + sympy.exp(-small(a))),
}  # fmt: skip


def coordinate(name, low, high, scale):
    """The symbol of an axis, with the sign that its range has."""
    sign = {"positive": True} if low > 0 else {"nonnegative": True} if low >= 0 else {"real": True}
    return sympy.Symbol(name, integer=True if scale == "integer" else None, **sign)


def small(expression, most=OPERATIONS):
    """The expression, if its tree has few nodes; shared parts are counted once each time but looked at only once."""
    sizes, stack = {}, [expression]
    while stack:
        part = stack[-1]
        waiting = [a for a in part.args if a not in sizes]
        if waiting:
            stack += waiting
            continue
        sizes[stack.pop()] = size = 1 + sum(sizes[a] for a in part.args)
        if size > most:
            raise TooLarge(f"an expression of more than {most} parts")
    return expression


class Unknowns:
    """Symbols for Lambert W values and stationary points, and the equations (expressions that are zero) that define them."""

    def __init__(self):
        """None so far."""
        self.equations, self.named = (
            [],
            [],
        )  # ((symbols), expression); (what defines them, the symbols)

    def apply(self, operation, given):
        """An operation on SymPy expressions."""
        name = operation[0]
        if name in SYMBOLIC:
            return SYMBOLIC[name](*given)
        if name == "power":
            return given[0] ** operation[2]
        if name == "lambertw":
            return self.lambertw(given[0], operation[2])
        if name == "lambertw_exp":
            return self.lambertw(sympy.expand_power_exp(sympy.exp(small(given[0]))), 0)
        if name == "logisticw":
            return self.logisticw(given[0])
        if name == "plane":
            return self.plane(*given, *operation[5:])[operation[1]]
        raise TooLarge(f"{name} is in no identity")

    def _known(self, *key):
        """What was defined before by arguments that can be seen to be the same."""
        if len(self.named) >= UNKNOWNS:
            raise TooLarge(f"more than {UNKNOWNS} unknowns")
        for (kind, *others), found in self.named:
            if kind == key[0] and all(is_zero(a - b) for a, b in zip(others, key[1:], strict=True)):
                return found
        return None

    def lambertw(self, z, branch):
        """The symbol w with w e^w = z."""
        z = small(z)
        w = self._known(branch, z)
        if w is None:
            w = sympy.Dummy(
                "w",
                **(
                    {"negative": True}
                    if branch
                    else {"positive": True}
                    if z.is_positive
                    else {"real": True}
                ),
            )
            self.named.append(((branch, z), w))
            self.equations.append(((w,), z - w * sympy.exp(w)))
        return w

    def logisticw(self, c):
        """The symbol w with w (1 + e^w) = c."""
        c = small(c)
        w = self._known("logisticw", c)
        if w is None:
            w = sympy.Dummy("w", **({"positive": True} if c.is_positive else {"real": True}))
            self.named.append((("logisticw", c), w))
            self.equations.append(((w,), c - w * (1 + sympy.exp(w))))
        return w

    def plane(self, beta, gamma, q, sign, loss):
        """The symbols s_1 >= 0 and s_2 (of the sign given) with s_1 = beta l(x), |s_2| = gamma l(y), for l as in `plane`."""
        key, one = (
            [f"plane {sign} {loss}", *(small(value) for value in (beta, gamma, q))],
            LOSSES[loss].one,
        )
        found = self._known(*key)
        if found is None:
            s, size = (
                sympy.Dummy(n, nonnegative=True, positive=value.is_positive)
                for n, value in (("s_1", beta), ("S", gamma))
            )
            found = s, sign * size
            self.named.append((key, found))
            for strength, pulled, m in (
                (beta, s, s + q * sign * size),
                (gamma, size, q * s + sign * size),
            ):
                self.equations.append(((s, size), strength - pulled * (one + sympy.exp(m))))
        return found

    def vanishes(self, expression):
        """Whether an expression is seen to be zero wherever it and the unknowns are defined."""
        for part in sorted(
            small(expression).atoms(modulus), key=lambda part: -part.count_ops()
        ):  # the outer before the inner
            if self.vanishes(part.args[0]):
                expression = expression.xreplace({part: sympy.Integer(0)})
        return is_zero(self.eliminated(expression))

    def eliminated(self, expression):
        """The expression with the coordinates replaced for which the equations of its unknowns can be solved."""
        seen, equations = set(expression.free_symbols), []
        for symbols, equation in reversed(
            self.equations
        ):  # an equation speaks of earlier symbols only
            if seen.intersection(symbols):
                equations.insert(0, equation)
                seen |= equation.free_symbols
        while equations:
            step = solvable(small(expression), equations)
            if step is None:
                break
            used, symbol, value = step
            equations = [
                equation.subs(symbol, value) for equation in equations if equation is not used
            ]
            expression = expression.subs(symbol, value)
        return expression


def solvable(expression, equations):
    """(equation, symbol, value): a symbol that enters linearly, with a coefficient that cannot vanish; in no exponent first."""
    everything = (expression, *equations)
    inner = {
        s
        for e in everything
        for f in e.atoms(sympy.exp, sympy.log, modulus)
        for s in f.free_symbols
    }
    for within in (False, True):
        for equation in equations:
            numerator = sympy.fraction(small(sympy.together(equation)))[0]
            for symbol in sorted(
                (s for s in equation.free_symbols if (s in inner) is within),
                key=sympy.default_sort_key,
            ):
                slope = sympy.factor_terms(sympy.diff(numerator, symbol))
                if sympy.diff(slope, symbol) == 0 and slope.is_zero is False:
                    return equation, symbol, sympy.Integer(-1) * numerator.subs(symbol, 0) / slope
    return None


def terms(expression):
    """Upper bound on the number of terms after expansion."""
    if expression.is_Add:
        return sum(terms(part) for part in expression.args)
    if expression.is_Mul:
        total = 1
        for part in expression.args:
            total = min(total * terms(part), TERMS + 1)
        return total
    if expression.is_Pow and expression.exp.is_Integer and expression.exp > 0:
        return min(terms(expression.base), TERMS + 1) ** min(int(expression.exp), 64)
    return 1


def is_zero(expression):
    """Whether a rational function of symbols and exponentials is zero: the terms of every total exponent cancel."""
    if small(expression).has(sympy.Float, sympy.nan, sympy.zoo, sympy.oo, sympy.I):
        return False
    expression = sympy.expand_log(sympy.expand_power_exp(expression))
    opaque = {
        p
        for p in expression.atoms(
            sympy.Function, sympy.Pow
        )  # of logarithms, magnitudes and roots nothing more is used
        if isinstance(p, sympy.log | modulus) or (p.is_Pow and not p.exp.is_Integer)
    }
    expression = expression.xreplace({p: sympy.Dummy() for p in opaque})
    exponents, symbols, names = [], [], {}
    for p in sorted(expression.atoms(sympy.exp, type(sympy.E)), key=sympy.default_sort_key):
        exponent = sympy.cancel(small(p.as_base_exp()[1], EXPONENT))
        if exponent.has(sympy.exp):
            return False
        if -exponent in exponents:
            names[p] = 1 / symbols[exponents.index(-exponent)]
        else:
            exponents.append(exponent)
            symbols.append(sympy.Dummy())
            names[p] = symbols[-1]
    numerator = sympy.fraction(small(sympy.together(expression.xreplace(names))))[0]
    if terms(numerator) > TERMS:
        raise TooLarge(f"a polynomial of more than {TERMS} terms")
    others = sorted(numerator.free_symbols - set(symbols), key=sympy.default_sort_key)
    totals = defaultdict(lambda: sympy.Integer(0))
    for powers, coefficient in sympy.Poly(
        numerator, *symbols, *others, sympy.Dummy()
    ).terms():  # the dummy: there may be none
        total = sympy.cancel(sum((n * e for n, e in zip(powers, exponents)), sympy.Integer(0)))  # noqa: B905
        totals[total, powers[len(exponents) :]] += coefficient
    return all(total == 0 for total in totals.values())


# --- certificates ---------------------------------------------------------------------------------------------------------------

PROOFS = ("boxes", "identity")


class Found:
    """What a certificate was found to prove: fractions of the axes, boxes, whether it speaks of anything."""

    def __init__(self, grade, decided, proved, undecided, boxes, inhabited=True):
        """It proves something where nothing is open and not all is excluded."""
        self.grade, self.decided, self.proved, self.undecided, self.boxes = (
            grade,
            decided,
            proved,
            undecided,
            boxes,
        )
        self.vacuous, self.inhabited = not (proved or undecided), inhabited
        self.complete = not (undecided or self.vacuous)
        self.proves = self.complete and grade in PROOFS


def check(certificate):
    """Found, by everything that the certificate holds. Raises: Rejected, Unusable."""
    grade = certificate.get("grade") if isinstance(certificate, dict) else None
    if grade == "argued":
        steps = certificate.get("steps")
        if not (isinstance(steps, list) and steps):
            raise Rejected("an argument without steps")
        found = [check(step) for step in steps]
        if not all(one.grade in PROOFS and one.inhabited and not one.vacuous for one in found):
            raise Rejected("a step that is itself argued, or that says nothing")
        decided, proved = (
            min(getattr(one, name) for one in found) for name in ("decided", "proved")
        )
        return Found(
            grade,
            decided,
            proved,
            sum(one.undecided for one in found),
            sum(one.boxes for one in found),
        )
    if grade not in PROOFS:
        raise Rejected(f"a certificate of grade {grade!r}")
    identity = grade == "identity"
    statement = load(certificate)
    if certificate.get("kind") == "equality" and not identity or identity and statement.strict:
        raise Rejected(f"a statement of kind {certificate.get('kind')!r} is not proved by {grade}")
    try:
        found = statement.tree(certificate.get("tree"), identity)
    except KeyError as error:
        raise Rejected("its twins and signs are made of each other") from error
    point = certificate.get("point")
    if point is not None and not (
        isinstance(point, list) and len(point) == len(statement.axes) and all(map(number, point))
    ):
        raise Unusable(f"the point {point!r} is none of its axes")
    if identity and not statement.vanishes(statement.margin):
        raise Rejected("SymPy does not reduce the margin to zero")
    return Found(grade, *found, point is not None and statement.holds_point(point))


def number(value):
    """Whether it is a finite number."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def place(value, below):
    """The place of an operation, if it is one."""
    if type(value) is not int or not 0 <= value < below:
        raise Unusable(f"{value!r} is the place of no earlier operation")
    return value


def _one_of(*allowed):
    return lambda value: any(type(value) is type(one) and value == one for one in allowed)


def _fraction(value):
    return (
        isinstance(value, str)
        and re.fullmatch(r"-?[0-9]{1,2000}(/[1-9][0-9]{0,2000})?", value) is not None
    )


OWN = {  # what an operation holds beside the places of others, in order
    "axis": [lambda value: isinstance(value, str)], "number": [_fraction], "lambertw": [_one_of(0, -1)],
    "power": [lambda value: type(value) is int and 0 <= value <= 1000], "fold": [_one_of(0, 1)],
    "plane": [_one_of(0, 1), _one_of(1, -1), _one_of(*LOSSES)],
}  # fmt: skip


def _operation(operation, earlier, names):
    """The operation as a tuple, if it is one."""
    if (
        isinstance(operation, list)
        and operation
        and isinstance(operation[0], str)
        and operation[0] in TAKES
    ):
        tests, given = OWN.get(operation[0], []), arguments(operation)
        own = [
            value
            for i, value in enumerate(operation[1:])
            if not (first(operation) <= i + 1 < first(operation) + len(given))
        ]
        full = len(given) == TAKES[operation[0]] and len(own) == len(tests)
        if full and all(test(value) for test, value in zip(tests, own, strict=True)):
            if all(type(i) is int and 0 <= i < earlier for i in given) and (
                operation[0] != "axis" or own[0] in names
            ):
                return tuple(operation)
    raise Unusable(f"operation {earlier} is none: {str(operation)[:80]}")


def _axis(axis):
    if (
        isinstance(axis, list)
        and len(axis) == 4
        and isinstance(axis[0], str)
        and all(map(number, axis[1:3]))
    ):
        _, low, high, scale = axis
        whole = scale != "integer" or (low == round(low) and high == round(high))
        if (
            scale in ("linear", "log", "integer")
            and low <= high
            and whole
            and (scale != "log" or low > 0)
        ):
            return axis
    raise Unusable(f"{str(axis)[:80]} is no axis")


def load(certificate):
    """The statement that a certificate speaks of. Raises: Unusable."""
    axes, formula, strict = (
        certificate.get("axes"),
        certificate.get("formula"),
        certificate.get("strict"),
    )
    if not (
        isinstance(axes, list)
        and 0 < len(axes) <= len(AXES)
        and isinstance(formula, dict)
        and isinstance(strict, bool)
    ):
        raise Unusable("it holds no axes, no formula, or not whether it is strict")
    names = [_axis(axis)[0] for axis in axes]
    operations, sides = formula.get("operations"), formula.get("sides")
    if (
        len(set(names)) != len(names)
        or not isinstance(operations, list)
        or not isinstance(sides, list)
    ):
        raise Unusable("it has two axes of one name, or no list of operations or side conditions")
    if formula.get("exclusion") is not None:
        raise Unusable(
            "its statement has a bound for all inner values, of which this checker knows nothing"
        )
    more, pairs = (
        certificate.get("more", []),
        [certificate.get("twins", []), certificate.get("signs", [])],
    )
    if not isinstance(more, list) or not all(isinstance(part, list) for part in pairs):
        raise Unusable("it has more operations, twins or signs that are no lists")
    claimed = len(operations)
    operations = [
        _operation(operation, i, names) for i, operation in enumerate([*operations, *more])
    ]
    sides, margin = [place(side, claimed) for side in sides], place(formula.get("margin"), claimed)
    if not all(isinstance(pair, list) and len(pair) == 2 for part in pairs for pair in part):
        raise Unusable("its twins or signs are no pairs of places")
    twins, signs = (
        [tuple(place(i, len(operations)) for i in pair) for pair in part] for part in pairs
    )
    statement = Statement(axes, operations, sides, margin, strict, twins, signs)
    for one, two in (*twins, *signs):
        if one in statement.order((two,), twins=False):
            raise Rejected(
                f"the expression {two} is made of {one}, of which it is said to be another form"
            )
    if not all(statement.vanishes(*pair) for pair in twins) or not all(
        statement.same_sign(*pair) for pair in signs
    ):
        raise Rejected("it is not seen that its twins are equal and its signs the same")
    return statement


def _nonsense(token):
    raise Unusable(f"{token} is no number of a certificate")


def read(path):
    """What a file holds. Raises: Unusable."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file, parse_constant=_nonsense)
    except (OSError, ValueError, RecursionError) as error:
        raise Unusable(
            f"it is not readable JSON: {str(error)[:200] or type(error).__name__}"
        ) from error
    if not isinstance(found, dict):
        raise Unusable("it is no certificate")
    return found


def main(paths):
    """Prints a line or more for each file, and returns the exit status."""
    worst = 0 if paths else 2
    for path in paths or ():
        try:
            certificate = read(path)
            found = check(certificate)
        except (Rejected, Unusable, RecursionError) as error:
            kind = "rejected" if isinstance(error, Rejected) else "unusable"
            print(f"{path}: {kind}: {str(error)[:500] or type(error).__name__}")
            worst = max(worst, 1 if kind == "rejected" else 2)
            continue
        print(f"{certificate.get('claim')}: {certificate.get('statement')}")
        for name, low, high, scale in certificate.get("axes") or ():
            print(f"    {name} in [{low}, {high}], {scale}")
        print(f"    {describe(found, certificate)}")
        worst = max(worst, 0 if found.proves else 1)
    return worst


def describe(found, certificate):
    """What was verified, in words."""
    count = f"{found.boxes} boxes" if found.boxes != 1 else "1 box"
    if found.undecided:
        return f"not proved: {found.undecided} of {count} undecided"
    if found.vacuous:
        return f"not proved: its side conditions exclude all of it ({count})"
    if found.grade == "argued":
        words = f"{len(certificate['steps'])} steps verified ({count}), but only words say that the statement follows:"
        return f"argued: {words} {certificate.get('proof_words')}"
    if found.grade == "identity":
        return (
            f"proved (identity): SymPy reduces the margin to 0, and {count} show that it is defined"
        )
    return f"proved (boxes): {count} cover the axes, {float(found.proved):.2%} by the margin, the rest by a side condition"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
