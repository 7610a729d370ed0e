"""The project's Markdown pages: their blocks of code, their inline code and their tables.

A block is tested as its language says. A comment on the lines before a block changes that:

    <!-- test: compile only -->      a C++ fragment is compiled and not run
    <!-- test: continues -->         a C++ fragment continues in the scope of the one before it
    <!-- test: declarations -->      a C++ fragment belongs outside of functions
    <!-- test: scopes -->            each paragraph of a C++ fragment has a scope of its own
    <!-- test: given CODE -->        C++ declarations that a fragment needs, before it
    <!-- test: same as FILE -->      the block is a part of FILE, which other tests compile and run
    <!-- test: check only -->        the commands of a shell block are checked and not run
"""

import dataclasses
import pathlib
import re
import subprocess

LANGUAGES = ("cpp", "sh", "python", "cmake", "text")
MARKERS = {
    "compile only": ("cpp",),
    "continues": ("cpp",),
    "declarations": ("cpp",),
    "scopes": ("cpp",),
    "given": ("cpp",),
    "same as": LANGUAGES,
    "check only": ("sh",),
}


class Fault(Exception):
    """A sentence that says what is wrong on a page."""


@dataclasses.dataclass
class Block:
    """One fenced block: where it is, its language, its text, and what the comments before it say."""

    page: str
    line: int
    language: str
    text: str
    markers: dict[str, list[str]]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclasses.dataclass
class Page:
    name: str
    text: str
    blocks: list[Block]
    prose: str  # the page without its blocks, with as many lines


def marker_of(line: str, place: str) -> tuple[str, str] | None:
    found = re.fullmatch(r"\s*<!-- test: (.+?) -->", line)
    if not found:
        return None
    for name in MARKERS:
        if found[1] == name or found[1].startswith(name + " "):
            return name, found[1][len(name) :].strip()
    raise Fault(f"{place}: no marker of this name: {found[1]}")


def parse(name: str, text: str) -> Page:
    blocks: list[Block] = []
    prose: list[str] = []
    markers: dict[str, list[str]] = {}
    block: Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if block is not None:
            prose.append("")
            if line.startswith("```"):
                blocks.append(block)
                block = None
            else:
                block.text += line + "\n"
        elif line.startswith("```"):
            language = line[3:].strip()
            place = f"{name}:{number}"
            if language not in LANGUAGES:
                raise Fault(f"{place}: expected a block of {', '.join(LANGUAGES)}, found '{language}'")
            for marker in markers:
                if language not in MARKERS[marker]:
                    raise Fault(f"{place}: the marker '{marker}' does not fit a block of {language}")
            block = Block(name, number, language, "", markers)
            markers = {}
            prose.append("")
        else:
            marker = marker_of(line, f"{name}:{number}")
            if marker:
                markers.setdefault(marker[0], []).append(marker[1])
            elif markers:
                raise Fault(f"{name}:{number}: a marker stands before no block")
            prose.append(line)
    if block is not None:
        raise Fault(f"{block.place}: the block does not end")
    return Page(name, text, blocks, "\n".join(prose))


def all_pages(root: pathlib.Path) -> list[Page]:
    """Every Markdown page of the project, but the forms of its issues."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = sorted(set(listed.stdout.split("\n")) - {""})
    else:  # an archive without its history
        folders = ("docs", "tests", "benchmarks", "tools", "examples")
        found = [*root.glob("*.md"), *(p for folder in folders for p in (root / folder).rglob("*.md"))]
        names = sorted(str(p.relative_to(root)) for p in found)
    names = [n for n in names if not n.startswith(".github/") and (root / n).exists()]
    return [parse(n, (root / n).read_text(encoding="utf-8")) for n in names]


def inline_code(page: Page) -> list[tuple[str, str]]:
    """(place, text) of each `span` of the prose. Spans may run over lines."""
    spans = []
    for found in re.finditer(r"(?<!`)`([^`]+)`(?!`)", page.prose):
        line = page.prose.count("\n", 0, found.start()) + 1
        spans.append((f"{page.name}:{line}", re.sub(r"\s+", " ", found[1].replace("\\|", "|"))))
    return spans


def table(page: Page, header: str) -> list[list[str]]:
    """The rows of the table whose header line begins with `header`, without markup of code."""
    lines = page.prose.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith(header)]
    if len(starts) != 1:
        raise Fault(f"{page.name}: expected one table that begins with '{header}', found {len(starts)}")
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]])
    return rows

