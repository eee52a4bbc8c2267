"""clip-retrieval's `clip_index` and nothing else of it: a program, run by `neighbours`.

Importing clip-retrieval imports its encoders and web servers, which takes seconds and half a
gigabyte of memory; its package is therefore named here without being run, and the one module that
is wanted (clip_index.py of clip-retrieval 2.45) imported from it.
"""

import importlib
import importlib.util
import json
import sys
from types import ModuleType


def main(arguments: str) -> None:
    """Calls `clip_index` with keyword arguments, a JSON object."""
    spec = importlib.util.find_spec("clip_retrieval")
    if spec is None:
        sys.exit("clip-retrieval is not installed")
    package = ModuleType("clip_retrieval")
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["clip_retrieval"] = package
    importlib.import_module("clip_retrieval.clip_index").clip_index(**json.loads(arguments))


if __name__ == "__main__":
    main(sys.argv[1])
