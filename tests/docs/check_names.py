"""Checks what the pages say beside their blocks: names of files, commands, options, and tables.

Inline code: a path of the project exists; a command of adtr, CMake or CTest is one; an option is one that some program
or script of the project has, with the default that the page gives it. The table of docs/backbones.md has the figures of
the networks' types and the networks that the program is compiled for, and README's table of commands has the program's
commands. Exits with 1 and a sentence for each fault. (test_links.py checks the links.)
"""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from commands import Checker
from pages import Fault, Page, all_pages, inline_code, table

HERE = pathlib.Path(__file__).resolve().parent
# What begins like a path of the project but lies in the folder of a build, or is an example's.
NOT_HERE = ("build/", "out/")
FOLDERS = ("adtr/", "include/", "tests/", "tools/", "docs/", "examples/", "benchmarks/", "cmake/", ".ci/", ".github/")
# docs/design.md and CHANGELOG.md also name what is no longer there.
HISTORY = ("CHANGELOG.md", "docs/design.md")


def check_path(root: pathlib.Path, span: str, place: str) -> bool:
    """Whether the span is a path; a Fault if it is one that does not exist."""
    if not span.startswith(FOLDERS) or not re.fullmatch(r"[\w./*<>{},-]+", span):
        return False
    if re.search(r"[*<>{}]", span):
        span = re.split(r"[*<>{]", span)[0].rpartition("/")[0]
    span = span.split(":")[0].rstrip("/.")
    if not (root / span).exists() and not (root / "include" / span).exists():
        raise Fault(f"{place}: there is no file or folder {span}")
    return True


def check_span(checker: Checker, root: pathlib.Path, span: str, place: str) -> str:
    """The kind of a span of inline code: what was checked of it."""
    if check_path(root, span, place):
        return "paths"
    first = span.split(" ")[0]
    if first in ("cmake", "ctest") or (first in checker.programs and " " in span) or first.startswith("tools/"):
        words = shlex.split(span.replace("…", ""))
        # A page may name a choice by capitals: `adtr detect --threshold X`.
        checker.check(words, place, whole=False)
        return "commands"
    options = re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", span)
    for option in options:
        if option not in checker.all_options():
            raise Fault(f"{place}: no program of the project has the option {option}")
    for option in re.findall(r"-D(ADTR_\w+)=", span):
        checker.check_cmake([f"-D{option}"], place)
    return "options" if options else "other"


def check_defaults(checker: Checker, page: Page) -> int:
    """`--option` (NUMBER) on a page for users gives the default of `adtr train`."""
    found = re.findall(r"`(--[a-z-]+)` \((\d[\d.]*)\)", page.prose)
    text = checker.help_of("adtr", "train")
    for option, value in found:
        entry = re.search(rf"^\s+{option}\b(.*\n(?:\s{{20,}}.*\n)*)", text, re.MULTILINE)
        if not entry or not re.search(rf"=({re.escape(value)})\b|[\[ ]{re.escape(value)}[,\]]", entry[1]):
            raise Fault(f"{page.name}: {value} is not the default of {option}")
    return len(found)


def compiled_networks(checker: Checker, backend: str, work: pathlib.Path) -> dict[str, list[str]]:
    """The geometries of each architecture that the program has, which it says where it lacks another."""
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (work / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    command = [checker.programs["adtr"], "train", "--data", str(work / "good"), "--backbone", str(work / "w.safetensors"),
               "--architecture", "resnet18", "--image-size", "8", "--grid", "1", "--out", str(work / "m.adtr"),
               "--backend", backend]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    found = re.search(r"; it has (.+)$", said.strip())
    if not found:
        raise Fault(f"the program does not list its networks: {said}")
    result: dict[str, list[str]] = {}
    for name, geometry in re.findall(r"(\w+) (\d+/\d+)", found[1]):
        result.setdefault(name, []).append(geometry)
    return result


def check_backbones(checker: Checker, page: Page, args: argparse.Namespace, work: pathlib.Path) -> int:
    program = work / "networks"
    subprocess.run([args.compiler, f"@{args.flags}", "-O0", "-g0", str(HERE / "networks.cpp"), "-o", str(program)],
                   check=True)
    printed = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.splitlines()
    has = compiled_networks(checker, "cpu", work), compiled_networks(checker, "eigen", work)
    expected = []
    for line in printed:
        name, *figures = line.split("|")
        expected.append([f"`{name}`", *figures, *(", ".join(h.get(name, [])) for h in has)])
    rows = table(page, "| architecture | features |")
    for row, right in zip(rows, expected):
        if row != right:
            raise Fault(f"{page.name}: the row {' | '.join(row)}\nmust be                    {' | '.join(right)}")
    if len(rows) != len(expected):
        raise Fault(f"{page.name}: the table has {len(rows)} rows, adtr {len(expected)} backbones")
    return len(rows)


def check_commands_table(checker: Checker, page: Page) -> None:
    """README's table of commands has each command of the program, and no other."""
    rows = [row[0].strip("`") for row in table(page, "| command | what it does |")]
    named = {row.split(" ")[1] for row in rows if row.startswith("adtr ")}
    commands = set(checker.commands_of("adtr"))
    if named != commands:
        raise Fault(f"{page.name}: the table names {sorted(named)}, the program has {sorted(commands)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("root", "build", "compiler", "flags"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH", help="a program of the build")
    args = parser.parse_args()
    root = pathlib.Path(args.root)
    checker = Checker(root, pathlib.Path(args.build), dict(p.split("=", 1) for p in args.program))
    pages = {page.name: page for page in all_pages(root)}

    counts: dict[str, int] = {}
    faults: list[str] = []

    def attempt(kind: str, check, *arguments) -> None:
        try:
            counts[kind] = counts.get(kind, 0) + (check(*arguments) or 0)
        except Fault as fault:
            faults.append(str(fault))

    for page in pages.values():
        if page.name in HISTORY:
            continue
        attempt("defaults", check_defaults, checker, page)
        for place, span in inline_code(page):
            try:
                kind = check_span(checker, root, span, place)
                counts[kind] = counts.get(kind, 0) + 1
            except Fault as fault:
                faults.append(str(fault))
    attempt("commands", check_commands_table, checker, pages["README.md"])
    with tempfile.TemporaryDirectory() as work:
        import material  # its folder of weights is not needed before

        material.write(pathlib.Path(work) / "good/0.png", material.picture(0))
        attempt("networks", check_backbones, checker, pages["docs/backbones.md"], args, pathlib.Path(work))
    print("checked: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
