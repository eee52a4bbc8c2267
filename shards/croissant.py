"""`croissant.json`: the dataset in the words of MLCommons Croissant 1.1, with its RAI extension.

Written by hand, for the core has no mlcroissant; that the tests validate with mlcroissant 1.1.1.
Sources: the Croissant format specification 1.1 and the RAI vocabulary 1.0 of MLCommons
(docs.mlcommons.org/croissant), as mlcroissant 1.1.1 implements them: its `@context`, its names of
the properties (`_src/core/constants.py`) and which of them may be repeated
(`_src/structure_graph/nodes/metadata.py`).

mlcroissant 1.1.1 reads the record sets of whole members (`samples`, `images`, `texts`) out of the
tars. It unpacks them first, into a cache of its own where it finds them by the shard's name in the
folder: two datasets need two caches (`CROISSANT_CACHE`). `fields` says what stands where in the
JSON; of files in an archive that version reads no paths, and says so. Its joins change the columns
that they join by, so that there are none here; nor does it heed `excludes`, which name the samples
that the manifest excludes.

Who publishes the data adds `datePublished`, `citeAs`, `url`, `creator`: no program knows them.
Nothing here depends on when or where it is written: equal manifests give equal bytes.
"""

from collections.abc import Mapping
from typing import Any, Final

from openm3w.shards import describing
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.shards.terminal import clean_line

CROISSANT_NAME: Final = "croissant.json"

_KEY: Final = {"regex": r"^([^.]+)\."}
"""A key has no dot, so that it ends at the first one of a member's name."""

_CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "excludes": "cr:excludes",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_JSON: Final = "application/json"
_MEMBERS: Final[Mapping[Kind, tuple[tuple[str, str, str], ...]]] = {
    "interleaved": (("json-files", "*.json", _JSON), ("image-files", "*.jpg", "image/jpeg")),
    "caption": (("json-files", "*.json", _JSON), ("image-files", "*.jpg", "image/jpeg")),
    "text": (("json-files", "*.json", _JSON), ("text-files", "*.txt", "text/plain")),
}
"""Name of a set of members, its pattern and media type."""

_CONTENT: Final[Mapping[Kind, tuple[tuple[str, str, str], ...]]] = {
    "interleaved": (
        ("samples", "json-files", "sc:Text"),
        ("images", "image-files", "sc:ImageObject"),
    ),
    "caption": (
        ("samples", "json-files", "sc:Text"),
        ("images", "image-files", "sc:ImageObject"),
    ),
    "text": (("samples", "json-files", "sc:Text"), ("texts", "text-files", "sc:Text")),
}
"""Record set of whole members, the set of its files, and what they hold."""

_Field = tuple[str, str, str, str]
"""Name, data type, path in the JSON, and what it is."""

_PAGE: Final[tuple[_Field, ...]] = (
    ("url", "sc:URL", "url", "Address of the page."),
    ("title", "sc:Text", "title", "Title of the page."),
    ("language", "sc:Text", "signals.language", "ISO 639-1 code, or nothing."),
    ("source", "sc:Text", "provenance.source", "Archive or table that it is from."),
)
_FIELDS: Final[Mapping[Kind, tuple[_Field, ...]]] = {
    "interleaved": (
        ("texts", "sc:Text", "texts", "Texts in reading order; null where an image stands."),
        ("images", "sc:Text", "images", "Members of the images; null where a text stands."),
        *((name, kind, f"metadata.{path}", about) for name, kind, path, about in _PAGE),
    ),
    "caption": (
        ("caption", "sc:Text", "caption", "What is said of the image."),
        ("url", "sc:URL", "url", "Address of the image."),
        ("width", "sc:Integer", "width", "Pixels, as stored."),
        ("height", "sc:Integer", "height", "Pixels, as stored."),
    ),
    "text": _PAGE,
}
_ABOUT: Final = {
    "key": "The sample's key: a member's name up to its first dot.",
    "member": "Name of the member in the tar.",
    "content": "What the member holds.",
}
_LISTS: Final = frozenset({"texts", "images"})


