"""Two plugins with different versions of adtr work in one process.

The second plugin is built from a copy of the headers in which Buffer has another layout. With another minor version in
abi.hpp its inline functions have names of their own, so both plugins compute the right sum. With the same minor version
they share functions that disagree about the layout, which the test checks too, so that it cannot pass by chance.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).parent
INCLUDE = SOURCE.parent.parent / "include"


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def edit(header: pathlib.Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, header.read_text())
    if count != 1:
        sys.exit(f"{header}: expected one place that matches {pattern}, found {count}")
    header.write_text(text)


def weak_symbols(nm: str, library: str) -> set[str]:
    lines = [line.split() for line in run(nm, "-D", "--defined-only", library).stdout.splitlines()]
    return {fields[2] for fields in lines if len(fields) == 3 and fields[1] in "WVu" and "4adtr" in fields[2]}


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--compiler", "--flags", "--nm", "--work"):
        parser.add_argument(option, required=True)
    args = parser.parse_args()
    work = pathlib.Path(args.work) / pathlib.Path(args.compiler).name / "versions"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    def headers(name: str, minor: bool) -> pathlib.Path:
        copy = work / name
        shutil.copytree(INCLUDE, copy)
        edit(copy / "adtr/core/buffer.hpp", r"( +Index size_ = 0;)", r"  char added_member_[256] = {};\n\1")
        if minor:
            edit(copy / "adtr/core/abi.hpp", r"(#define ADTR_VERSION_MINOR) \d+", r"\1 99")
        return copy

    def build(output: str, *arguments: str) -> str:
        # The include directory comes before those in the flags. -O0: without inlining, functions are symbols.
        result = run(args.compiler, *arguments, f"@{args.flags}", "-w", "-O0", "-pthread", "-o", str(work / output))
        if result.returncode != 0:
            sys.exit(result.stderr)
        return str(work / output)

    def plugin(function: str, include: pathlib.Path, name: str) -> str:
        return build(name, f"-I{include}", "-shared", "-fPIC", f"-DADTR_PLUGIN_FUNCTION={function}",
                     str(SOURCE / "plugin.cpp"))

    host = build("host", str(SOURCE / "plugin_host.cpp"), "-ldl")
    first = plugin("first", INCLUDE, "first.so")
    same = plugin("second", headers("same_version", minor=False), "same.so")
    other = plugin("second", headers("other_version", minor=True), "other.so")

    failures = [f"both versions define {s}" for s in sorted(weak_symbols(args.nm, first) & weak_symbols(args.nm, other))]
    if not weak_symbols(args.nm, first) & weak_symbols(args.nm, same):
        failures.append("plugins of one version share no symbol, so this test would notice nothing")
    # The plugin that is loaded first provides every symbol that both define, so both orders matter.
    for order in ([first, "first", other, "second"], [other, "second", first, "first"]):
        result = run(host, *order)
        print(result.stdout, end="")
        if result.returncode != 0:
            failures.append(f"two plugins with different versions failed with status {result.returncode}")
    print(*failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
