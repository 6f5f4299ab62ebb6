"""The report: every claim with its verdict, its evidence and a picture of where it holds, as one HTML page.

The page needs no network, no fonts and no scripts; it opens from disk, on a phone and on paper.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import ascentfail
from ascentfail.claims.claim import Claim
from ascentfail.claims.verdict import percent
from ascentfail.core.errors import invalid
from ascentfail.figures.report import pictures
from ascentfail.figures.report.pictures import short
from ascentfail.figures.report.summary import Entry, by_id, of_paper, proof_word, strength, summary

_SIGNS = {"holds": "✓", "fails": "✗", "open": "?", "vacuous": "∅"}
_PAPER = '<a href="https://arxiv.org/abs/2509.26427" rel="noreferrer">arXiv 2509.26427</a>'


def page(
    claims: Iterable[Claim],
    entries: Iterable[Entry],
    figures: Mapping[str, bytes] | None = None,
    versions: Mapping[str, str] | None = None,
    drawn: Mapping[str, str] | None = None,
    record: Iterable[Entry] = (),
) -> str:
    """One self-contained HTML document.

    Args:
        claims: the claims that the entries speak of, repaired statements inside.
        entries: verdicts as plain data, in the order to show.
        figures: PNG files by name; the name is the caption and the alternative text.
        versions: what computed the verdicts, for the last lines.
        drawn: what `drawings` said of the claims, by claim id; the others are drawn now, about a second each.
        record: verdicts recorded before; where they rest on stronger evidence and agree, the page says so.

    Returns:
        The text of the file, in UTF-8 as it says.

    Raises:
        ValueError: an entry of a claim that is not given, or a figure that is no PNG.
        PrecisionError: float64 is off.
        ClaimError: a claim's own functions raise or return the wrong shape.
    """
    known, entries, on_record = {claim.id: claim for claim in claims}, list(entries), by_id(record)
    for entry in entries:
        if entry["id"] not in known:
            raise invalid(
                "entries", entry["id"], f"verdicts on the claims given ({len(known)} of them)"
            )
    cards = [_card(known[entry["id"]], entry, drawn or {}, on_record) for entry in entries]
    body = [
        _head(entries, on_record),
        _overview(entries, on_record),
        _reading(),
        f'<h2 id="statements">The statements</h2>{"".join(cards)}',
        _figures(figures or {}),
        _foot(versions or {}),
    ]
    return f"{_START}{pictures.PATTERNS}<main>{''.join(body)}</main></body></html>\n"


# --- text -------------------------------------------------------------------------------------------------------------

_LETTERS = {**pictures.GREEK, "eps": "ε", "lam": "λ", "infinity": "∞"}
_LETTER = re.compile(rf"(?<![A-Za-z_])({'|'.join(_LETTERS)})(?![A-Za-z])")
_BELOW = re.compile(r"(?<![A-Za-z0-9_])(max|min|Acc|[A-Za-zα-ω])_(?:\{([^{}]*)\}|([A-Za-z0-9]+))")
_NAME = re.compile(r"`([^`]+)`")
_ABOVE = re.compile(r"\^(?:\{([^{}]*)\}|([0-9]+|[A-Za-zα-ω]))")
_SYMBOLS = (
    ("-&gt;", "→"),
    ("&lt;=", "≤"),
    ("&gt;=", "≥"),
    ("!=", "≠"),
    (" - ", " − "),
    (" in [", " ∈ ["),
    ("(-", "(−"),
)


def typeset(text: str) -> str:
    """Escaped HTML of a sentence with ASCII formulas: Greek letters, indices, exponents, relations; words stay."""
    shown = escape(text, quote=True)
    for ascii_form, symbol in _SYMBOLS:
        shown = shown.replace(ascii_form, symbol)
    shown = _NAME.sub(r"<code>\1</code>", shown)
    shown, before = _LETTER.sub(lambda found: _LETTERS[found[1]], shown), ""
    while shown != before:  # innermost braces first
        before = shown
        shown = _BELOW.sub(
            lambda found: f"{found[1]}<sub>{_minus(found[2] or found[3])}</sub>", shown
        )
        shown = _ABOVE.sub(lambda found: f"<sup>{_minus(found[1] or found[2])}</sup>", shown)
    return shown


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _formula(text: str, tag: str, kind: str) -> str:
    """An element with the text set, and as it stands in the source when pointed at."""
    return f'<{tag} class="{kind}" title="{escape(text, quote=True)}">{typeset(text)}</{tag}>'


def _badge(entry: Entry) -> str:
    status = escape(entry["status"], quote=True)
    sign = _SIGNS.get(entry["status"], "")
    return f'<span class="badge {status}"><span aria-hidden="true">{sign}</span> {status}</span>'


def _coordinates(claim: Claim, point: Mapping[str, float], exact: bool) -> str:
    """The coordinates of the box, exact or in four figures, and those that follow from them."""
    names = [axis.name for axis in (*claim.domain.axes, *claim.inner)]
    numbers = {
        name: repr(value).removesuffix(".0") if exact else short(value)
        for name, value in point.items()
    }
    given = [f"{name} = {numbers[name]}" for name in names if name in point]
    derived = [f"{name} = {short(value)}" for name, value in point.items() if name not in names]
    shown = ", ".join(f"<span>{typeset(text)}</span>" for text in given or derived)
    rest = (
        ", ".join(f"<span>{typeset(text)}</span>" for text in derived) if given and derived else ""
    )
    return f'<span class="point">{shown}{f" (so {rest})" if rest else ""}</span>'


# --- one claim --------------------------------------------------------------------------------------------------------


def _card(claim: Claim, entry: Entry, drawn: Mapping[str, str], record: Mapping[str, Entry]) -> str:
    key = escape(claim.id, quote=True)
    return (
        f'<article class="card" id="{key}"><header><h3><a href="#{key}">{key}</a></h3>{_badge(entry)}'
        f'<span class="strength">{escape(strength(entry, record))}</span></header>'
        f"{_statement(claim, entry, 'In the paper' if of_paper(entry) else 'Our statement', drawn)}"
        f'{_instead(claim, entry, drawn, record)}<p class="again">Re-run: <code>ascentfail explain {key}</code></p></article>'
    )


def _instead(
    claim: Claim, entry: Entry, drawn: Mapping[str, str], record: Mapping[str, Entry]
) -> str:
    repaired, verdict = claim.repaired, entry["repaired"]
    if repaired is None or not verdict:
        return ""
    key, label = (
        escape(repaired.id, quote=True),
        f"What {'holds' if verdict['status'] == 'holds' else 'may hold'} instead",
    )
    return (
        f'<section class="repaired" id="{key}"><header><h4><a href="#{key}">Repaired</a></h4>{_badge(verdict)}'
        f'<span class="strength">{escape(strength(verdict, record))}</span></header>'
        f"{_statement(repaired, verdict, label, drawn)}{_instead(repaired, verdict, drawn, record)}</section>"
    )


def _statement(claim: Claim, entry: Entry, label: str, drawn: Mapping[str, str]) -> str:
    facts = "".join(
        f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts_of(claim, entry) if text
    )
    source = (
        "" if claim.source == "ours" else f' <span class="source">{escape(claim.source)}</span>'
    )
    picture = drawn[claim.id] if claim.id in drawn else _drawing(claim, entry)
    return (
        f'<div class="body"><div class="text"><p class="label">{label}{source}</p>'
        f"{_formula(claim.statement, 'blockquote', 'statement')}<dl>{facts}</dl></div>"
        f"{picture}{proof_of(claim, entry)}</div>"
    )


def facts_of(claim: Claim, entry: Entry) -> list[tuple[str, str]]:
    """Names and HTML of what is to say about a verdict; empty texts are left out."""
    evidence, found = entry["evidence"], entry["counterexample"]
    facts = [("Domain", typeset(entry["domain"] or claim.domain.words))]
    if found:
        facts.append(("Refuted at", _coordinates(claim, found["point"], exact=True)))
        what = (
            "residual"
            if claim.kind == "equality"
            else "bound on the margin"
            if found.get("bound")
            else "margin"
        )
        margin = f"{what} {_minus(repr(found['margin']))}, confirmed to {found['digits']} digits"
        facts += [("There", margin), ("Why it counts", typeset(found.get("bound", "")))]
    elif evidence["worst_point"]:
        facts.append(_closest(claim, evidence["worst_margin"], evidence["worst_point"]))
    facts += [("Evidence", _evidence(claim, entry)), ("Note", typeset(claim.note))]
    return facts


def _closest(claim: Claim, margin: float | None, point: Mapping[str, float]) -> tuple[str, str]:
    at = _coordinates(claim, point, exact=False)
    if margin is None:
        return "Undefined at", at
    what = "largest residual" if claim.kind == "equality" else "smallest margin"
    return "Closest call", f"{what} {_minus(short(margin))} at {at}"


def _evidence(claim: Claim, entry: Entry) -> str:
    """Grade, amount and words of the evidence, without the proof that is shown below."""
    evidence = entry["evidence"]
    parts = [evidence["grade"]]
    if evidence["samples"]:
        parts.append(
            f"{evidence['samples']:,} {'boxes' if evidence['level'] == 'certified' else 'points evaluated'}"
        )
    if evidence["certified_fraction"] is not None:
        parts.append(
            f"the margin enclosed on {percent(evidence['certified_fraction'])} of the domain"
        )
    if evidence["undecided"]:
        parts.append(f"{evidence['undecided']:,} boxes undecided")
    if evidence["premises"]:
        parts.append(f"given {', '.join(evidence['premises'])}")
    words = evidence["words"].removesuffix(claim.proof_words).rstrip(": ")
    return escape(", ".join(parts)) + (f"; {typeset(words)}" if words else "")


def proof_of(claim: Claim, entry: Entry) -> str:
    """HTML of what an argument rests on: its words and the steps that were checked; empty for any other evidence."""
    if not (claim.proof or claim.proof_words):
        return ""
    argued = entry["status"] == "holds" and entry["evidence"]["grade"] == "argued"
    weak = entry["evidence"]["level"] in ("sampled", "searched")
    count = (
        f", {len(claim.proof)} step{'' if len(claim.proof) == 1 else 's'}" if claim.proof else ""
    )
    unchecked = ", not checked at this level of evidence" if weak else ""
    title = (
        f"Argument{count} that a machine checked; that they imply it is said in words"
        if argued
        else (f"How it would follow{count}{unchecked}")
    )
    steps = "".join(
        f"<li>{_formula(step.statement, 'span', 'math')} <small>{typeset(step.domain.words)}</small></li>"
        for step in claim.proof
    )
    return (
        f"<details><summary>{title}</summary><p>{typeset(claim.proof_words)}</p>"
        f"{f'<ol>{steps}</ol>' if steps else ''}</details>"
    )


def drawings(claim: Claim, entry: Entry) -> dict[str, str]:
    """HTML of the pictures of where a claim and its repaired statements hold, by claim id.

    Args:
        claim: the claim.
        entry: its verdict as plain data.

    Returns:
        One figure element for each; an empty text for a claim of listed cases, which has no plane to look at.

    Raises:
        PrecisionError: float64 is off.
        ClaimError: the claim's own functions raise or return the wrong shape.
    """
    repaired, verdict = claim.repaired, entry["repaired"]
    return {
        claim.id: _drawing(claim, entry),
        **(drawings(repaired, verdict) if repaired and verdict else {}),
    }


def _drawing(claim: Claim, entry: Entry) -> str:
    if claim.cases is not None:
        return ""  # a list of cases has no plane to look at
    plane = pictures.plane(claim, entry)
    shown = set(pictures.classes(plane).ravel().tolist())
    tints = [look for look in ("holds", "tight", "tighter") if look in shown]
    sizes = {"tight": "1/10", "tighter": "1/1000"}
    paler = ", ".join(sizes[look] for look in tints if look in sizes)
    rows = {
        "not refuted by the bound" if plane.bound else "holds": tints,
        "refuted by the bound" if plane.bound else "violated": shown & {"violated"},
        "outside the domain": shown & {"outside"},
        "not evaluated: the margin is NaN": shown & {"unknown"},
    }
    legend = "".join(
        f"<li>{''.join(map(_key, looks))} {words}</li>" for words, looks in rows.items() if looks
    )
    if paler:
        legend = legend.replace(
            " holds<", f" holds; fainter where the margin is under {paler} of the largest<"
        )
    if plane.mark:
        sign, words = ("×", "the counterexample") if plane.refuted else ("○", "the closest call")
        legend += f'<li><span class="key" aria-hidden="true">{sign}</span> {words}</li>'
    fixed = ", ".join(
        f"<span>{typeset(f'{name} = {short(value)}')}</span>" for name, value in plane.fixed.items()
    )
    at = f'<p class="point">at {fixed}</p>' if fixed else ""
    return f"<figure>{pictures.svg(claim.id, plane)}<figcaption>{at}<ul>{legend}</ul></figcaption></figure>"


def _key(look: str) -> str:
    return f'<svg class="key" viewBox="0 0 3 3" aria-hidden="true"><path class="{look}" d="M0 0h3v3H0z"/></svg>'


# --- the page ---------------------------------------------------------------------------------------------------------


def _head(entries: list[Entry], record: Mapping[str, Entry]) -> str:
    repaired = [entry["repaired"] for entry in entries if entry["repaired"]]
    counts = Counter(entry["status"] for entry in entries)
    chips = "".join(
        f'<li class="chip {escape(status, quote=True)}"><b>{counts[status]}</b> {escape(status)}</li>'
        for status in sorted(counts, key=[*_SIGNS, *counts].index)
    )
    proved = sum(proof_word(entry).startswith("proved") for entry in entries)
    argued = sum(proof_word(entry) == "argued" for entry in entries)
    recorded = sum("; on record: " in strength(entry, record) for entry in entries)
    before = (
        f"; {recorded} more have been, on record, which this run did not repeat" if recorded else ""
    )
    sure = sum(bool(entry["counterexample"]) for entry in entries)
    again = f"; of the {len(repaired)} repaired ones {summary(repaired)}" if repaired else ""
    return (
        "<header><h1>Ascent Fails to Forget, statement by statement</h1>"
        f"<p>Every statement of the paper (NeurIPS 2025, {_PAPER}) about random forget sets, about its one- and two-"
        "coordinate models and about its toy network, as printed or in the reading named beside it, and ours beyond it: does it "
        "hold, where, and how do we know? A statement that fails comes with a counterexample that a separate checker "
        "re-derived in many digits, and with the statement that holds "
        "instead, where we know one.</p>"
        f'<ul class="chips"><li class="chip"><b>{len(entries)}</b> statements</li>{chips}</ul>'
        f'<p class="summary">{len(entries)} statements: {escape(summary(entries))}{escape(again)}. '
        f"{sure} are refuted by a confirmed counterexample, {proved} are proved, {argued} argued{before}.</p></header>"
    )


def _overview(entries: list[Entry], record: Mapping[str, Entry]) -> str:
    parts = [
        (title, [entry for entry in entries if of_paper(entry) == paper])
        for title, paper in (("The paper", True), ("Beyond the paper", False))
    ]
    rows = "".join(
        f'<tbody><tr class="part"><th colspan="4" scope="rowgroup">{title}</th></tr>'
        f"{''.join(_row(entry, record) for entry in part)}</tbody>"
        for title, part in parts
        if part
    )
    return (
        '<h2 id="overview">Overview</h2><table><thead><tr><th scope="col">statement</th><th scope="col">verdict</th>'
        f'<th scope="col">strength of evidence</th><th scope="col">repaired</th></tr></thead>{rows}</table>'
    )


def _row(entry: Entry, record: Mapping[str, Entry]) -> str:
    key = escape(entry["id"], quote=True)
    repaired = entry["repaired"]
    again = (
        f'<a href="#{escape(repaired["id"], quote=True)}">{_badge(repaired)}</a>'
        if repaired
        else ""
    )
    return (
        f'<tr><td><a href="#{key}">{key}</a> <small>{escape(entry["source"])}</small></td><td>{_badge(entry)}</td>'
        f"<td>{escape(strength(entry, record))}</td><td>{again}</td></tr>"
    )


def _reading() -> str:
    """How to read the page, with the symbol table that the package's own docstring holds."""
    table = re.findall(r"^ +(\S.*?) {2,}(\S+) {2,}(\S.*)$", ascentfail.__doc__ or "", re.MULTILINE)
    rows = [row for row in table if not row[0].startswith("=")]
    symbols = "".join(
        f"<dt>{typeset(symbol)}</dt><dd>{typeset(meaning)}</dd>" for symbol, _, meaning in rows
    )
    return f'<details class="reading"><summary>How to read this page</summary>{_READING}<dl>{symbols}</dl></details>'


