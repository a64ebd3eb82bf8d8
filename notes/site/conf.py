"""Sphinx configuration of the notes.  ``make notes`` builds them; ``python -m notes.site`` says how."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from sphinxcontrib import katex  # noqa: E402

from notes.site import pictures, reading, sources  # noqa: E402

project = "bptt"
author = "the authors of bptt"
html_title = "bptt · notes"
extensions = ["myst_parser", "sphinxcontrib.katex"]
exclude_patterns = ["site", "explorer", "figures", "results", "**/__pycache__"]
root_doc = "index"
html_theme = "furo"
html_static_path = [str(HERE / "static")]
html_css_files = ["notes.css"]
templates_path = [str(HERE / "templates")]
html_sidebars = {
    "**": [
        *("sidebar/brand.html", "sidebar/search.html", "sidebar/scroll-start.html", "explorers.html"),
        *("sidebar/navigation.html", "sidebar/scroll-end.html"),
    ]
}
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style, pygments_dark_style = "default", "github-dark"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]
myst_url_schemes = {"http": None, "https": None, "part": {"url": "{{path}}#{{fragment}}"}, "page": {"url": "{{path}}"}}

# Formulas are rendered when the site is built, by the KaTeX whose style and fonts are copied into it.
katex_prerender = True
katex_js_path = str(sources.KATEX / "katex.min.js")
katex_css_path = "katex/katex.min.css"
katex.KATEX_DEFAULT_OPTIONS = {"throwOnError": True, "strict": "error"}


def setup(app):
    app.connect("source-read", sources.prepare)
    app.connect("source-read", pictures.prepare)
    app.connect("html-collect-pages", sources.code_pages)
    app.connect("doctree-resolved", reading.hold_punctuation)
    app.connect("doctree-resolved", reading.stand_side_by_side)
    app.connect("html-page-context", reading.say_language)
    app.connect("html-page-context", reading.stay_in_language)
    app.connect("build-finished", sources.copy_katex)
