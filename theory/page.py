"""The report: every claim with its verdict, its evidence and a picture of where it holds, as one HTML page.

The page needs no network, no fonts and no scripts; it opens from disk, on a phone and on paper.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

import ascentfail
from ascentfail.errors import invalid
from ascentfail.theory import pictures
from ascentfail.theory.claim import Claim, percent
from ascentfail.theory.pictures import short
from ascentfail.theory.report import Entry, is_ours, proof_word, summary

_SIGNS = {"holds": "✓", "fails": "✗", "open": "?", "vacuous": "∅"}
_PAPER = '<a href="https://arxiv.org/abs/2509.26427" rel="noreferrer">arXiv 2509.26427</a>'


def page(
    claims: Iterable[Claim],
    entries: Iterable[Entry],
    figures: Mapping[str, bytes] | None = None,
    versions: Mapping[str, str] | None = None,
    done: Callable[[str], object] = lambda claim_id: None,
) -> str:
    """One self-contained HTML document.

    Args:
        claims: the claims that the entries speak of, repaired statements inside.
        entries: verdicts as plain data, in the order to show.
        figures: PNG files by name; the name is the caption and the alternative text.
        versions: what computed the verdicts, for the last lines.
        done: called with the id of every claim as its part is finished, for a progress bar.

    Returns:
        The text of the file, in UTF-8 as it says.

    Raises:
        ValueError: an entry of a claim that is not given, or a figure that is no PNG.
        PrecisionError: float64 is off.
        ClaimError: a claim's own functions raise or return the wrong shape.
    """
    known, entries = {claim.id: claim for claim in claims}, list(entries)
    cards = []
    for entry in entries:
        if entry["id"] not in known:
            raise invalid("entries", entry["id"], f"verdicts on the claims given ({len(known)} of them)")
        cards.append(_card(known[entry["id"]], entry))
        done(entry["id"])
    body = [
        _head(entries),
        _overview(entries),
        _reading(),
        f'<h2 id="statements">The statements</h2>{"".join(cards)}',
        _figures(figures or {}),
        _foot(versions or {}),
    ]
    return f"{_START}{pictures.PATTERNS}<main>{''.join(body)}</main></body></html>\n"


# --- text -------------------------------------------------------------------------------------------------------------

_LETTERS = {**pictures.GREEK, "eps": "ε", "lam": "λ", "infinity": "∞"}
_LETTER = re.compile(rf"(?<![A-Za-z_])({'|'.join(_LETTERS)})(?![A-Za-z])")
_BELOW = re.compile(r"(?<![A-Za-z0-9_])(max|min|[A-Za-zα-ω])_(?:\{([^{}]*)\}|([A-Za-z0-9]+))")
_ABOVE = re.compile(r"\^(?:\{([^{}]*)\}|([0-9]+|[A-Za-zα-ω]))")
_SYMBOLS = (("-&gt;", "→"), ("&lt;=", "≤"), ("&gt;=", "≥"), ("!=", "≠"), (" - ", " − "), (" in [", " ∈ ["))


def typeset(text: str) -> str:
    """Escaped HTML of a sentence with ASCII formulas: Greek letters, indices, exponents, relations; words stay."""
    shown = escape(text, quote=True)
    for ascii_form, symbol in _SYMBOLS:
        shown = shown.replace(ascii_form, symbol)
    shown, before = _LETTER.sub(lambda found: _LETTERS[found[1]], shown), ""
    while shown != before:  # innermost braces first
        before = shown
        shown = _BELOW.sub(lambda found: f"{found[1]}<sub>{_minus(found[2] or found[3])}</sub>", shown)
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
    numbers = {name: repr(value).removesuffix(".0") if exact else short(value) for name, value in point.items()}
    given = [f"{name} = {numbers[name]}" for name in names if name in point]
    derived = [f"{name} = {short(value)}" for name, value in point.items() if name not in names]
    shown = ", ".join(f"<span>{typeset(text)}</span>" for text in given or derived)
    rest = ", ".join(f"<span>{typeset(text)}</span>" for text in derived) if given and derived else ""
    return f'<span class="point">{shown}{f" (so {rest})" if rest else ""}</span>'


# --- one claim --------------------------------------------------------------------------------------------------------


def _card(claim: Claim, entry: Entry) -> str:
    key = escape(claim.id, quote=True)
    return (
        f'<article class="card" id="{key}"><header><h3><a href="#{key}">{key}</a></h3>{_badge(entry)}'
        f'<span class="strength">{escape(proof_word(entry))}</span></header>'
        f"{_statement(claim, entry, 'Our statement' if is_ours(entry) else 'As printed')}"
        f'{_instead(claim, entry)}<p class="again">Re-run: <code>ascentfail explain {key}</code></p></article>'
    )


def _instead(claim: Claim, entry: Entry) -> str:
    repaired, verdict = claim.repaired, entry["repaired"]
    if repaired is None or not verdict:
        return ""
    key = escape(repaired.id, quote=True)
    return (
        f'<section class="repaired" id="{key}"><header><h4><a href="#{key}">Repaired</a></h4>{_badge(verdict)}'
        f'<span class="strength">{escape(proof_word(verdict))}</span></header>'
        f"{_statement(repaired, verdict, 'What holds instead')}{_instead(repaired, verdict)}</section>"
    )


def _statement(claim: Claim, entry: Entry, label: str) -> str:
    facts = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in _facts(claim, entry) if text)
    source = "" if claim.source == "ours" else f' <span class="source">{escape(claim.source)}</span>'
    return (
        f'<div class="body"><div class="text"><p class="label">{label}{source}</p>'
        f"{_formula(claim.statement, 'blockquote', 'statement')}<dl>{facts}</dl></div>"
        f"{_picture(claim, entry)}{_proof(claim, entry)}</div>"
    )


def _facts(claim: Claim, entry: Entry) -> list[tuple[str, str]]:
    """Names and HTML of what is to say about a verdict; empty texts are left out."""
    evidence, found = entry["evidence"], entry["counterexample"]
    facts = [("Domain", typeset(entry["domain"] or claim.domain.words))]
    if found:
        facts.append(("Refuted at", _coordinates(claim, found["point"], exact=True)))
        what = "residual" if claim.kind == "equality" else "bound on the margin" if found.get("bound") else "margin"
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
    """Level, amount and words of the evidence, without the proof that is shown below."""
    evidence = entry["evidence"]
    parts = [evidence["level"]]
    if evidence["samples"]:
        parts.append(f"{evidence['samples']:,} {'boxes' if evidence['level'] == 'certified' else 'points evaluated'}")
    if evidence["certified_fraction"] is not None:
        parts.append(f"{percent(evidence['certified_fraction'])} of the domain proved")
    if evidence["undecided"]:
        parts.append(f"{evidence['undecided']:,} boxes undecided")
    words = evidence["words"].removesuffix(claim.proof_words).rstrip(": ")
    return escape(", ".join(parts)) + (f"; {typeset(words)}" if words else "")


def _proof(claim: Claim, entry: Entry) -> str:
    if not (claim.proof or claim.proof_words):
        return ""
    proved = proof_word(entry).startswith("proved")
    weak = entry["evidence"]["level"] in ("sampled", "searched")
    count = f", {len(claim.proof)} step{'' if len(claim.proof) == 1 else 's'}" if claim.proof else ""
    unchecked = ", not checked at this level of evidence" if weak else ""
    title = f"Proof{count}" if proved else f"How it would follow{count}{unchecked}"
    steps = "".join(
        f"<li>{_formula(step.statement, 'span', 'math')} <small>{typeset(step.domain.words)}</small></li>"
        for step in claim.proof
    )
    return (
        f"<details><summary>{title}</summary><p>{typeset(claim.proof_words)}</p>"
        f"{f'<ol>{steps}</ol>' if steps else ''}</details>"
    )


def _picture(claim: Claim, entry: Entry) -> str:
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
    legend = "".join(f"<li>{''.join(map(_key, looks))} {words}</li>" for words, looks in rows.items() if looks)
    if paler:
        legend = legend.replace(" holds<", f" holds; fainter where the margin is under {paler} of the largest<")
    if plane.mark:
        sign, words = ("×", "the counterexample") if plane.refuted else ("○", "the closest call")
        legend += f'<li><span class="key" aria-hidden="true">{sign}</span> {words}</li>'
    fixed = ", ".join(f"<span>{typeset(f'{name} = {short(value)}')}</span>" for name, value in plane.fixed.items())
    at = f'<p class="point">at {fixed}</p>' if fixed else ""
    return f"<figure>{pictures.svg(claim.id, plane)}<figcaption>{at}<ul>{legend}</ul></figcaption></figure>"


def _key(look: str) -> str:
    return f'<svg class="key" viewBox="0 0 3 3" aria-hidden="true"><path class="{look}" d="M0 0h3v3H0z"/></svg>'


# --- the page ---------------------------------------------------------------------------------------------------------


def _head(entries: list[Entry]) -> str:
    repaired = [entry["repaired"] for entry in entries if entry["repaired"]]
    counts = Counter(entry["status"] for entry in entries)
    chips = "".join(
        f'<li class="chip {escape(status, quote=True)}"><b>{counts[status]}</b> {escape(status)}</li>'
        for status in sorted(counts, key=[*_SIGNS, *counts].index)
    )
    proved = sum(proof_word(entry).startswith("proved") for entry in entries)
    sure = sum(bool(entry["counterexample"]) for entry in entries)
    again = f"; of the {len(repaired)} repaired ones {summary(repaired)}" if repaired else ""
    return (
        "<header><h1>Ascent Fails to Forget, statement by statement</h1>"
        f"<p>Every statement of the paper (NeurIPS 2025, {_PAPER}) about its one- and two-coordinate models, as "
        "printed, and some of ours beyond it: does it hold, where, and how do we know? A statement that fails comes "
        "with a counterexample that a separate checker re-derived in many digits, and with the statement that holds "
        "instead, where we know one.</p>"
        f'<ul class="chips"><li class="chip"><b>{len(entries)}</b> statements</li>{chips}</ul>'
        f'<p class="summary">{len(entries)} statements: {escape(summary(entries))}{escape(again)}. '
        f"{proved} are proved, {sure} are refuted by a confirmed counterexample.</p></header>"
    )


def _overview(entries: list[Entry]) -> str:
    parts = [
        (title, [entry for entry in entries if is_ours(entry) == ours])
        for title, ours in (("The paper", False), ("Beyond the paper", True))
    ]
    rows = "".join(
        f'<tbody><tr class="part"><th colspan="4" scope="rowgroup">{title}</th></tr>'
        f"{''.join(map(_row, part))}</tbody>"
        for title, part in parts
        if part
    )
    return (
        '<h2 id="overview">Overview</h2><table><thead><tr><th scope="col">statement</th><th scope="col">verdict</th>'
        f'<th scope="col">strength of evidence</th><th scope="col">repaired</th></tr></thead>{rows}</table>'
    )


def _row(entry: Entry) -> str:
    key = escape(entry["id"], quote=True)
    repaired = entry["repaired"]
    again = f'<a href="#{escape(repaired["id"], quote=True)}">{_badge(repaired)}</a>' if repaired else ""
    return (
        f'<tr><td><a href="#{key}">{key}</a> <small>{escape(entry["source"])}</small></td><td>{_badge(entry)}</td>'
        f"<td>{escape(proof_word(entry))}</td><td>{again}</td></tr>"
    )


def _reading() -> str:
    """How to read the page, with the symbol table that the package's own docstring holds."""
    table = re.findall(r"^ +(\S.*?) {2,}(\S+) {2,}(\S.*)$", ascentfail.__doc__ or "", re.MULTILINE)
    rows = [row for row in table if not row[0].startswith("=")]
    symbols = "".join(f"<dt>{typeset(symbol)}</dt><dd>{typeset(meaning)}</dd>" for symbol, _, meaning in rows)
    return f'<details class="reading"><summary>How to read this page</summary>{_READING}<dl>{symbols}</dl></details>'