def croissant(manifest: Manifest) -> dict[str, Any]:
    """The metadata of one dataset, as JSON-LD."""
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "name": clean_line(manifest.name) or "dataset",
        "description": _description(manifest),
        "conformsTo": [
            "http://mlcommons.org/croissant/1.1",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        # Equal data has equal digits; a publisher who counts versions sets his own.
        "version": f"1.0.0+{manifest.fingerprint}",
        "license": describing.RIGHTS,
        "keywords": ["webdataset", manifest.kind, "openm3w"],
        **_languages(manifest),
        "distribution": [*_shards(manifest), *_member_sets(manifest)],
        "recordSet": [
            _fields(manifest),
            *(
                _members(records, files, data_type)
                for records, files, data_type in _CONTENT[manifest.kind]
            ),
        ],
        **_rai(manifest),
    }


def _description(manifest: Manifest) -> str:
    return (
        f"{manifest.nsamples:,} samples of kind {manifest.kind}, with {manifest.images:,} images "
        f"and {manifest.characters:,} characters, in {len(manifest.shards):,} tar files. "
        + " ".join(describing.collection(manifest))
    )


def _languages(manifest: Manifest) -> dict[str, Any]:
    known = describing.distributions(manifest).get("languages") or {}
    codes = [code for code in known if code and code != "unknown"]
    return {"inLanguage": codes} if codes else {}


def _shards(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": shard.url,
            "name": shard.url,
            "description": f"Split {clean_line(shard.split)}, {shard.nsamples:,} samples.",
            "contentUrl": shard.url,
            "contentSize": f"{shard.filesize} B",
            "encodingFormat": "application/x-tar",
            "sha256": shard.sha256,
        }
        for shard in manifest.shards
    ]


def _member_sets(manifest: Manifest) -> list[dict[str, Any]]:
    excluded = [f"{key}.*" for key in manifest.exclude]
    return [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "containedIn": [{"@id": shard.url} for shard in manifest.shards],
            "encodingFormat": media_type,
            "includes": pattern,
            **({"excludes": excluded} if excluded else {}),
        }
        for name, pattern, media_type in _MEMBERS[manifest.kind]
    ]


def _fields(manifest: Manifest) -> dict[str, Any]:
    """What the JSON of each sample says, by path."""
    fields = []
    for name, data_type, path, about in _FIELDS[manifest.kind]:
        found = {
            "@type": "cr:Field",
            "@id": f"fields/{name}",
            "name": name,
            "description": about,
            "dataType": data_type,
            "source": {"fileSet": {"@id": "json-files"}, "extract": {"jsonPath": f"$.{path}"}},
        }
        is_list = manifest.kind == "interleaved" and name in _LISTS
        fields.append(found | ({"isArray": True, "arrayShape": "-1"} if is_list else {}))
    return {
        "@type": "cr:RecordSet",
        "@id": "fields",
        "name": "fields",
        "description": "What the JSON of each sample says; docs/shard-format.md has all of it.",
        "field": fields,
    }


def _members(records: str, files: str, data_type: str) -> dict[str, Any]:
    """A record set of whole members: key, name and content."""
    return {
        "@type": "cr:RecordSet",
        "@id": records,
        "name": records,
        "description": "Members of the samples: those with one key are one sample.",
        "field": [
            _field(records, files, "key", "sc:Text", "filename"),
            _field(records, files, "member", "sc:Text", "filename"),
            _field(records, files, "content", data_type, "content"),
        ],
    }


def _field(records: str, files: str, name: str, data_type: str, of_file: str) -> dict[str, Any]:
    source = {"fileSet": {"@id": files}, "extract": {"fileProperty": of_file}}
    if name == "key":
        source["transform"] = dict(_KEY)
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{name}",
        "name": name,
        "description": _ABOUT[name],
        "dataType": data_type,
        "source": source,
    }


def _rai(manifest: Manifest) -> dict[str, Any]:
    """Of the Responsible AI vocabulary what recipe and counts can tell."""
    wishes = list(describing.opt_out(manifest))
    return {
        "rai:dataCollection": " ".join([*describing.collection(manifest), *wishes]),
        "rai:dataCollectionType": ["Web Scraping"],
        "rai:dataPreprocessingProtocol": list(describing.preprocessing(manifest)),
        "rai:dataBiases": list(describing.biases(manifest)),
        "rai:dataLimitations": list(describing.LIMITS),
        "rai:dataUseCases": list(describing.USES),
        "rai:personalSensitiveInformation": [describing.PERSONAL],
        "rai:dataReleaseMaintenancePlan": describing.DELETION,
    }
