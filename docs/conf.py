"""Settings of the site; `docs/generate.py` writes the pages of the claims and of the names."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import generate

project = "ascentfail"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "ascentfail"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
highlight_language = "text"
default_role = "code"
myst_heading_anchors = 3
autodoc_typehints = "none"
napoleon_use_ivar = True


def escaped(app, what, name, obj, options, lines):
    """Docstrings are plain text with Unicode mathematics: bars, stars and backslashes are no markup."""
    for i, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"([\\|*])|(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
        lines[i] = "".join(parts)


def setup(app):
    """Writes the generated pages, then registers the hook."""
    generate.main()
    app.connect("autodoc-process-docstring", escaped, priority=1)
