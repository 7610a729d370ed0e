"""The headers of adtr::core include the standard library and each other, and no other package."""

import argparse
import pathlib
import re
import subprocess
import sys

CORE = re.compile(r"adtr/(core|parallel|nn|models)/|adtr/backend/(?!eigen|cuda)")
PACKAGE = re.compile(r"/(eigen3?|unsupported|xtensor|xtl|stb|catch2|CLI|nlohmann|benchmark)/|stb_\w+\.h$", re.IGNORECASE)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--flags", required=True)
    parser.add_argument("--include", required=True, type=pathlib.Path)
    args = parser.parse_args()

    headers = [str(path.relative_to(args.include)) for path in sorted(args.include.rglob("*.hpp"))]
    core = [h for h in headers if CORE.match(h) and not h.endswith(".inl.hpp")]
    assert core, "no header of adtr::core found"
    # -M lists every file that the compiler reads, including those of the system.
    result = subprocess.run(
        [args.compiler, f"@{args.flags}", "-M", "-x", "c++", "-"],
        input="".join(f'#include "{h}"\n' for h in core), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stderr)
        return 1
    foreign = [f for f in result.stdout.replace("\\\n", " ").split() if PACKAGE.search(f)]
    for f in foreign:
        print(f"a header of adtr::core includes {f}")
    print(f"{len(core)} headers, {len(foreign)} foreign files")
    return 1 if foreign else 0


if __name__ == "__main__":
    sys.exit(main())
