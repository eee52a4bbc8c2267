"""The files beside the shards that let other loaders open the folder.

`README.md` is a dataset card whose front matter declares every image slot: without it HF
`datasets` refuses documents with differing numbers of images, or drops images without a word.
`.nv-meta/` is for Megatron-Energon, see `openm3w.shards.energon`.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from openm3w.errors import ShardError
from openm3w.shards import card_sections, commit, describing, reader
from openm3w.shards.captioned import IMAGE_SUFFIXES
from openm3w.shards.croissant import CROISSANT_NAME, croissant
from openm3w.shards.energon import write_energon
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.shards.terminal import clean_line
from openm3w.shards.writer import ShardEntry
from openm3w.shards.yaml_text import quoted, yaml_list

CARD_NAME = "README.md"

_WHAT: Mapping[Kind, str] = {
    "interleaved": "documents with text and images in reading order",
    "caption": "images with their captions",
    "text": "documents of text",
}
_MEMBERS: Mapping[Kind, str] = {
    "interleaved": (
        "`{key}.json` with parallel lists `texts` and `images` (exactly one is not null at each\n"
        "index; `images[i]` names a member of the sample), `image_metadata` and `metadata`;\n"
        "`{key}.000.jpg`, `{key}.001.jpg` and so on are the images"
    ),
    "caption": "`{key}.jpg`, `{key}.txt` (the caption) and `{key}.json` (size, source, scores)",
    "text": "`{key}.txt` and `{key}.json` (source, language, scores)",
}
_HASHES = "`manifest.json` has the size and SHA-256 of every shard."
_OTHER_LOADERS = (
    "Megatron-Energon reads `.nv-meta/`, without `energon prepare`; wids reads `manifest.json`.\n"
    "webdataset and Energon run any pickle that a shard holds, and webdataset a command that is\n"
    "given as a shard's name (`pipe:...`). These shards hold no pickle, and `m3w shards verify`\n"
    "refuses one; `WDS_SECURE=1` has webdataset 1.0 and later refuse both. Its 0.2 has no such\n"
    "switch: decode the members yourself there, without `.decode()`."
)


def write_extras(manifest: Manifest) -> None:
    """Commits card, Croissant and Energon's metadata; call it before `manifest.write`.

    What the user wrote into an earlier card stays.

    Raises:
        OutputError: the folder cannot be written, or Energon's is a link.
        ShardError: see `energon_split`.
    """
    write_energon(manifest)
    path = manifest.folder / CARD_NAME
    commit.write_bytes(path, card(manifest, card_sections.yours(path)).encode())
    commit.write_json(manifest.folder / CROISSANT_NAME, croissant(manifest))


def card(manifest: Manifest, mine: str = "") -> str:
    """The dataset card: YAML front matter, then what a reader wants to know.

    `mine` is what the user has written of it.
    """
    return f"---\n{_front_matter(manifest)}---\n\n{_body(manifest, mine)}"


def features(manifest: Manifest) -> list[dict[str, str]]:
    """The columns as HF `datasets` declares them, every image slot included.

    `dtype: json` keeps HF from deriving a schema from the first samples, which later ones break.
    """
    names = {"json": "json"}
    if manifest.kind == "interleaved":
        names |= {f"{index:03d}.jpg": "image" for index in range(manifest.max_images)}
    elif manifest.kind == "caption":
        names |= dict.fromkeys(_pair_images(manifest), "image") | {"txt": "string"}
    else:
        names |= {"txt": "string"}
    names |= {"__key__": "string", "__url__": "string"}
    return [{"name": name, "dtype": dtype} for name, dtype in names.items()]


def _pair_images(manifest: Manifest) -> list[str]:
    """Suffixes of the images of pairs: ours are JPEG, others' as each shard begins."""
    if manifest.keys == "own":
        return ["jpg"]
    found = {suffix for shard in manifest.shards for suffix in _first_members(manifest, shard)}
    return [suffix for suffix in IMAGE_SUFFIXES if suffix in found] or ["jpg"]


def _first_members(manifest: Manifest, shard: ShardEntry) -> Collection[str]:
    try:
        return reader.read_members_at(manifest, shard, 0)[1]
    except (ShardError, IndexError):  # a card tells of shards; it is no check of them
        return ()


def _front_matter(manifest: Manifest) -> str:
    lines = [f"pretty_name: {quoted(manifest.name)}", "license: other"]
    lines += yaml_list("language", _languages(manifest))
    lines += yaml_list("tags", ["webdataset", manifest.kind, "openm3w"])
    lines += ["configs:", "  - config_name: default", "    data_files:"]
    for split, shards in _splits(manifest).items():
        lines += [f"      - split: {quoted(split)}", "        path:"]
        lines += [f"          - {quoted(shard.url)}" for shard in shards]
    lines += ["dataset_info:", "  features:"]
    for feature in features(manifest):
        lines += [f"    - name: {quoted(feature['name'])}", f"      dtype: {feature['dtype']}"]
    return "\n".join(lines) + "\n"


