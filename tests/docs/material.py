"""Makes what the commands of the pages are run on: small photographs, a data set, and random weights of a backbone."""

import array
import json
import math
import pathlib
import random
import shutil
import struct
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from weights.safetensors_file import safetensors_bytes  # noqa: E402  (its folder is known only now)
from weights.tensors import Tensor  # noqa: E402

SIDE = 64


def png_bytes(pixels: bytes) -> bytes:
    """A grey PNG of SIDE x SIDE pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * SIDE : (y + 1) * SIDE] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def defective(x: int, y: int) -> bool:
    return 20 <= x < 40 and 20 <= y < 40


def picture(seed: int, defect: bool = False) -> bytes:
    """A pattern of waves that depends on `seed`, with a dark square if `defect`."""
    phase = random.Random(seed).uniform(0.0, 6.0)
    return png_bytes(
        bytes(
            10 if defect and defective(x, y) else int(140 + 60 * math.sin(0.3 * x + phase + 0.1 * y))
            for y in range(SIDE)
            for x in range(SIDE)
        )
    )


def mask() -> bytes:
    return png_bytes(bytes(255 if defective(x, y) else 0 for y in range(SIDE) for x in range(SIDE)))


def write(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def backbone_bytes() -> bytes:
    """EfficientNet-Lite0 with random weights, scaled so that activations neither die nor grow (He et al., 2015)."""
    values = random.Random(7)
    state = {}
    for line in (ROOT / "tests/golden/data/lite0_256_16.parameters.txt").read_text().splitlines():
        name, *sizes = line.split()
        if not name.startswith("backbone."):
            continue
        shape = tuple(int(size) for size in sizes)
        count = math.prod(shape)
        if len(shape) > 1:
            limit = math.sqrt(6.0 * shape[0] / count)
            numbers = array.array("f", (limit * (2.0 * values.random() - 1.0) for _ in range(count)))
        else:
            one = name.endswith(("bn1.weight", "bn2.weight", "bn3.weight", "running_var"))
            numbers = array.array("f", [1.0 if one else 0.0]) * count
        state[name.removeprefix("backbone.")] = Tensor("F32", shape, numbers.tobytes())
    return b"".join(safetensors_bytes(state, {"architecture": "efficientnet_lite0"}))


def write_material(folder: pathlib.Path) -> None:
    """Everything that a page names and does not make itself."""
    write(folder / "lite0.safetensors", backbone_bytes())
    for i in range(3):
        write(folder / f"good_parts/{i}.png", picture(i))
        write(folder / f"parts/train/good/{i}.png", picture(i))
    for i in range(2):
        write(folder / f"new/{i}.png", picture(10 + i, defect=i == 1))
        write(folder / f"parts/test/good/{i}.png", picture(20 + i))
        write(folder / f"parts/test/scratch/{i}.png", picture(30 + i, defect=True))
        write(folder / f"parts/ground_truth/scratch/{i}_mask.png", mask())
        write(folder / f"known_defects/test/scratch/{i}.png", picture(40 + i, defect=True))
        write(folder / f"known_defects/ground_truth/scratch/{i}_mask.png", mask())
    write(folder / "part.png", picture(50))


def copy_model(folder: pathlib.Path) -> None:
    """The C++ examples load a model under several names."""
    for name in ("screw", "front", "back"):
        shutil.copyfile(folder / "part.adtr", folder / f"{name}.adtr")