def _figures(figures: Mapping[str, bytes]) -> str:
    shown = []
    for name, content in figures.items():
        if not content.startswith(b"\x89PNG\r\n\x1a\n"):
            raise invalid("figures", name, "PNG files by name")
        words = escape(name, quote=True)
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        shown.append(
            f'<figure><img src="{source}" alt="{words}"><figcaption>{words}</figcaption></figure>'
        )
    return (
        f'<h2 id="figures">Figures</h2><div class="figures">{"".join(shown)}</div>' if shown else ""
    )


def _foot(versions: Mapping[str, Any]) -> str:
    made = ", ".join(f"{escape(name)} {escape(str(version))}" for name, version in versions.items())
    return f"<footer><p>Written by <code>ascentfail reproduce</code>{f' with {made}' if made else ''}.</p></footer>"


_READING = """
<p><b>Verdicts.</b> <i>holds</i>: not broken at the strength of evidence stated beside it; only boxes, identities and cases
are called proved. <i>fails</i>: a counterexample was found and confirmed. <i>open</i>: neither.
<i>vacuous</i>: no point satisfies the side conditions.</p>
<p><b>Evidence, weakest first.</b> <i>sampled</i>: the margin at many points of the domain. <i>searched</i>: a gradient
search from many starts failed to break it. <i>argued</i>: a machine checked each step of an argument, but not that the steps
imply the statement; or a counterexample counts because of a bound that is said in words. <i>cases</i>: each of finitely many
cases was enclosed. <i>identity</i>: the margin simplifies to zero and is defined on the whole domain. <i>boxes</i>: intervals
enclose the margin itself on boxes that cover the domain, or at the point that refutes the statement. <i>On record</i>: what
a run at a stronger level came to, which this run did not repeat.</p>
<p><b>Margin.</b> A number that is ≥ 0 (for an equality: = 0) exactly where the statement holds; how far it is from 0
says how close the call is.</p>
<p><b>Pictures.</b> The sign of the margin on a plane through the domain's box: through the counterexample where there
is one, otherwise through the middle. The two axes are those along which the picture varies most; the others are fixed
as said below it. Axes that are no symbols of the paper are coordinates in which the domain is a box, for instance
ratio = α/φ, depth = −e c<sub>DA</sub> and ascent_pull = B, the forget pull of a stationary point of descent-ascent. A
cell is drawn as violated only where many digits stand behind the sign.</p>
<p><b>Symbols.</b> Subscripts D, R, DA: original, oracle (retrained), descent-ascent.</p>"""

_STYLE = "\n" + Path(__file__).with_name("page.css").read_text()

_START = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
    f"<title>Ascent Fails to Forget, statement by statement</title><style>{_STYLE}</style></head><body>"
)
