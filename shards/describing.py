"""What can be said of a dataset from its manifest: for the data card and for Croissant.

Only what recipe and counts say. Why somebody made a dataset no program knows.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openm3w.shards.manifest import Manifest
from openm3w.shards.origins import Origin, itself, origins, table
from openm3w.shards.sample import Kind
from openm3w.shards.terminal import clean_line

RIGHTS = (
    "Texts and images belong to those who published them. Each sample says where it comes from, "
    "and which opt-out signals and licence links its page carried. A licence of the collection "
    "gives no right to what is in it."
)
PERSONAL = (
    "Pages of the web name and show people. Nothing here looks for names or faces, unless a filter "
    "among the thresholds says so; who uses the data has to treat it as personal data."
)
DELETION = (
    "Whoever asks for a page, an image or a domain to be removed is served by `m3w shards redact`: "
    "it takes a URL, a domain, a SHA-256 or a document id, and keeps what it removed from coming "
    "back. Copies that others made are out of its reach."
)
USES = (
    "Pre-training of models that read text and images, and studies of what such data is like.",
    "Not for decisions about persons, nor for finding anybody.",
)
LIMITS = (
    "Text and images may be wrong, outdated or offensive; no person has looked at them.",
    "Extraction loses what a page loads later; captions of the web and similarities are noisy.",
)
_SOURCES: Mapping[Kind, str] = {
    "interleaved": "pages of web archives, with their text and images in reading order",
    "caption": "rows of tables that name images and captions, with the images",
    "text": "records of web archives, or rows of tables, with their text",
}


def distributions(manifest: Manifest) -> Mapping[str, Any]:
    """See `Origin.distributions`; of what is merged nobody counted all."""
    return itself(manifest).distributions


def collection(manifest: Manifest) -> Iterator[str]:
    """How the data was collected: sources, crawls, dates, and how the web was asked."""
    yield from _of_each(manifest, _collection)


def opt_out(manifest: Manifest) -> Iterator[str]:
    """Which wishes of site owners were heeded, by the recipe, and what came of it."""
    yield from _of_each(manifest, _opt_out)


def preprocessing(manifest: Manifest) -> Iterator[str]:
    """What was done to it, stage by stage."""
    yield from _of_each(manifest, _preprocessing)
    yield from edits(manifest)
    for name, about in manifest.models.items():
        made = about.get("model", about) if isinstance(about, Mapping) else about
        told = _joined(made) if isinstance(made, list) else clean_line(str(made))
        yield f"Score {clean_line(name)}: {told}."


def edits(manifest: Manifest) -> Iterator[str]:
    """The commands that made it anew, and what they left out."""
    for edit in itself(manifest).edits:
        lost = {str(name): int(n) for name, n in table(edit, "left_out").items()}
        told = f"; left out: {_counts(lost)}" if lost else ""
        yield f"Made anew by `m3w shards {clean_line(str(edit.get('command', '')))}`{told}."


def _of_each(manifest: Manifest, told: Callable[[Origin], Iterator[str]]) -> Iterator[str]:
    """The lines of each part of a merge, with its name; of no merge as they are."""
    for origin in origins(manifest):
        name = part_of(origin, manifest)
        yield from (f"{name}{line}" for line in told(origin))


def part_of(origin: Origin, manifest: Manifest) -> str:
    """`Part NAME, N samples: `, or "" where a dataset was not merged."""
    if "parts" not in manifest.recipe:
        return ""
    return f"Part {clean_line(origin.name)}, {origin.nsamples:,} samples: "


def _collection(origin: Origin) -> Iterator[str]:
    yield _sources(origin)
    known = origin.distributions
    if crawls := known.get("crawls"):
        yield f"Crawls: {_listed(crawls, known.get('num_crawls', len(crawls)))}."
    if months := known.get("months"):
        yield f"Crawled from {min(months)} to {max(months)}."
    yield from _images(origin)


def _sources(origin: Origin) -> str:
    recipe = origin.recipe
    if "import" in recipe:
        name = clean_line(str(table(recipe, "import").get("format", "")))
        return (
            f"Imported from files of the format {name}, which others made; how they collected and "
            "filtered them, their own card says."
        )
    if "adopted" in recipe:
        name = clean_line(str(recipe["adopted"]))
        return (
            f"Made of the shards of a folder {name}, which are left as they were; how they were "
            "made, whoever wrote them knows."
        )
    if not recipe:
        return "The manifest does not say of what it was made."
    return f"Made of {_SOURCES[origin.kind]}."


def _opt_out(origin: Origin) -> Iterator[str]:
    manners = table(origin.recipe, "fetch", "manners")
    if _asks(origin):
        rules = table(manners, "opt_out")
        yield (
            f"Of images that were asked for, robots.txt was {_heeded(manners, 'robots')}, ai.txt "
            f"{_heeded(manners, 'ai_txt')}, and of headers and well-known files "
            f"{_joined(rules.get('directives'))} and {_joined(rules.get('content_usage'))}."
        )
    dropped: dict[str, int] = {}
    for stage in origin.stages:
        for reason, count in dict(stage.get("dropped", {})).items():
            if str(reason).startswith(("opt_out", "robots", "ai_txt", "tombstone")):
                name = f"{_words(reason)} ({_words(stage.get('unit', ''))})"
                dropped[name] = dropped.get(name, 0) + int(count)
    if dropped:
        yield f"Dropped for the wishes of their owners: {_counts(dropped)}."
    if signals := origin.distributions.get("opt_out"):
        yield (
            f"Signals that kept pages carry all the same, which the profile let pass: "
            f"{_counts(signals)}."
        )


def _preprocessing(origin: Origin) -> Iterator[str]:
    for stage in origin.stages:
        unit, job = _words(stage.get("unit", "")), _words(stage.get("job", ""))
        entered, kept = stage.get("entered", 0), stage.get("kept", 0)
        yield f"Stage {job}: of {entered:,} {unit} {kept:,} were kept."
    if profile := origin.recipe.get("profile"):
        yield f"Thresholds are those of the profile {clean_line(str(profile))}."


def biases(manifest: Manifest) -> Iterator[str]:
    """How far the sample leans, by what was counted."""
    yield (
        "The web over-represents those who publish there, and crawlers what is linked; filters of "
        "quality favour some ways of writing over others."
    )
    known = distributions(manifest)
    documents = int(known.get("documents", 0))
    if not documents:
        return
    if languages := known.get("languages"):
        first, count = next(iter(languages.items()))
        yield f"{_percent(count, documents)} of the documents are in {clean_line(first)}."
    if domains := known.get("domains"):
        first, count = next(iter(domains.items()))
        yield (
            f"{_percent(count, documents)} of the documents are from {clean_line(first)}, the "
            f"largest of {known.get('num_domains', len(domains)):,} domains."
        )


def _images(origin: Origin) -> Iterator[str]:
    if origin.kind == "text":
        return
    if _asks(origin):
        manners = table(origin.recipe, "fetch", "manners")
        yield (
            "Images are from the same archives or files, and else were asked of the web: at most "
            f"{manners.get('per_domain', '?')} requests at a time and "
            f"{manners.get('per_domain_rate', '?')} a second for each domain."
        )
    elif origin.recipe.get("images"):
        yield "Images are from archives and files that were named; nothing was asked of the web."
    elif "import" in origin.recipe:
        yield "Images are from these files and others that were named; the web was not asked."


def _asks(origin: Origin) -> bool:
    return table(origin.recipe, "images").get("source") == "http"


def _heeded(manners: Mapping[str, Any], name: str) -> str:
    return "heeded" if manners.get(name) else "not heeded"


def _listed(names: Mapping[str, int], total: int) -> str:
    shown = [clean_line(name) for name in list(names)[:10]]
    return ", ".join(shown) + (f" and {total - len(shown):,} more" if total > len(shown) else "")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{clean_line(name)} {count:,}" for name, count in list(counts.items())[:10])


def _joined(values: Any) -> str:
    return ", ".join(clean_line(str(value)) for value in values or ()) or "nothing"


def _words(name: object) -> str:
    return clean_line(str(name)).replace("_", " ")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
