#!/usr/bin/env python3
"""Looks for violations of the one-definition rule between objects of g++ and nvcc, and for symbols that CUDA adds.

check_definitions.py NM one OBJECT...     each variable that several objects define has one size, and no function or
                                          variable of adtr's but templates and inline ones is defined twice
check_definitions.py NM same COMPILER FLAGS SOURCE CUDA_INCLUDE
                                          without nvcc, a file has the same symbols whether CUDA is there or not
"""
import collections
import pathlib
import subprocess
import sys
import tempfile


def symbols(nm, path):
    """Returns {name: (type letter, size)} of an object file; the size is None if a symbol has none."""
    lines = subprocess.run([nm, "-S", path], check=True, capture_output=True, text=True).stdout.splitlines()
    result = {}
    for line in lines:
        fields = line.split()
        name, letter = fields[-1], fields[-2]
        result[name] = letter, int(fields[1], 16) if len(fields) == 4 else None
    return result


def check_one(nm, paths):
    found = collections.defaultdict(list)
    for path in paths:
        for name, (letter, size) in symbols(nm, path).items():
            if letter != "U":
                found[name].append((path, letter, size))
    complaints, shared = [], 0
    for name, places in found.items():
        if len(places) < 2 or "adtr" not in name:
            continue
        letters = {letter for _, letter, _ in places}
        if letters <= set("tbdrn"):
            continue  # each object's own
        shared += 1
        if letters & set("TBDR"):
            complaints.append(f"{name} is defined by {' and '.join(path for path, _, _ in places)}")
        # Code may be as long as its compiler's options make it; what it works on may not.
        elif letters <= set("VuB") and len({size for _, _, size in places}) > 1:
            complaints.append(f"{name} has the sizes {sorted({size for _, _, size in places})}")
    if shared == 0:
        complaints.append("the objects share no definition of adtr's, so nothing was checked")
    return complaints


def check_same(nm, compiler, flags, source, include):
    with tempfile.TemporaryDirectory() as folder:
        tables = []
        for name, more in (("without", []), ("with", ["-DADTR_CUDA=1", "-DADTR_PROGRAM_CUDA=1", "-isystem", include])):
            path = str(pathlib.Path(folder, name + ".o"))
            subprocess.run([compiler, "@" + flags, "-O1", "-c", source, "-o", path, *more], check=True)
            tables.append(symbols(nm, path))
    without, with_cuda = tables
    if not any("adtr" in name for name in without):
        return [f"{source} has no symbol of adtr's, so nothing was checked"]
    return [f"{name}: {without.get(name)} without CUDA, {with_cuda.get(name)} with it"
            for name in sorted(without.keys() | with_cuda.keys()) if without.get(name) != with_cuda.get(name)]


def main():
    nm, what, *paths = sys.argv[1:]
    complaints = check_one(nm, paths) if what == "one" else check_same(nm, *paths)
    for complaint in complaints[:20]:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
