r"""ascentfail: the theory of "Ascent Fails to Forget" (NeurIPS 2025, arXiv 2509.26427) as executable statements.

Notation. The training set D is the retain set R plus the forget set F. The three models are the *original* (trained
on D), the
*oracle* (trained on R) and the *unlearned* one (here: descent on R and ascent on F from the original).

    ==========  ==================  ====================================================================
    symbol      name in the code    meaning
    ==========  ==================  ====================================================================
    lam         ridge               weight of the ridge term, ridge/2 |w|^2
    phi         phi                 |F| / |R|
    alpha       alpha               |F_j| / |R_j|, forget over retain samples in one group (axis or plane)
    b           b                   |R_j| / (ridge |R|), the pull of the group's retain samples
    alpha b     forget_b            |F_j| / (ridge |R|), the pull of the group's forget samples
    eps         epsilon             correlation strength: retain sample (1, eps), forget sample (eps, 1)
    q           q                   2 eps / (1 + eps^2)
    beta        beta                b (1 + eps^2);  beta_D = beta / (1 + phi)
    x, y        margins             w_1 + eps w_2 and eps w_1 + w_2, margins of a retain and a forget sample
    s_1, s_2    pulls               (1 + eps^2) w = s_1 (1, eps) + s_2 (eps, 1):  x = s_1 + q s_2, y = q s_1 + s_2
    W           lambertw            Lambert W, branch 0 or -1
    eta         step_size           step of an iteration
    ==========  ==================  ====================================================================

Functions are written for one sample or one problem; batching is the caller's `jax.vmap`. Importing this package does
not
import JAX: names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ascentfail import dynamics, problems, stationary
    from ascentfail.core.precision import enable_x64
    from ascentfail.dynamics.ascent import descent_ascent
    from ascentfail.dynamics.flow import gradient_flow
    from ascentfail.dynamics.stopping import Run
    from ascentfail.line import closed_form
    from ascentfail.numerics import arithmetic, special
    from ascentfail.numerics.special import lambertw, lambertw_exp
    from ascentfail.plane import bounds as plane_bounds
    from ascentfail.plane import equations as plane_equations
    from ascentfail.plane.stationary_points import StationaryKind, StationaryPoint
    from ascentfail.problems.losses import loss, samples
    from ascentfail.problems.own import Losses
    from ascentfail.problems.paper import CrossCorrelated, SemiOrthogonal
    from ascentfail.stationary import stationary_point
    from ascentfail.toy import landscape
    from ascentfail.toy.network import ToyLandscape

__version__ = "0.2.0"

_HOME = {
    "CrossCorrelated": "problems.paper",
    "Losses": "problems.own",
    "Run": "dynamics.stopping",
    "SemiOrthogonal": "problems.paper",
    "StationaryKind": "stationary",
    "StationaryPoint": "stationary",
    "ToyLandscape": "toy.network",
    "descent_ascent": "dynamics.ascent",
    "enable_x64": "core.precision",
    "gradient_flow": "dynamics.flow",
    "lambertw": "numerics.special",
    "lambertw_exp": "numerics.special",
    "loss": "problems.losses",
    "samples": "problems.losses",
    "stationary_point": "stationary",
}  # where each public name is
_MODULES = {
    "arithmetic": "numerics.arithmetic",
    "closed_form": "line.closed_form",
    "dynamics": "dynamics",
    "landscape": "toy.landscape",
    "plane_bounds": "plane.bounds",
    "plane_equations": "plane.equations",
    "problems": "problems",
    "special": "numerics.special",
    "stationary": "stationary",
}  # modules whose names are public, and where each is

__all__ = [
    "CrossCorrelated",
    "Losses",
    "Run",
    "SemiOrthogonal",
    "StationaryKind",
    "StationaryPoint",
    "ToyLandscape",
    "arithmetic",
    "closed_form",
    "descent_ascent",
    "dynamics",
    "enable_x64",
    "gradient_flow",
    "lambertw",
    "lambertw_exp",
    "landscape",
    "loss",
    "plane_bounds",
    "plane_equations",
    "problems",
    "samples",
    "special",
    "stationary",
    "stationary_point",
]


def __getattr__(name: str) -> Any:
    """Loads a public name on first use (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"ascentfail.{_MODULES[name]}")
    if name in _HOME:
        return getattr(importlib.import_module(f"ascentfail.{_HOME[name]}"), name)
    raise AttributeError(f"module 'ascentfail' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
