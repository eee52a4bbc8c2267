"""The page `docs/interop.md`: the table of a run, and the loaders' code as it ran."""

import ast
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from environments import ENVIRONMENTS, Check, Environment

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "page.md"

_TOLD = ("torch", "pillow", "pyarrow", "webdataset")
"""Packages whose versions stand beside the loader's, where they are installed."""

_WIDTH = 100
"""Characters of a line of code, as in the project's own."""

_GLUE = ("readings", "HONOURS_EXCLUDE")
"""Public names of a loader's module that are the check's, not the example's."""


class Outcome(Protocol):
    """What the table says of a check, see `run.Outcome`."""

    environment: Environment
    check: Check
    versions: Mapping[str, str]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    noticed: Sequence[str]
    traps: Sequence[Mapping[str, str]]


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Writes the page of a run."""
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    lists = {"table": table(outcomes), "controls": controls(outcomes), "pickles": pickles(outcomes)}
    text = template.substitute(**lists, **examples())
    path.write_text(text, encoding="utf-8")


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each loader and version: what it read of each kind, and how."""
    rows = [
        "| loader | version | interleaved | caption | text | read as | with |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    return "\n".join([*rows, *map(_row, outcomes)])


def controls(outcomes: Sequence[Outcome]) -> str:
    """A line for each way to spoil a dataset, and how many checks noticed it."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.noticed)
    every = len(outcomes)
    lines = []
    for name in names:
        noticed = [outcome for outcome in outcomes if name in outcome.noticed]
        whose = f"all {every}" if len(noticed) == every else _title(noticed[0])
        lines.append(f"- {name}: {whose}")
    return "\n".join(lines)


def pickles(outcomes: Sequence[Outcome]) -> str:
    """A row for each loader and way of reading: what becomes of a pickle in a shard."""
    rows = ["| loader | read as | a pickle | with `WDS_SECURE=1` |", "|---|---|---|---|"]
    for outcome in outcomes:
        unsafe, secure = outcome.traps
        ends: dict[tuple[str, str], list[str]] = {}
        for way in unsafe:
            ends.setdefault((unsafe[way], secure[way]), []).append(way)
        name = f"{outcome.check.title} {_version(outcome)}"
        for (ran, held), ways in ends.items():
            rows.append(f"| {name} | {', '.join(ways) or 'samples'} | {ran} | {held} |")
    return "\n".join(rows)


def examples() -> dict[str, str]:
    """Code and requirements of each loader, by the names that the template has for them."""
    shared = {"shard_paths": "shards", "decode_member": "decoding"}
    found = {name: _example(HERE / "loaders" / f"{file}.py") for name, file in shared.items()}
    for environment in ENVIRONMENTS:
        name = environment.name.replace("-", "_").replace(".", "_")
        found[f"{name}_install"] = "\n".join(_install(environment))
        for check in environment.checks:
            found[check.loader] = _example(HERE / "loaders" / f"{check.loader}.py")
    return found


def _row(outcome: Outcome) -> str:
    check, versions = outcome.check, outcome.versions
    read = [_read(outcome.counts.get(kind, {})) for kind in ("interleaved", "caption", "text")]
    ways = dict.fromkeys(_way(name) for name in outcome.counts["interleaved"])
    told = [f"{name} {versions[name]}" for name in _TOLD if name in versions]
    cells = (
        check.title,
        _version(outcome),
        *read,
        ", ".join(way for way in ways if way) or "samples",
        ", ".join(word for word in told if not word.startswith(f"{check.distribution} ")) or "-",
    )
    return f"| {' | '.join(cells)} |"


def _version(outcome: Outcome) -> str:
    return outcome.versions.get(outcome.check.distribution or "python", "")


def _read(ways: Mapping[str, Mapping[str, int]]) -> str:
    """Samples and images of one way to read all; the check saw that the others have them too."""
    if not ways:
        return "-"
    first = _way(next(iter(ways)))
    splits = {name.rpartition(" ")[2]: n for name, n in ways.items() if _way(name) == first}
    parts = [splits["all"]] if "all" in splits else list(splits.values())
    samples, images = (sum(part[name] for part in parts) for name in ("samples", "images"))
    return f"{samples} samples, {images} images" if images else f"{samples} samples"


def _way(name: str) -> str:
    return name.rpartition(" ")[0]


def _title(outcome: Outcome) -> str:
    return outcome.check.title


def _install(environment: Environment) -> Iterator[str]:
    for packages, option in ((environment.requirements, ""), (environment.alone, "--no-deps ")):
        if packages:
            yield f"pip install {option}{' '.join(packages)}"


def _example(path: Path) -> str:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    parts = [_source(source, node) for node in tree.body if _is_shown(node)]
    names = {node.id for part in parts for node in ast.walk(ast.parse(part)) if _is_name(node)}
    imports = [line for node in tree.body for line in _imports(node, names)]
    others = [at for at, line in enumerate(imports) if not _is_standard(line)]
    if others and others[0]:
        imports.insert(others[0], "")
    return "\n\n\n".join([*(["\n".join(imports)] if imports else []), *parts])


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _is_shown(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        (target,) = node.targets
        name = target.id if isinstance(target, ast.Name) else "_"
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        name = node.name
    else:
        return False
    return not name.startswith("_") and name not in _GLUE


def _source(source: str, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(source.splitlines()[start - 1 : node.end_lineno])


def _is_standard(line: str) -> bool:
    return line.split()[1].partition(".")[0] in sys.stdlib_module_names


def _imports(node: ast.stmt, names: set[str]) -> Iterator[str]:
    """An import without the names that the example does not use; what is ours is shown once."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.ImportFrom) and str(node.module).startswith("loaders."):
        return
    used = [a for a in node.names if (a.asname or a.name).partition(".")[0] in names]
    if not used:
        return
    listed = [f"{a.name} as {a.asname}" if a.asname else a.name for a in used]
    if isinstance(node, ast.Import):
        yield f"import {', '.join(listed)}"
        return
    line = f"from {node.module} import {', '.join(listed)}"
    wrapped = "".join(f"    {name},\n" for name in listed)
    yield line if len(line) <= _WIDTH else f"from {node.module} import (\n{wrapped})"
