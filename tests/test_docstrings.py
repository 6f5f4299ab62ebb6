"""Every public name says in its docstring what it is: formula, shapes, ranges, errors, source. The grammar: see `faults`."""

import ast
import dataclasses
import enum
import functools
import inspect
import re
import sys
import textwrap
import types

import pytest

import ascentfail as af
from ascentfail import figures, theory
from ascentfail.figures.drawing import style

NUMBER = ("int", "float")
NUMBERS = (
    "Any",
    "Scalar",
    "Real",
    "Array",
    "ArrayLike",
    "ndarray",
)  # annotations that may hold arrays
RANGE = re.compile(
    r"[<>]=?|\bin [\[(]|\b(any|finite|positive|fraction)\b|\d to |\d or |\bwhole\b|[+-]1\b|\bmask\b|boolean"
)
SHAPE = re.compile(
    r"\bscalar|(?<!in )\((\.\.\.|[\w .+*-]*,[\w +*,.-]*)\)|\bshape|\barray|\bnumber of", re.I
)
OBJECT = re.compile(
    r"\b([A-Z][a-z]+[A-Z]\w+|pytree|plain data|typed key|function|Losses|Point|Objective|Run|Terms)\b|`\w"
)
RELATION = re.compile(r"[=<>]|->|\binf\b")
PLACE = re.compile(
    r"\b(Sec\.|App\.|Fig\.|Figure|Lemma|Lemmas|Corollary|Assumption|Eq\.|Table) ?\(?[A-Z0-9]"
)
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")


def sections(text):
    """The parts of a docstring by heading; "" is the text outside them, source lines included."""
    parts, name = {"": []}, ""
    for line in inspect.cleandoc(text).splitlines():
        heading = re.fullmatch(rf"({'|'.join(SECTIONS)}):", line)
        name = heading[1] if heading else "" if line and not line.startswith(" ") else name
        parts.setdefault(name, []).extend([] if heading else [line])
    return {key: "\n".join(lines) for key, lines in parts.items()}


def entries(section):
    """The text of each argument of a section; "a, b: text" speaks of both."""
    found = {}
    for item in re.split(r"\n(?=\S)", textwrap.dedent(section).strip()):
        names, _, words = item.partition(":")
        found |= {name.strip().lstrip("*"): words.strip() for name in names.split(",")}
    return found


def holds(annotation, names):
    """Whether one of the types that an annotation's text is built from has one of these names."""
    return any(
        word in names
        for word in re.findall(r"\w+", re.sub(r"Callable\[.*\]|Literal\[.*?\]", "", annotation))
    )


def text_of(annotation):
    """An annotation as it stands in the source."""
    if annotation is inspect.Parameter.empty:
        return "Any"
    if isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__forward_arg__", None) or getattr(
        annotation, "__name__", str(annotation)
    )


def entry_faults(name, annotation, words):
    """What the text of one argument or field leaves out."""
    if not words:
        return [f"{name}: says nothing"]
    annotation = text_of(annotation)
    choices = re.search(r"Literal\[(.*?)\]", annotation)
    if choices:
        missing = [
            c
            for c in ast.literal_eval(f"[{choices[1]}]")
            if repr(c) not in words and f'"{c}"' not in words
        ]
        return [f"{name}: does not name the choice {c!r}" for c in missing]
    plain, arrays = holds(annotation, NUMBER), holds(annotation, NUMBERS)
    if OBJECT.search(words) or not (plain or arrays):
        return []
    faults = [] if RANGE.search(words) else [f"{name}: no range in {words!r}"]
    return faults + (
        [f"{name}: no shape in {words!r}"] if arrays and not SHAPE.search(words) else []
    )


def list_faults(section, expected):
    """Faults of a section that must speak of these names, with these annotations."""
    found = entries(section) if section else {}
    if list(found) != list(expected):
        return [f"speaks of {list(found)}, the signature of {list(expected)}"]
    return [
        fault for name, kind in expected.items() for fault in entry_faults(name, kind, found[name])
    ]


def function_faults(function, text, around):
    """Faults of a function's or method's docstring, the source line aside; `around` is what its class and module say."""
    parts, signature = sections(text), inspect.signature(function)
    names = {n: p.annotation for n, p in signature.parameters.items() if n not in ("self", "cls")}
    result = text_of(signature.return_annotation)
    faults = list_faults(parts.get("Args", ""), names)
    said = parts[""] + parts.get("Returns", "")
    if not names:
        return faults
    if result != "None" and "Returns" not in parts:
        faults.append("no Returns:")
    if (
        "Raises" not in parts
        and not re.search(r"[Nn]ever raises|NaN", said)
        and "never raises" not in around
    ):
        faults.append('neither Raises: nor "never raises" nor NaN')
    if holds(result, (*NUMBERS, "float")) and "dict[" not in result and not RELATION.search(said):
        faults.append("returns numbers without a formula")
    return faults


