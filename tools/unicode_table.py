#!/usr/bin/env python3
"""Makes include/adtr/data/unicode_table.hpp and tests/data/golden/unicode_names.txt from Python's unicodedata.

    python3 tools/unicode_table.py

The table holds the canonical decompositions of the Basic Multilingual Plane (except Hangul, which follows a rule, and
the CJK compatibility ideographs) and the classes that order combining marks. Unicode never changes either of them
for an existing character. Needs the standard library only.
"""
import pathlib
import random
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/adtr/data/unicode_table.hpp"
GOLDEN = ROOT / "tests/data/golden/unicode_names.txt"

HEAD = """/// Canonical decompositions and combining classes of Unicode, from tools/unicode_table.py: do not edit.
#pragma once

#include <cstdint>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

"""


def covered():
    """Returns the characters that the table covers."""
    return [c for c in range(0x10000) if not 0xAC00 <= c < 0xE000 and not 0xF900 <= c < 0xFB00]


def decompositions():
    """Returns sorted rows (character, first, second or 0)."""
    rows = []
    for c in covered():
        parts = unicodedata.decomposition(chr(c)).split()
        if parts and not parts[0].startswith("<"):
            rows.append((c, *(int(p, 16) for p in parts), 0)[:3])
    return rows


def classes():
    """Returns sorted rows (first, last, class) of runs of combining marks with one class."""
    runs = []
    for c in covered():
        k = unicodedata.combining(chr(c))
        if k and runs and runs[-1][1] == c - 1 and runs[-1][2] == k:
            runs[-1][1] = c
        elif k:
            runs.append([c, c, k])
    return runs


def array(name, doc, rows):
    text = f"/// {doc}\ninline constexpr std::uint16_t {name}[][3] = {{\n"
    line = "   "
    for row in rows:
        item = " {" + ",".join(str(v) for v in row) + "},"
        if len(line) + len(item) > 120:
            text += line + "\n"
            line = "   "
        line += item
    return text + line + "\n};\n"


def golden():
    """Returns pairs of composed and decomposed names as hexadecimal UTF-8: all characters, and random strings."""
    rows = decompositions()
    names = [chr(row[0]) for row in rows] + [chr(c) for c in range(0xAC00, 0xD7A4, 97)] + [chr(0xD7A3)]
    marks = [chr(c) for first, last, _ in classes() for c in range(first, last + 1)]
    chance = random.Random(14)
    letters = [chr(row[0]) for row in rows] + list("aeiouAEOUnc") + marks
    names += ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(200)]
    lines = []
    for name in names:
        nfc, nfd = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
        lines.append(f"{nfc.encode().hex()} {nfd.encode().hex()}\n")
    return "".join(lines)


def main():
    text = HEAD
    text += "// clang-format off\n"
    text += array("unicode_parts", "Each row: a character, and the first and second (0: none) of its decomposition.",
                  decompositions())
    text += "\n"
    text += array("unicode_classes", "Each row: the first and last of consecutive marks of one class, and the class.",
                  classes())
    text += "// clang-format on\n\n}  // namespace detail\n}  // namespace ADTR_ABI\n}  // namespace adtr\n"
    HEADER.write_text(text)
    GOLDEN.write_text(golden())


if __name__ == "__main__":
    main()
