r"""Lemma 5's proof: does the flow of descent-ascent run to -infinity for every alpha > phi?

The velocity c_DA l(w) - w is looked at itself, at every w. Under the exponential loss min w e^w = -1/e decides; under the
logistic loss w (1 + e^w) increases on the whole line, and there is always an end.
"""

from __future__ import annotations

from ascentfail.claims.claim import Axis, Claim, Domain, Kind, Point
from ascentfail.claims.registry import register
from ascentfail.line import closed_form
from ascentfail.numerics.arithmetic import Arithmetic, Scalar
from ascentfail.theory.domains import PHI, B


def _escapes(p: Point, xp: Arithmetic) -> Scalar:
    """-(1 + e c_DA): positive where the exponential loss has no stationary point to stop the flow."""
    return -(1 + xp.exp(xp.number(1)) * closed_form.coefficient(p, "descent_ascent"))


def _falling(p: Point, xp: Arithmetic) -> Point:
    """Chart: the place z where the flow ends, c_DA = z e^z; for z < -1, c_DA runs on below -1/e, and nothing stops the flow."""
    end, past = xp.maximum(p.z, xp.number(-1)), xp.minimum(p.z, xp.number(-1))
    below = xp.exp(-1 - past) - 1  # 0 where there is an end
    depth = below - end * xp.exp(end)  # -c_DA
    phi, b = p.phi, depth / p.excess
    return Point(
        phi=phi, b=b, alpha=phi * (1 + p.excess), end=end, below=below, up=p.up, down=p.down
    )


def _fall(p: Point, xp: Arithmetic) -> Scalar:
    """-velocity = w - c_DA e^{-w}, less what c_DA is below -1/e times e^{-w}, at w = z + up and at w = -1 - down."""
    return xp.minimum(p.up + p.end * (1 - xp.exp(-p.up)), xp.exp(p.down) - 1 - p.down)


_PAST = Domain(
    (PHI, B, Axis("excess", 1e-3, 1e2, "log")),
    lambda p, xp: Point(phi=p.phi, b=p.b, alpha=p.phi * (1 + p.excess)),
    words="alpha > phi with alpha/phi - 1 in [1e-3, 100], phi in [0.01, 3], b in [0.01, 1e4]",
)

register(
    Claim(
        id="lemma-5.proof",
        statement="For every alpha > phi and lam > 0 the flow of L_DA from w_D goes to -infinity.",
        source="Lemma 5, proof",
        kind=Kind.ORDERING,
        domain=_PAST,
        margin=_escapes,
        strict=True,
        note="Where 1 + e c_DA >= 0 the flow from w_D > W_0(c_DA) decreases to that fixed point and stays.",
        repaired=Claim(
            id="lemma-5.proof.repaired",
            statement="It does exactly where alpha > phi (1 + 1/(e b)); up to there it ends at W_0(c_DA).",
            source="ours",
            kind=Kind.ORDERING,
            domain=Domain(
                (
                    PHI,
                    Axis("z", -15.0, 0.0),
                    Axis("excess", 1e-3, 1e2, "log"),
                    Axis("up", 0.0, 30.0),
                    Axis("down", 0.0, 1e6),
                ),
                _falling,
                lambda p, xp: (100 * p.b - 1, 10**4 - p.b),
                f"{_PAST.words}; at every w from W_0(c_DA), or -1e6, on",
            ),
            margin=_fall,
            note="The velocity is (c_DA - w e^w) e^{-w}. Where alpha is above the threshold the margin says that it is at most "
            "-(-c_DA - 1/e) e^{-w} < 0 at every w; up to there that it is <= 0 from W_0(c_DA) on, where it is 0. w_D is above.",
        ),
    )
)


def _ends(p: Point, xp: Arithmetic) -> Point:
    """Chart: c_DA of its solution -z, and w = `above` from -z (near = 0) over 0 (near = 1) to 25; away is (w + z)/z."""
    one = xp.number(1)
    inside, outside = xp.minimum(p.near, one), 25 * xp.maximum(p.near - 1, 0 * one)
    return Point(
        phi=p.phi,
        b=p.z * (1 + xp.exp(-p.z)) / p.excess,
        alpha=p.phi * (1 + p.excess),
        z=p.z,
        away=inside + outside / p.z,
        above=p.z * (inside - 1) + outside,
    )


def _both_sides(p: Point, xp: Arithmetic) -> Scalar:
    """In units of z: minus the velocity c_DA/(1 + e^w) - w at w = -z + away z, and the velocity at -z - away z."""
    part = 1 - xp.exp(-p.z * p.away)
    near = p.away - part * xp.sigmoid(p.above)  # nothing cancels next to -z
    falls = xp.maximum(
        near, p.away - 1 + (1 + xp.exp(-p.z)) * xp.sigmoid(-p.above)
    )  # the same, w - c_DA/(1 + e^w)
    return xp.minimum(falls, p.away - xp.exp(-p.z) * part * xp.sigmoid(p.z * (1 + p.away)))


register(
    Claim(
        id="beyond-8.lemma-5.proof",
        statement="With the logistic loss the flow of L_DA ends at a point: w = c_DA/(1 + e^w) has one solution for every alpha.",
        source="ours",
        kind=Kind.ORDERING,
        domain=Domain(
            (
                Axis("near", 0.0, 2.0),
                Axis("z", 4e-6, 1e6, "log"),
                PHI,
                Axis("excess", 1e-3, 1e2, "log"),
            ),
            _ends,
            words="alpha > phi with alpha/phi - 1 in [1e-3, 100], phi in [0.01, 3], -w_DA "
            "in [4e-6, 1e6], which covers b in [0.01, "
            "1e4]; at every w up to 25, and as far below w_DA",
        ),
        margin=_both_sides,
        note="Lemma 5's step needs the exponential loss, which falls without end; with the "
        "logistic loss L_DA is bounded below. The "
        "flow leads to the solution from both sides, so there is no other one.",
    )
)
