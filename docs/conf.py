"""How Sphinx makes the site: `make site`.

The source is the whole clone, so that links and pictures of README.md and GALLERY.md are the same
here and on GitHub. Docstrings are Google's style with one kind of backticks; `as_rst` makes them
reStructuredText, which has two.
"""

import re
import sys
from importlib.metadata import version as installed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the packages of this clone

project = "toymodels"
author = "the authors of toymodels"
version = release = installed("toymodels")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
]
root_doc = "docs/index"
include_patterns = ["README.md", "GALLERY.md", "FINDINGS.md", "CHANGELOG.md"]
include_patterns += ["docs/**", "notebooks/*.ipynb"]
exclude_patterns = [".venv/**", "build/**", "out/**"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# Notebooks are stored with their outputs, and tests hold these to the code.
nb_execution_mode = "off"
nb_merge_streams = True

autodoc_default_options = {"members": True, "exclude-members": "replace"}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
add_module_names = False

html_theme = "furo"
html_title = f"toymodels {release}"
html_show_copyright = False

ARRAY = re.compile(
    r"~?(?:numpy\.)?ndarray\[tuple\[[^\]]*\], ~?(?:numpy\.)?dtype\[~?(?:numpy\.)?(\w+)\]\]"
)


def as_rst(text: str) -> str:
    """Turn a docstring into reStructuredText: code in double backticks, formulas as blocks."""
    found, before = [], " "
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("    ") and not before.startswith(" "):
            found.append("::")  # a formula or a table that stands alone
        if not paragraph.startswith("    "):
            found.append(_prose(paragraph))
        else:
            found.append(paragraph)
        before = paragraph
    return "\n\n".join(found)


def _prose(paragraph: str) -> str:
    parts = re.split(r"`([^`]+)`", paragraph)
    plain = [re.sub(r"([*|\\])|(?<=\w)(_)(?!\w)", r"\\\1\2", part) for part in parts[::2]]
    codes = [f"``{' '.join(part.split())}``" for part in parts[1::2]] + [""]
    return "".join(a + b for a, b in zip(plain, codes, strict=True))


def process_docstring(app, what, name, obj, options, lines):
    """Let docstrings be read as they were written, before napoleon finds their sections."""
    lines[:] = as_rst("\n".join(lines)).split("\n")


def process_signature(app, what, name, obj, options, signature, returns):
    """Call an array of numbers what the source calls it."""
    return tuple(ARRAY.sub(r"NDArray[\1]", part) if part else part for part in (signature, returns))


def skip_member(app, what, name, obj, skip, options):
    """Leave out the fields of named tuples: their own words are of no use."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def write_index(app, error):
    """Lead from the folder to its first page, which lies where the clone has it."""
    if error is None and app.builder.format == "html":
        first = f"{root_doc}.html"
        text = (
            f'<meta http-equiv="refresh" content="0; url={first}"><a href="{first}">{first}</a>\n'
        )
        (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def setup(app):
    """Connect what happens while docstrings are read, and at the end."""
    app.connect("autodoc-process-docstring", process_docstring, priority=100)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-skip-member", skip_member)
    app.connect("build-finished", write_index)
