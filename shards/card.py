"""The files beside the shards that let other loaders open the folder.

`README.md` is a dataset card whose front matter declares every image slot: without it HF
`datasets` refuses documents with differing numbers of images, or drops images without a word.
`.nv-meta/` is what Megatron-Energon looks for.
"""

import json
from collections.abc import Mapping
from typing import Any

from openm3w.shards import commit
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.shards.terminal import clean_line
from openm3w.shards.writer import ShardEntry

CARD_NAME = "README.md"
ENERGON_FOLDER = ".nv-meta"

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
_RIGHTS = (
    "Texts and images belong to those who published them; each sample says where it comes from,\n"
    "and which opt-out signals and licence links its page carried."
)


def write_extras(manifest: Manifest) -> None:
    """Commits the dataset card and Energon's metadata; call it before `manifest.write`.

    Raises:
        OutputError: the folder cannot be written, or Energon's is a link.
    """
    folder = manifest.folder / ENERGON_FOLDER
    commit.check_folder(folder)
    commit.write_bytes(manifest.folder / CARD_NAME, card(manifest).encode())
    commit.write_json(folder / ".info.json", {"shard_counts": _shard_counts(manifest)})
    commit.write_bytes(folder / "split.yaml", energon_split(manifest).encode())
    commit.write_bytes(
        folder / "dataset.yaml", b"__module__: megatron.energon\n__class__: CrudeWebdataset\n"
    )


def card(manifest: Manifest) -> str:
    """The dataset card: YAML front matter, then what a reader wants to know."""
    return f"---\n{_front_matter(manifest)}---\n\n{_body(manifest)}"


def features(manifest: Manifest) -> list[dict[str, str]]:
    """The columns as HF `datasets` declares them, every image slot included.

    `dtype: json` keeps HF from deriving a schema from the first samples, which later ones break.
    """
    names = {"json": "json"}
    if manifest.kind == "interleaved":
        names |= {f"{index:03d}.jpg": "image" for index in range(manifest.max_images)}
    elif manifest.kind == "caption":
        names |= {"jpg": "image", "txt": "string"}
    else:
        names |= {"txt": "string"}
    names |= {"__key__": "string", "__url__": "string"}
    return [{"name": name, "dtype": dtype} for name, dtype in names.items()]


def energon_split(manifest: Manifest) -> str:
    """Energon's split.yaml: the shards of each split, and what the manifest excludes by key."""
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for shard in manifest.shards:
        parts.setdefault(shard.split, []).append(shard.url)
    lines = ["split_parts:"]
    for name, urls in parts.items():
        lines += _yaml_list(f"  {_quoted(name)}", urls)
    # Where an excluded key stands is not known without reading, so it is named in each shard.
    excluded = [f"{shard.url}/{key}" for key in manifest.exclude for shard in manifest.shards]
    return "\n".join([*lines, *_yaml_list("exclude", excluded)]) + "\n"


def _front_matter(manifest: Manifest) -> str:
    # Every string goes through JSON, which is YAML too: no name can break out of its place.
    lines = [f"pretty_name: {_quoted(manifest.name)}", "license: other"]
    lines += _yaml_list("language", _languages(manifest))
    lines += _yaml_list("tags", ["webdataset", manifest.kind, "openm3w"])
    lines += ["configs:", "  - config_name: default", "    data_files:"]
    for split, shards in _splits(manifest).items():
        lines += [f"      - split: {_quoted(split)}", "        path:"]
        lines += [f"          - {_quoted(shard.url)}" for shard in shards]
    lines += ["dataset_info:", "  features:"]
    for feature in features(manifest):
        lines += [f"    - name: {_quoted(feature['name'])}", f"      dtype: {feature['dtype']}"]
    return "\n".join(lines) + "\n"


def _body(manifest: Manifest) -> str:
    name = clean_line(manifest.name).replace("`", "'")
    members = f"One tar member each: {_MEMBERS[manifest.kind]}."
    sections = [
        f"# {name}\n\n{manifest.nsamples:,} {_WHAT[manifest.kind]}, written by OpenM3W.",
        f"## Counts\n\n{_counts_table(manifest)}",
        f"## What a sample holds\n\n{members}\n{_HASHES}",
        f"## How to load it\n\n{_loading(manifest)}",
        f"## How it was made\n\n{_making(manifest)}",
        f"## Rights\n\n{_RIGHTS}",
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
        "```python\nimport webdataset\n"
        f"samples = webdataset.WebDataset({url!r}, shardshuffle=False).decode('pil')\n\n"
        "import datasets  # reads the columns from this card\n"
        f"samples = datasets.load_dataset('.', split={split!r})\n\n"
        "import openm3w  # each shard compared with the manifest\n"
        f"for sample in openm3w.open('.', split={split!r}):\n"
        "    print(sample.document.title, len(sample.images))\n```"
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


def _shard_counts(manifest: Manifest) -> dict[str, int]:
    return {shard.url: shard.nsamples for shard in manifest.shards}


def _yaml_list(name: str, values: list[str]) -> list[str]:
    if not values:
        return [f"{name}: []"]
    indent = " " * (len(name) - len(name.lstrip()) + 2)
    return [f"{name}:", *(f"{indent}- {_quoted(value)}" for value in values)]


def _quoted(text: str) -> str:
    return json.dumps(text)
