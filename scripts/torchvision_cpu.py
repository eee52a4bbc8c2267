"""Lets torchvision be imported beside a CPU build of torch, in the development environment only.

The package index has torchvision as a CUDA build. Its Python part is all that open_clip, timm and
clip-retrieval need here, but `import torchvision` fails because its compiled part, which does not
load without CUDA, would have defined the operator that a decorator refers to. A `.pth` file in
the environment defines the operator's signature just before torchvision is first imported.
Where torchvision's compiled part does load (a CUDA machine), nothing is installed.

Run once by `make setup`; it is no part of the product.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

HOOK = '''\
"""Defines torchvision's nms operators before its first import; see scripts/torchvision_cpu.py."""
import sys


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            global library
            library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                library.define(
                    operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )
        return None


sys.meta_path.insert(0, _Finder())
'''


def main() -> None:
    """Installs the hook where torchvision does not import by itself."""
    check = [sys.executable, "-c", "import torchvision"]
    if subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return
    site = Path(sysconfig.get_paths()["purelib"])
    (site / "_torchvision_cpu.py").write_text(HOOK, encoding="utf-8")
    (site / "torchvision_cpu.pth").write_text("import _torchvision_cpu\n", encoding="utf-8")
    subprocess.run(check, check=True)


if __name__ == "__main__":
    main()