def class_faults(cls, text):
    """Faults of a class's docstring, the source line aside."""
    parts = sections(text)
    if issubclass(cls, enum.Enum):
        return [
            f"does not name {member.name}"
            for member in cls
            if not re.search(rf"\b{member.name}\b", text)
        ]
    if dataclasses.is_dataclass(cls):
        fields = {f.name: f.type for f in dataclasses.fields(cls)}
    elif hasattr(cls, "_fields"):
        fields = dict(cls.__annotations__)
    else:
        fields = {n: p.annotation for n, p in inspect.signature(cls).parameters.items()}
    faults = list_faults(parts.get("Args") or parts.get("Attributes", ""), fields)
    return faults + (
        ["checks its fields without Raises:"]
        if hasattr(cls, "__post_init__") and "Raises" not in parts
        else []
    )


def faults(thing, owner=None):
    """Everything that the docstring of an object leaves out; `owner` is the class of a member.

    The grammar, which the kind of the object alone decides:

        every object         a first line that is a sentence; a line that begins "Paper:" names a place in it
        function, method     Args: naming the signature's arguments in order; Returns: unless it returns None; Raises:, or
                             the words "never raises" or "NaN"; a relation where it returns numbers
        ... of no arguments  a first line that says what is returned: nothing can be out of range
        class with fields    Args: or Attributes: naming the fields in order; Raises: where construction checks them
        enum                 its members by name: a list of cases is its own formula
        property             a first line, with a relation where it is a number
        argument, field      of int or float: its range. Of numbers in any other type: range and shape. Of Literal: its choices.
                             What is no number (a problem, a pytree, a key, a function) says so by its class or by that word.

    What a class or a module says of its source and of never raising, it says for its members.
    """
    inner = getattr(thing, "__func__", thing)
    text = inspect.cleandoc(inner.__doc__ or "")
    homes = [owner, sys.modules[(owner or inner).__module__]]
    around = "\n".join(inspect.cleandoc(home.__doc__ or "") for home in homes if home)
    if not re.match(r"[^\n]+[.:](\n\n|$)|[^\n]+\n[^\n]+\.(\n\n|$)", text):
        return ["the first line is no sentence followed by an empty line"]
    if isinstance(thing, property):
        numbers = holds(
            text_of(inspect.signature(thing.fget).return_annotation), (*NUMBERS, "float")
        )
        found = ["a number without a formula"] if numbers and not RELATION.search(text) else []
    else:
        found = (
            class_faults(inner, text)
            if isinstance(inner, type)
            else function_faults(inner, text, around)
        )
    places = re.findall(r"^Paper:(.*)", text, re.M)
    return found + [
        f"no place in the paper: {place!r}" for place in places if not PLACE.search(place)
    ]


def own(module):
    """The public functions and classes of a module: its list, or what it defines without an underscore."""
    defined = [
        n
        for n, thing in vars(module).items()
        if getattr(thing, "__module__", "") == module.__name__
    ]
    names = getattr(module, "__all__", defined)
    return {f"{module.__name__}.{n}": getattr(module, n) for n in names if not n.startswith("_")}


@functools.cache
def public():
    """Every public name with its object, and its class if it is a member: of the package, the theory, the figures."""
    found = {}
    for home in (af, theory, figures, style):
        for name, thing in own(home).items():
            found |= own(thing) if isinstance(thing, types.ModuleType) else {name: thing}
    for module in figures.figures().values():
        found |= {f"{module.__name__}.{n}": getattr(module, n) for n in ("data", "draw")}
    once = {
        id(thing): (name, thing, None) for name, thing in reversed(found.items()) if callable(thing)
    }
    for name, thing, _ in list(once.values()):
        for base in thing.__mro__ if isinstance(thing, type) else ():
            for n, member in vars(base).items() if base.__module__.startswith("ascentfail") else ():
                own_member = not n.startswith("_") and n not in getattr(
                    thing, "__dataclass_fields__", ()
                )
                if own_member and isinstance(member, types.FunctionType | property | classmethod):
                    once.setdefault(id(member), (f"{name}.{n}", member, thing))
    return {name: rest for name, *rest in sorted(once.values(), key=lambda entry: entry[0])}


