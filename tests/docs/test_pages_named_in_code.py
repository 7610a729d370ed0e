"""Every page of docs/ that code names exists. (check_names.py checks what the pages name, and their links.)"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "cmake", "examples", "include", "tests", "tools")
SUFFIXES = {".hpp", ".cpp", ".cuh", ".cu", ".py", ".sh", ".cmake"}


def pages_in(text):
    return re.findall(r"\bdocs/\w+\.md\b", text)


class Pages(unittest.TestCase):
    def test_pages_are_found(self):
        self.assertEqual(pages_in("/// See docs/a.md, and (docs/b.md).\n// tests/docs.md"), ["docs/a.md", "docs/b.md"])

    def test_pages_exist(self):
        named = [(path.relative_to(ROOT).as_posix(), page) for folder in FOLDERS
                 for path in sorted((ROOT / folder).rglob("*"))
                 if path.suffix in SUFFIXES and path != pathlib.Path(__file__).resolve()
                 for page in pages_in(path.read_text(encoding="utf-8"))]
        self.assertGreater(len(named), 5)
        self.assertEqual([(path, page) for path, page in named if not (ROOT / page).exists()], [])


if __name__ == "__main__":
    unittest.main()
