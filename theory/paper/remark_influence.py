r"""Remarks on influence: its leading direction and the inputs' principal component, and the open question of App. A.

Ridge logistic regression, loss (1/n) sum ln(1 + e^{-y theta.x}) + lam/2 |theta|^2. As |theta| -> 0, grad l = -(y/2) x and
H = X^T X/(4n) + lam, so that I = (1/4) Y M Y with M = X H^{-1} X^T = G (G/(4n) + lam)^{-1}, G = X X^T and Y the labels. M has the
eigenvectors of G; those of I carry the labels' signs. Two samples give the counterexample, and there all is explicit: for two
symmetric 2x2 matrices with delta = a - d and off-diagonal c, the leading eigenvectors enclose an angle with
sin^2 = (1 - (delta delta' + 4 c c')/(D D'))/2, D^2 = delta^2 + 4 c^2.
"""

from __future__ import annotations

import math

from ascentfail.claims.claim import Axis, Cases, Claim, Domain, Kind, Point, by_cases
from ascentfail.claims.registry import register
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.proof_steps import steps

Symmetric = tuple[Scalar, Scalar, Scalar]  # (a, c, d) of [[a, c], [c, d]]


def gram(p: Point) -> Symmetric:
    """The matrix of x.x' for two samples of given lengths and cosine."""
    return p.length1**2, p.length1 * p.length2 * p.cosine, p.length2**2


def unlabelled_influence(g: Symmetric, ridge: Scalar, n: int = 2) -> Symmetric:
    """M = G (G/(4n) + lam)^{-1} for two of n = 2 samples, by Cramer's rule."""
    a, c, d = g
    b11, b12, b22 = a / (4 * n) + ridge, c / (4 * n), d / (4 * n) + ridge
    determinant = b11 * b22 - b12 * b12
    return (
        (a * b22 - c * b12) / determinant,
        (c * b11 - a * b12) / determinant,
        (d * b11 - c * b12) / determinant,
    )


def influence(p: Point) -> Symmetric:
    """I(z, z') = grad l(z) H^{-1} grad l(z') of two samples as |theta| -> 0, labels 2 label - 1."""
    y1, y2 = 2 * p.label1 - 1, 2 * p.label2 - 1
    m11, m12, m22 = unlabelled_influence(gram(p), p.ridge)
    return y1 * y1 * m11 / 4, y1 * y2 * m12 / 4, y2 * y2 * m22 / 4


def leading_angle(first: Symmetric, second: Symmetric, xp: Arithmetic) -> Scalar:
    """sin^2 of the angle between the leading eigenvectors."""
    (a, c, d), (e, f, g) = first, second
    size = xp.sqrt(((a - d) ** 2 + 4 * c * c) * ((e - g) ** 2 + 4 * f * f))
    return (1 - ((a - d) * (e - g) + 4 * c * f) / size) / 2


def _labels_put_back(p: Point, xp: Arithmetic) -> Scalar:
    a, c, d = influence(p)
    y1, y2 = 2 * p.label1 - 1, 2 * p.label2 - 1  # Y v leads Y I Y where v leads I
    return leading_angle((y1 * y1 * a, y1 * y2 * c, y2 * y2 * d), gram(p), xp)


def _simple(p: Point, xp: Arithmetic) -> tuple[Scalar, ...]:
    """The leading eigenvalue is simple: D^2 of the Gram matrix is at least 1e-4."""
    a, c, d = gram(p)
    return ((a - d) ** 2 + 4 * c * c - xp.number(1) / 10**4,)


def _share(eigenvalue: Scalar, p: Point) -> Scalar:
    return eigenvalue / (eigenvalue / (4 * p.n) + p.ridge)


_PAIR = Domain(
    (
        Axis("length1", 0.1, 3.0),
        Axis("length2", 0.1, 3.0),
        Axis("cosine", -1.0, 1.0),
        Axis("label1", 0, 1, "integer"),
        Axis("label2", 0, 1, "integer"),
        Axis("ridge", 1e-4, 10.0, "log"),
    ),
    where=_simple,
    words="two samples with lengths in [0.1, 3] and cosine in [-1, 1], labels 2 label - 1, ridge in [1e-4, 10], leading "
    "eigenvalue of the Gram matrix simple",
)
_COMMUTE = (
    steps.identity(
        "influence-commutes",
        "for two samples M = G (G/8 + lam)^{-1} has c and delta in the ratio that G has",
        {
            "length1": (0.1, 3.0),
            "length2": (0.1, 3.0),
            "cosine": (-1.0, 1.0),
            "ridge": (1e-4, 10.0),
        },
        lambda p, xp: _parallel(unlabelled_influence(gram(p), p.ridge), gram(p)),
    ),
    steps.identity(
        "influence-increases",
        "f(g) = g/(g/(4n) + lam) has f(g+d) - f(g) = lam d/((g/(4n) + lam)((g+d)/(4n) + lam)) >= 0",
        {"g": (0.0, 1e3), "d": (0.0, 1e3), "n": (1.0, 1e6), "ridge": (1e-4, 10.0)},
        lambda p, xp: (
            _share(p.g + p.d, p)
            - _share(p.g, p)
            - p.ridge * p.d / ((p.g / (4 * p.n) + p.ridge) * ((p.g + p.d) / (4 * p.n) + p.ridge))
        ),
    ),
)


def _parallel(first: Symmetric, second: Symmetric) -> Scalar:
    return (first[0] - first[2]) * second[1] - (second[0] - second[2]) * first[1]


register(
    Claim(
        id="influence-pc",
        statement="Ridge logistic regression, labels kept apart: as |theta| -> 0 the leading eigenvector of the influence matrix "
        "tends to that of x.x' (|cosine| -> 1), for every data set.",
        source="remark on influence and principal components",
        kind=Kind.EQUALITY,
        domain=_PAIR,
        margin=lambda p, xp: leading_angle(influence(p), gram(p), xp),
        note="The margin is sin^2 of the angle in the limit; the matrices are continuous in "
        "theta, and so is a simple eigenvector.",
        repaired=Claim(
            id="influence-pc.repaired",
            statement="It tends to the labels times the leading eigenvector of x.x', for "
            "every n and every data set whose leading "
            "eigenvalue is simple; so to that eigenvector itself where its non-zero entries have one label.",
            source="ours",
            kind=Kind.EQUALITY,
            domain=_PAIR,
            margin=_labels_put_back,
            proof=_COMMUTE,
            proof_words="Y I Y = M/4 since y^2 = 1; G v = g v gives M v = f(g) v with f "
            "increasing, so what leads G leads M, and Y v "
            "leads I",
            note="Sampled at two samples; the proof is for any number.",
        ),
    )
)

_UNMEASURED = Cases(
    (),
    lambda point, level: (math.nan, math.nan),
    lambda point, digits: math.nan,  # undecided, should a case be added alone
    unmeasured="no experiment has been run yet: it takes unlearned models over a range of dependent data sets",
)
register(
    Claim(
        id="cross-influence",
        statement="The spectral norm of the cross-influence matrix between F and R predicts how much descent-ascent degrades.",
        source="open question of App. A",
        kind=Kind.ORDERING,
        domain=_UNMEASURED.domain("no data set measured"),
        margin=by_cases,
        cases=_UNMEASURED,
    )
)
