"""Every public function, with a wrong thing for each argument in turn: a sentence that names the argument, never a raw error."""

import inspect
from fractions import Fraction

import jax
import numpy as np
import pytest

import ascentfail as af
from ascentfail import random_sets, stationary  # fmt: skip
from ascentfail.line import closed_form
from ascentfail.line import steps as steps_1d
from ascentfail.numerics import arithmetic, special
from ascentfail.numerics import logistic_root as logistic
from ascentfail.plane import bounds as plane_bounds
from ascentfail.plane import equations as plane_equations
from ascentfail.problems import losses
from ascentfail.problems import paper as problems
from ascentfail.toy import landscape
from ascentfail.toy import network as toy

AXIS = af.SemiOrthogonal(40.0, 8.0, 100.0, 40.0, 1e-1)
PLANE = af.CrossCorrelated(0.5, 40.0, 8.0, 100.0, 40.0, 1e-1)
TOY = af.ToyLandscape()
KEY = jax.random.key(0)
# what each argument is given rightly, by name; the functions of one coordinate and of the plane need their own problem
GOOD = {
    "which": "original", "loss": "exponential", "sign": 1, "ridges": 2, "branch": 0, "order": "retain-first",
    "xp": arithmetic.JAX, "t": TOY, "theta": (0.5, 0.1), "box": ((-1.0, 1.0), (-1.0, 1.0)), "certified": False,
    "key": KEY, "steps": 3, "points": [[0.5, 0.1]], "step_sizes": [0.01], "index": 3, "values": [4.0], "most": 4,
    "tolerance": 1e-6, "labels": [True, False, True], "retained": [0, 1], "size": 1, "draws": 4, "rule": random_sets.table,
    "deviation": Fraction(1, 10), "confidence": 0.9, "weights": 0.5, "problem": AXIS, "hits": 1.0,
}  # fmt: skip
OWN = {
    landscape.basins: {"a": [0.5], "b": [0.1]}, random_sets.simulated_hits: {"right": np.array([True, False]), "deviation": 0.1},
    random_sets.clopper_pearson: {"draws": 4.0}, toy.error: {"p": toy.terms(TOY, "original"), "i": 1},
    toy.expansion: {"p": toy.terms(TOY, "original")},
    random_sets.hypergeometric: {"k": 1.0, "n": 2.0, "right": 3.0, "total": 6.0},
    random_sets.hypergeometric_tail: {"j": 1.0, "n": 2.0, "right": 3.0, "total": 6.0},
}  # fmt: skip
OTHERS = {"descent_ascent", "gradient_flow", "enable_x64"}
WRONG = {
    "None": None, "text": "text", "complex": 3j, "strings": ["a", "b"], "object": object(), "dict": {},
    "ragged": [[0.5], [0.5, 1.0]], "complex array": np.array([3j, 2j]), "bytes": b"3", "key": KEY,
}  # fmt: skip


MODULES = (
    closed_form, landscape, logistic, losses, plane_bounds, plane_equations, problems, random_sets, special, stationary, steps_1d,
    toy,
)  # fmt: skip
# parts of the public functions, which get what those have checked; `flatness` gives back what it is given
PARTS = {
    "paper": {"shape_of"}, "network": {"reach", "leanings", "two"},
    "special": {"log_lambertw_exp_start", "lambertw_exp_and_log"}, "equations": {"flatness"},
    "logistic_root": {"pull_mpmath", "logisticw_mpmath", "logisticw_ball", "pull_and_log"},
}  # fmt: skip


def public(module):
    """The functions that a module defines, or that it gives out as the door of others."""
    short = module.__name__.rsplit(".", 1)[-1]
    values = [
        getattr(module, name)
        for name in getattr(module, "__all__", vars(module))
        if not name.startswith("_")
    ]
    own = [
        v
        for v in values
        if inspect.isfunction(v) and (v.__module__ == module.__name__ or module is landscape)
    ]
    return {v for v in own if v.__name__ not in PARTS.get(short, ())}


def functions():
    found = {getattr(af, name) for name in af.__all__ if name not in OTHERS}
    found = {f for f in found if inspect.isfunction(f)}.union(*map(public, MODULES))
    return sorted(found, key=lambda f: (f.__module__, f.__name__))


def good(function):
    plane = function.__module__.rsplit(".", 1)[-1] in ("equations", "bounds", "stationary")
    values = (
        GOOD
        | {"p": PLANE if plane else AXIS, "problem": PLANE if plane else AXIS}
        | OWN.get(function, {})
    )
    if function.__module__ == "ascentfail.random_sets":
        values = {"p": 0.3} | {k: v for k, v in values.items() if k != "p"}
    names = inspect.signature(function).parameters
    return {name: values.get(name, 0.5) for name in names}


@pytest.mark.parametrize(
    "function", functions(), ids=lambda f: f"{f.__module__.rsplit('.', 1)[-1]}.{f.__name__}"
)
def test_a_wrong_thing_is_named(function):
    right = good(function)
    function(**right)
    for name in right:
        default = inspect.signature(function).parameters[name].default
        for label, wrong in WRONG.items():
            if wrong is default or (name == "key" and label == "key"):
                continue
            if function in (random_sets.table, random_sets.nearest_on_circle) and label in (
                "strings",
                "ragged",
                "complex array",
            ):
                continue  # they hand labels on, whatever these are
            try:
                function(**{**right, name: wrong})
            except ValueError as error:
                assert name in str(error), (name, label, str(error))
            except TypeError as error:
                assert function is logistic.logisticw and name in str(error), (
                    name,
                    label,
                    str(error),
                )
            else:
                # what a pure formula computes of a complex number is a complex number, and says so
                assert label.startswith("complex") or name == "certified", (name, label)