def _body(manifest: Manifest, mine: str) -> str:
    name = clean_line(manifest.name).replace("`", "'")
    members = f"One tar member each: {_MEMBERS[manifest.kind]}."
    sections = [
        f"# {name}\n\n{manifest.nsamples:,} {_WHAT[manifest.kind]}, written by OpenM3W.",
        f"## Why it was made\n\n{card_sections.motivation(mine)}",
        f"## Counts\n\n{_counts_table(manifest)}",
        f"## What is in it\n\n{card_sections.composition(manifest)}",
        f"## What a sample holds\n\n{members}\n{_HASHES}",
        f"## How to load it\n\n{_loading(manifest)}",
        f"## How it was collected\n\n{card_sections.collection(manifest)}",
        f"## How it was filtered\n\n{card_sections.filtering(manifest)}",
        f"## Uses and limits\n\n{card_sections.uses(manifest)}",
        f"## Rights\n\n{describing.RIGHTS}",
        f"## How to have something removed\n\n{describing.DELETION}",
        f"## Recipe and versions\n\n{_making(manifest)}",
    ]
    return "\n\n".join(sections) + "\n"


def _counts_table(manifest: Manifest) -> str:
    rows = [
        "| split | shards | samples | images | characters | bytes |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    groups = {**_splits(manifest), "all": list(manifest.shards)}
    for split, shards in groups.items():
        sums = (
            len(shards),
            sum(shard.nsamples for shard in shards),
            sum(shard.images for shard in shards),
            sum(shard.characters for shard in shards),
            sum(shard.filesize for shard in shards),
        )
        rows.append(f"| {split} | " + " | ".join(f"{value:,}" for value in sums) + " |")
    return "\n".join(rows)


def _loading(manifest: Manifest) -> str:
    split = next(iter(_splits(manifest)), "train")
    url = next((shard.url for shard in manifest.shards if shard.split == split), "data/....tar")
    return (
        "```sh\nm3w view .                # read documents in the terminal\n"
        "m3w shards verify .       # every byte against the manifest\n```\n\n"
        "```python\nimport os\n\n"
        'os.environ["WDS_SECURE"] = "1"  # see below; before webdataset is imported\n'
        "import webdataset\n\n"
        f"samples = webdataset.WebDataset({url!r}, shardshuffle=False).decode('pil')\n\n"
        "import datasets  # reads the columns from this card\n\n"
        f"samples = datasets.load_dataset('.', split={split!r})\n\n"
        "import openm3w  # each shard compared with the manifest\n\n"
        f"for sample in openm3w.open('.', split={split!r}):\n"
        "    print(sample.document.title, len(sample.images))\n```\n\n"
        f"{_OTHER_LOADERS}{_exclusions(manifest)}"
    )


def _exclusions(manifest: Manifest) -> str:
    if not manifest.exclude:
        return ""
    return (
        f"\n\n{len(manifest.exclude):,} samples are excluded, by their keys under `exclude` in\n"
        "`manifest.json`. OpenM3W and Megatron-Energon leave them out; other loaders do not know\n"
        "of it: leave out samples with these keys yourself."
    )


def _making(manifest: Manifest) -> str:
    blocks: list[tuple[str, Mapping[str, Any]]] = [
        ("Recipe", manifest.recipe),
        ("Models that made the scores", manifest.models),
        ("Versions", manifest.versions),
    ]
    parts = [f"{title}:\n\n```json\n{_indented(value)}\n```" for title, value in blocks if value]
    return "\n\n".join(parts) or "The manifest holds no recipe."


def _indented(value: Mapping[str, Any]) -> str:
    # A fence inside a string of the recipe would end the block.
    return json.dumps(value, indent=1, ensure_ascii=False).replace("```", "'''")


def _languages(manifest: Manifest) -> list[str]:
    """ISO codes from the build's counts, the most frequent first; empty where they are unknown."""
    counts = manifest.counts.get("languages")
    if not isinstance(counts, Mapping):
        return []
    known = [(code, count) for code, count in counts.items() if code]
    return [code for code, _ in sorted(known, key=lambda item: (-item[1], item[0]))]


def _splits(manifest: Manifest) -> dict[str, list[ShardEntry]]:
    groups: dict[str, list[ShardEntry]] = {}
    for shard in manifest.shards:
        groups.setdefault(shard.split, []).append(shard)
    return groups
