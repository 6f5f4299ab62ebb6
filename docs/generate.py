"""Writes the pages that are generated: one a claim, their index, the public names."""

import inspect
from html import escape
from pathlib import Path

# the only imports of the site: a module that moves is renamed here and nowhere else
import ascentfail as af
from ascentfail import theory
from ascentfail.claims import record
from ascentfail.claims.registry import stated_in
from ascentfail.figures.report.page import facts_of, proof_of, typeset
from ascentfail.figures.report.summary import chapters, proof_word

DOCS = Path(__file__).parent
ROOT = DOCS.parent
REPOSITORY = "https://github.com/ascentfail/ascentfail/blob/main"
GRADES = {
    "formal": "a proof assistant checked a theorem that is generated from the margin",
    "boxes": "intervals enclose the margin itself on the whole domain, or at the point that refutes it",
    "identity": "the margin simplifies to zero in SymPy, and is defined on the whole domain",
    "cases": "each of finitely many cases lies in a rigorous enclosure",
    "argued": "the steps of an argument were checked, but not that they imply the statement",
    "searched": "a search from many starts did not break it, which is no proof",
    "sampled": "no sampled point broke it, which is no proof",
}


def body(claim, entry, label):
    """HTML of one statement: mathematics, verdict, domain, evidence, proof."""
    facts = "".join(
        f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts_of(claim, entry) if text
    )
    grade = entry["evidence"]["grade"]
    verdict = f"<strong>{entry['status']}</strong>: {escape(proof_word(entry))}. Grade {grade}: {GRADES[grade]}."
    html = (
        f'<p>{label} ({escape(claim.source)}):</p><blockquote class="statement">'
        f"{typeset(claim.statement)}</blockquote>"
        f'<p class="verdict {entry["status"]}">{verdict}</p><dl class="facts">{facts}</dl>{proof_of(claim, entry)}'
    )
    return "```{raw} html\n" + html + "\n```\n"


def source_file(claim_id):
    """The path of the file that states a claim."""
    return stated_in(claim_id).removeprefix("ascentfail.").replace(".", "/") + ".py"


def claim_page(claim, entry, file):
    """Markdown of the page of one claim."""
    parts = [f"# {claim.id}\n", body(claim, entry, "The statement")]
    repaired, verdict = claim.repaired, entry["repaired"]
    while repaired is not None and verdict:
        word = "holds" if verdict["status"] == "holds" else "may hold"
        parts += [
            f"## What {word} instead\n",
            body(repaired, verdict, f"Repaired as `{repaired.id}`".replace("`", "")),
        ]
        repaired, verdict = repaired.repaired, verdict["repaired"]
    parts.append(f"`ascentfail explain {claim.id}` checks this claim again.\n")
    parts.append(f"The claim is stated in [{file}]({REPOSITORY}/{file}).\n")
    return "\n".join(parts)


def index(entries):
    """Markdown of the index: the paper's statements in order, what fails, ours."""
    groups = list(chapters(entries).items())
    paper = [
        (title, members)
        for title, members in groups
        if title not in ("Beyond the paper: ours", "Other")
    ]
    failing = [e for _, members in paper for e in members if e["status"] == "fails"]
    rest = [group for group in groups if group not in paper]
    lines = ["# The claims\n", "Each claim has a page. The verdicts are those on record.\n"]
    for title, members in [
        *paper,
        ("What fails in the paper as printed or as read", failing),
        *rest,
    ]:
        lines.append(f"## {title}\n")
        lines += [
            f"- [{e['id']}]({e['id']}.md): **{e['status']}** ({proof_word(e).replace('*', '')})"
            for e in members
        ]
        lines.append("")
    pages = "\n".join(e["id"] for e in entries)
    return "\n".join(lines) + f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def names(module, title):
    """Directives for each public name of a module."""
    lines = [title, "-" * len(title), ""]
    for name in module.__all__:
        thing = getattr(module, name)
        full = f"{module.__name__}.{name}"
        if inspect.ismodule(thing):
            lines += [f".. automodule:: {thing.__name__}", "   :members:", "   :no-index:", ""]
        else:
            kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
            lines += [f".. auto{kind}:: {full}", "   :no-index:", ""]
    return "\n".join(lines)


def write(path, text):
    """Leaves a file alone that says the same, so that a second build reads only what changed."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    """Writes docs/claims/ and docs/api.rst."""
    folder = DOCS / "claims"
    folder.mkdir(exist_ok=True)
    entries = record.load()
    for entry in entries:
        claim = theory.get(entry["id"])
        write(folder / f"{claim.id}.md", claim_page(claim, entry, source_file(claim.id)))
    write(folder / "index.md", index(entries))
    title = "The public names\n================\n\n"
    text = title + names(af, "ascentfail") + "\n" + names(theory, "ascentfail.theory")
    write(DOCS / "api.rst", text)


if __name__ == "__main__":
    main()
