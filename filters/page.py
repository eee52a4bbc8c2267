"""The documentation page on filters and profiles, written from the registry."""

import dataclasses
import inspect
from typing import Any, get_args

from openm3w.filters import registry
from openm3w.filters.profiles import profile_names, profile_path

_TITLES: dict[registry.Granularity, str] = {
    "page": "Pages, before they are parsed",
    "image": "Images",
    "transform": "Transforms: documents made shorter",
    "document": "Documents",
    "text": "Texts of documents",
    "pair": "Images with captions",
}

_HEAD = """\
# Filters and profiles

<!-- Written by `m3w filters page --output docs/filters.md`; edit the docstrings instead. -->

A filter is a pure decision with a reason that is counted. A profile is a named set of bounds.
Selection always goes in this order: what became of each image before (not in the archive, not
decodable), and the image filters; the transforms of text; filters of pages and rules on text, which
judge the page whole; the cuts (caps, window, number of images); filters of what is left. So every
image has exactly one outcome: kept, one of the reasons below, or `page_dropped` for an image that
was fine in a document that was not. The main bounds of all profiles stand side by side in
[Profiles](profiles.md).

Rules on the text, and the transforms that go with them, are switched on in a profile by a table of
their own, which may be empty or change bounds. They judge the page whole, before it is cut, and the
early jobs drop nothing for their sake.

```toml
[quality.gopher_quality]
min_words = 20             # bounds that are not named stay as they are

[quality.gopher_repetition]
```
"""


def filters_page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for granularity in get_args(registry.Granularity):
        parts.append(f"## {_TITLES[granularity]}\n")
        parts.extend(_section(cls) for cls in filters_of(granularity))
    parts.append("## Profiles\n")
    parts.append("`m3w profiles show NAME` prints these files; `--set` changes a value.\n")
    parts.extend(_profile(name) for name in profile_names(None))
    return "\n".join(parts)


def filters_of(granularity: registry.Granularity) -> tuple[type[Any], ...]:
    """The registered classes that judge this, sorted by name."""
    classes = (registry.get(name) for name in registry.names())
    return tuple(cls for cls in classes if registry.granularity(cls) == granularity)


def summary(cls: type[Any]) -> str:
    """The first sentence of a filter's docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _section(cls: type[Any]) -> str:
    named = ", ".join(f"`{reason}`" for reason in sorted(cls.reasons))
    reasons = named or "none, it drops no image"
    rows = [f"### {cls.name}\n", f"{inspect.getdoc(cls)}\n", f"Reasons: {reasons}\n"]
    if fields := dataclasses.fields(cls):
        rows.append("| parameter | default |\n|---|---|")
        default = cls()
        rows.extend(f"| `{f.name}` | `{_toml(getattr(default, f.name))}` |" for f in fields)
        rows.append("")
    return "\n".join(rows)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _profile(name: str) -> str:
    text = profile_path(name).read_text(encoding="utf-8")
    return f"### {name}\n\n```toml\n{text}```\n"
