"""Sphinx builds these pages: `make docs`, warnings as errors."""

from openm3w import __version__

project = "OpenM3W"
author = "The OpenM3W developers"
release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"OpenM3W {release}"
exclude_patterns = ["_build"]