@pytest.mark.parametrize("name", list(public()))
def test_public_docstring(name):
    assert faults(*public()[name]) == []


def test_public_names_are_all_there():
    """The collection itself: what a user of the README calls is among the names looked at."""
    dotted = (
        "descent_ascent",
        "ToyLandscape",
        "SemiOrthogonal.from_ratios",
        "plane.equations.fold_equation",
        "toy.landscape.fine_tune",
        "toy.landscape.StationaryPoints.pick",
        "theory.Claim",
        "theory.Verdict.to_json",
        "figures.make",
        "figures.paper.fig04_window.data",
    )
    assert {f"ascentfail.{name}" for name in dotted} <= set(public())
    found = [thing for thing, _ in public().values()]
    assert all(thing in found for thing in (af.lambertw, af.loss, theory.check, style.save))


# --- the checker finds what it looks for -------------------------------------------------------------------------------------


def whole(b: "Scalar", steps: int, mode: "Literal['up', 'down']", start: "Any" = None) -> "Scalar":  # noqa: F821
    """The weight after some steps, w = b - steps.

    Args:
        b: strength > 0, scalar.
        steps: how many, >= 0.
        mode: "up" or "down".
        start: a pytree of weights.

    Returns:
        The weight.

    Raises:
        ValueError: another mode.

    Paper: Lemma 3.
    """
    return b - steps


class Step(enum.IntEnum):
    """Where to: UP or DOWN."""

    UP = 1
    DOWN = 2


@dataclasses.dataclass(frozen=True)
class Size:
    """A size and its square.

    Args:
        size: any real number.
        square: (n,) squares >= 0.

    Raises:
        ValueError: they do not agree.

    """

    size: float
    square: "jax.Array"  # noqa: F821

    def __post_init__(self):
        pass

    @property
    def double(self) -> float:
        """Twice it, 2 size = size + size."""
        return 2 * self.size


DEFECTS = [
    (
        whole,
        "The weight after some steps, w = b - steps.\n",
        "the weight\n    of it\n",
        "the first line",
    ),
    (whole, "w = b - steps", "less so many", "without a formula"),
    (whole, "        steps: how many, >= 0.\n", "", "the signature of"),
    (
        whole,
        "        b: strength > 0, scalar.\n        steps:",
        "        steps: how many, >= 0.\n        b:",
        "the signature of",
    ),
    (whole, "steps: how many, >= 0.", "steps: how many.", "steps: no range"),
    (whole, "b: strength > 0, scalar.", "b: strength > 0.", "b: no shape"),
    (whole, "b: strength > 0, scalar.", "b: strength, scalar.", "b: no range"),
    (whole, '"up" or "down"', '"up" or not', "'down'"),
    (whole, "a pytree of weights", "the weights", "start: no range"),
    (whole, "start: a pytree of weights.", "start:", "start: says nothing"),
    (whole, "    Returns:\n        The weight.\n", "", "no Returns:"),
    (whole, "    Raises:\n        ValueError: another mode.\n", "", "neither Raises:"),
    (whole, "Paper: Lemma 3.", "Paper: somewhere.", "no place"),
    (Step, " or DOWN", "", "does not name DOWN"),
    (Size, "    Raises:\n        ValueError: they do not agree.\n", "", "without Raises:"),
    (Size, "        square: (n,) squares >= 0.\n", "", "the signature of"),
    (Size, "(n,) squares >= 0", "squares >= 0", "square: no shape"),
    (Size.double, ", 2 size = size + size", "", "a number without a formula"),
]


@pytest.mark.parametrize(("thing", "old", "new", "fault"), DEFECTS)
def test_a_defect_is_found(monkeypatch, thing, old, new, fault):
    owner = Size if isinstance(thing, property) else None
    assert faults(thing, owner) == []
    # Python 3.13 takes the indentation out of docstrings itself
    text, old, new = (
        f"{inspect.cleandoc(thing.__doc__)}\n",
        *(re.sub(r"(?m)^ {4}", "", part) for part in (old, new)),
    )
    assert old in text
    if isinstance(thing, property):
        thing = property(thing.fget, doc=text.replace(old, new))
    else:
        monkeypatch.setattr(thing, "__doc__", text.replace(old, new))
    assert any(fault in found for found in faults(thing, owner)), faults(thing, owner)