def _figures(figures: Mapping[str, bytes]) -> str:
    shown = []
    for name, content in figures.items():
        if not content.startswith(b"\x89PNG\r\n\x1a\n"):
            raise invalid("figures", name, "PNG files by name")
        words = escape(name, quote=True)
        source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        shown.append(f'<figure><img src="{source}" alt="{words}"><figcaption>{words}</figcaption></figure>')
    return f'<h2 id="figures">Figures</h2><div class="figures">{"".join(shown)}</div>' if shown else ""


def _foot(versions: Mapping[str, Any]) -> str:
    made = ", ".join(f"{escape(name)} {escape(str(version))}" for name, version in versions.items())
    return f"<footer><p>Written by <code>ascentfail reproduce</code>{f' with {made}' if made else ''}.</p></footer>"


_READING = """
<p><b>Verdicts.</b> <i>holds</i>: not broken at the strength of evidence stated beside it; only certified and symbolic
evidence is called proved. <i>fails</i>: a counterexample was found and confirmed. <i>open</i>: neither.
<i>vacuous</i>: no point satisfies the side conditions.</p>
<p><b>Evidence, weakest first.</b> <i>sampled</i>: the margin at many points of the domain. <i>searched</i>: a gradient
search from many starts failed to break it. <i>certified</i>: ball arithmetic proves it on boxes; the share of the
domain is given. <i>symbolic</i>: an identity.</p>
<p><b>Margin.</b> A number that is ≥ 0 (for an equality: = 0) exactly where the statement holds; how far it is from 0
says how close the call is.</p>
<p><b>Pictures.</b> The sign of the margin on a plane through the domain's box: through the counterexample where there
is one, otherwise through the middle. The two axes are those along which the picture varies most; the others are fixed
as said below it. Axes that are no symbols of the paper are coordinates in which the domain is a box, for instance
ratio = α/φ, depth = −e c<sub>DA</sub> and ascent_pull = B, the forget pull of a stationary point of descent-ascent. A
cell is drawn as violated only where many digits stand behind the sign.</p>
<p><b>Symbols.</b> Subscripts D, R, DA: original, oracle (retrained), descent-ascent.</p>"""

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--tint:#f4f6f8;
--link:#00598c;--holds:#56b4e9;--tight:#a9d8f3;--tighter:#dcf0fb;--violated:#d55e00;--stripe:#fff;--outside:#eceff2;
--dot:#a6afb9;--good:#00598c;--goodbg:#e0f1fb;--bad:#9c3f00;--badbg:#fdeadd;--mid:#6b5900;--midbg:#fbf3cf}
@media (prefers-color-scheme:dark){:root{--paper:#12161b;--card:#181d23;--ink:#e6eaee;--soft:#a2acb7;--line:#343c46;
--tint:#1e242b;--link:#7cc8f5;--holds:#2f8fc4;--tight:#235f82;--tighter:#1d4157;--violated:#d9701e;--stripe:#3b1a00;
--outside:#22282f;--dot:#56606c;--good:#8dd0f7;--goodbg:#133246;--bad:#ffae75;--badbg:#43220c;--mid:#f0e08a;
--midbg:#3b3510}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:.5rem}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:68rem;margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2rem) 3rem}
h1{font-size:clamp(1.55rem,5vw,2.3rem);line-height:1.15;margin:.5rem 0 1rem;letter-spacing:-.015em}
h2{font-size:1.35rem;margin:2.5rem 0 .75rem}
h3,h4{margin:0;font-size:1.08rem}
h3 a,h4 a{color:inherit;text-decoration:none}
h3 a:hover,h4 a:hover{text-decoration:underline}
a{color:var(--link)}
p{margin:.5rem 0}
main>header p{max-width:46rem}
.summary,.strength,.source,.again,small,figcaption,footer{color:var(--soft)}
.summary,.again,figcaption,footer{font-size:.875rem}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
sub,sup{font-size:.72em;line-height:0}
.chips{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:1.25rem 0 .75rem}
.chip{padding:.35rem .85rem;border-radius:.5rem;background:var(--tint)}
.chip b{font-size:1.35rem;margin-right:.15rem}
.badge{display:inline-block;white-space:nowrap;padding:0 .55rem;border-radius:1rem;font-size:.85rem;font-weight:600;
line-height:1.6}
.holds.badge,.holds.chip{background:var(--goodbg);color:var(--good)}
.fails.badge,.fails.chip{background:var(--badbg);color:var(--bad)}
.open.badge,.open.chip,.vacuous.badge,.vacuous.chip{background:var(--midbg);color:var(--mid)}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.85rem}
th,td{padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
.part th{color:var(--ink);padding-top:1rem;font-size:.95rem}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--link)}
.reading{margin-top:1.5rem;padding:.75rem 1rem;background:var(--tint);border-radius:.6rem;font-size:.94rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1rem 1.25rem;margin:1.25rem 0}
.card:target,.repaired:target{outline:3px solid var(--link);outline-offset:2px}
.card header{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline}
.strength{font-size:.92rem}
.body{display:grid;grid-template:auto 1fr/minmax(0,1fr) 17.5rem;gap:0 2rem;align-items:start}
.body figure{grid-area:1/2/3/3}.body details{grid-area:2/1/3/2}
.label{font-size:.85rem;color:var(--soft);margin:.6rem 0 0}
.source::before{content:"· "}
.statement{margin:.2rem 0 .9rem;font:1.17rem/1.5 Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,
"DejaVu Serif",serif}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1rem;margin:.5rem 0;font-size:.92rem}
dt{color:var(--soft)}
dd{margin:0}
.point span{white-space:nowrap}
ol{padding-left:1.4rem}
li small{display:block}
.repaired{margin:1rem -1.25rem 0;padding:1rem 1.25rem .25rem;border-block:1px dashed var(--line);
background:var(--tint)}
.again{margin:.75rem 0 0}
figure{margin:.75rem 0;min-width:0}
.body figure{max-width:21rem}
figcaption{font-size:.82rem;line-height:1.4}
figcaption p{margin:.15rem 0}
figcaption ul{list-style:none;padding:0;margin:.25rem 0}
.plane{display:block;width:100%;height:auto}
.plane text{font-size:11.5px;fill:var(--soft)}
.plane .name{fill:var(--ink);font-weight:600}
.key{display:inline-block;width:.95em;height:.95em;margin-right:.15em;vertical-align:-.12em;text-align:center}
svg.key{outline:1px solid var(--line)}
.patterns{position:absolute}
path.holds{fill:var(--holds)}path.tight{fill:var(--tight)}path.tighter{fill:var(--tighter)}
path.violated{fill:url(#hatch)}path.outside{fill:url(#dots)}path.unknown{fill:url(#cross)}
#hatch .ground{fill:var(--violated)}#hatch .ink{fill:var(--stripe)}
#dots .ground,#cross .ground{fill:var(--outside)}#dots .ink,#cross .ink{fill:var(--dot)}
.frame{fill:none;stroke:var(--soft)}
.mark,.halo{fill:none;stroke-linecap:round}
.mark{stroke:var(--ink);stroke-width:2.2}.halo{stroke:var(--card);stroke-width:5.5}
td small{margin-left:.4rem}
.figures{display:grid;gap:1.5rem}
img{max-width:100%;height:auto;background:#fff;border-radius:.4rem}
footer{margin-top:3rem;border-top:1px solid var(--line)}
@media (max-width:44rem){.body{display:block}.card{padding:.85rem .9rem}
.repaired{margin-inline:-.9rem;padding-inline:.9rem}dl{grid-template-columns:minmax(0,1fr);gap:0}
dd{margin-bottom:.5rem}td small{margin:0;font-weight:400}
thead{display:none}tr{display:flex;flex-wrap:wrap;gap:.1rem .75rem;align-items:baseline;padding:.45rem 0;
border-bottom:1px solid var(--line)}th,td{border:0;padding:0}td:first-child{flex-basis:100%;font-weight:600}
td:last-child:not(:empty)::before{content:"repaired: ";color:var(--soft)}}
@media print{:root{color-scheme:light}body{font-size:10pt}main{max-width:none;padding:0}.again{display:none}
.card{break-inside:auto;border-color:#999}figure,.card header,dl,tr{break-inside:avoid}h2,header{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}*{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
"""

_START = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
    f"<title>Ascent Fails to Forget, statement by statement</title><style>{_STYLE}</style></head><body>"
)
