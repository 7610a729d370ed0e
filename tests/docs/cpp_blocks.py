"""Writes the C++ blocks of the pages into one source file, which compiles and runs them all.

A block with `main` becomes a function of its own name. Any other is a fragment: the body of a function, with the
includes moved to the top of the file. The program's `main` calls each, unless the block is compiled only.
"""

import pathlib
import re

from pages import Block, Fault

INCLUDE = re.compile(r"^#include .*$", re.MULTILINE)


def is_program(block: Block) -> bool:
    return re.search(r"\bint main\(", block.text) is not None


def body_of(block: Block) -> str:
    given = "".join(code + "\n" for code in block.markers.get("given", []))
    line = f'#line {block.line + 1} "{block.page}"\n'
    text = INCLUDE.sub("", block.text)
    if "scopes" not in block.markers:
        return given + line + text
    paragraphs, number = [], block.line + 1
    for paragraph in re.split(r"(?<=\n)\n", text):
        paragraphs.append(f'{{\n#line {number} "{block.page}"\n{paragraph}}}\n')
        number += paragraph.count("\n") + 1
    return given + "".join(paragraphs)


def source_of(blocks: list[Block]) -> tuple[str, int, int, int]:
    """The source file, and how many blocks it runs as programs, runs as fragments, and compiles only."""
    groups: list[list[Block]] = []  # blocks that share a scope
    for block in blocks:
        if "continues" not in block.markers:
            groups.append([block])
        elif groups and groups[-1][-1].page == block.page:
            groups[-1].append(block)
        else:
            raise Fault(f"{block.place}: the block continues none")

    includes = ["#include <adtr/adtr.hpp>", '#include "given.hpp"', "#include <cstdio>", "#include <exception>",
                "#include <atomic>", "#include <latch>", "#include <memory>", "#include <thread>", "#include <utility>"]
    functions, calls = [], []
    programs = fragments = compiled = 0
    for number, group in enumerate(groups):
        for block in group:
            includes += [i for i in INCLUDE.findall(block.text) if i not in includes]
        name = f"block_{number}"
        if is_program(group[0]):
            if len(group) > 1:
                raise Fault(f"{group[1].place}: a program cannot be continued")
            body = re.sub(r"\bint main\(\)", f"int {name}()", body_of(group[0]), count=1)
            functions.append(re.sub(r"\}\s*\Z", "return 0;\n}\n", body))  # only main may end without
        else:
            outside = "".join(body_of(b) for b in group if "declarations" in b.markers)
            inside = "".join(body_of(b) for b in group if "declarations" not in b.markers)
            functions.append(f"namespace scope_{number} {{\n{outside}\nvoid {name}() {{\n{inside}}}\n}}\n"
                             f"using scope_{number}::{name};\n")
        if any("compile only" in b.markers for b in group):
            compiled += len(group)
            functions.append(f"[[maybe_unused]] const auto compiled_{number} = &{name};\n")
            continue
        if is_program(group[0]):
            programs += 1
        else:
            fragments += len(group)
        result = f"status |= {name}();" if is_program(group[0]) else f"{name}();"
        calls.append(f'  place = "{group[0].place}";\n  {result}\n')

    emulator = "namespace adtr { using Cuda = CudaEmulator; }\n" if "#include <adtr/backend/cuda.hpp>" in includes else ""
    main = ('\n#line 1 "main of the blocks"\nint main() {\n  const char* place = "";\n  int status = 0;\n  try {\n'
            + "".join(calls)
            + '  } catch (const std::exception& e) {\n    std::fprintf(stderr, "%s: %s\\n", place, e.what());\n'
            "    return 1;\n  }\n  return status;\n}\n")
    text = "\n".join(includes) + "\n\n" + emulator + "\n".join(functions) + main
    return text, programs, fragments, compiled


def check_excerpts(blocks: list[Block], root: pathlib.Path) -> int:
    """Blocks that are a part of a file of the project. Gives how many there are."""
    count = 0
    for block in blocks:
        for name in block.markers.get("same as", []):
            count += 1
            path = root / name
            if not path.is_file():
                raise Fault(f"{block.place}: there is no file {name}")
            if block.text.strip() not in path.read_text(encoding="utf-8"):
                raise Fault(f"{block.place}: the block is not a part of {name}")
    return count
