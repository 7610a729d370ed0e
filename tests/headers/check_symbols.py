"""Tools that read source without compiling it (ctags, outlines of editors) find adtr's names, in its namespace.

Runs ctags over include/adtr and looks names of several kinds up: a class, a class template, a function template, and
names of inner namespaces. Exits with 1 and one sentence for each name that is not listed.
"""

import argparse
import json
import subprocess
import sys

EXPECTED = {
    "Detector": "adtr::ADTR_ABI",
    "MBConv": "adtr::ADTR_ABI",
    "train_model": "adtr::ADTR_ABI",
    "evaluate": "adtr::ADTR_ABI",
    "Error": "adtr::ADTR_ABI",
    "Context": "adtr::ADTR_ABI::cpu",
}


def listed(ctags: str, include: str) -> set[tuple[str, str]]:
    """Returns the names at namespace scope that ctags lists, each with its namespace."""
    command = [ctags, "--output-format=json", "--languages=C++", "--langmap=C++:+.cuh", "--fields=+sS", "-R", "-f", "-"]
    output = subprocess.run([*command, include], capture_output=True, text=True, check=True).stdout
    tags = (json.loads(line) for line in output.splitlines())
    return {(t["name"], t["scope"]) for t in tags if t.get("scopeKind") == "namespace"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ctags", required=True)
    parser.add_argument("--include", required=True)
    arguments = parser.parse_args()
    found = listed(arguments.ctags, arguments.include)
    missing = [
        f"ctags does not list {name} in namespace {scope}"
        for name, scope in EXPECTED.items()
        if (name, scope) not in found
    ]
    if missing:
        sys.exit("\n".join(missing))
    print(f"ctags lists all {len(EXPECTED)} names, among {len(found)} at namespace scope")


if __name__ == "__main__":
    main()
