"""Relative links in Markdown lead to files that exist, and to headings that they have; so do names of docs in code."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "cmake", "docs", "examples", "include", "tests", "tools", ".github")
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"",
                  re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(text):
    """Returns the anchors that GitHub gives to the headings of a Markdown text."""
    found = {}
    for title in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", FENCE.sub("", text), re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {slug if n == 0 else f"{slug}-{n}" for slug, last in found.items() for n in range(last + 1)}


def broken_links(path, text):
    """Returns the links of the Markdown file `path` that lead nowhere. Links to other hosts are not followed."""
    broken = []
    for match in LINK.finditer(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
        link = next(filter(None, match.groups()))
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if name and not target.exists():
            broken.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(text if not name else target.read_text(encoding="utf-8")):
            broken.append(f"{link}: no such heading")
    return broken


def markdown_files():
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.md"))
    yield from sorted(ROOT.glob("*.md"))


class Links(unittest.TestCase):
    def test_broken_links_are_found(self):
        page = ROOT / "docs" / "page.md"
        self.assertEqual(anchors("# A `b`, c\n## A b, c\n```\n# no heading\n```\n## A b c\n"),
                         {"a-b-c", "a-b-c-1", "a-b-c-2"})
        for link in ("[a](nowhere.md)", "![a](images/nowhere.png)", "[a](design.md#no-such-heading)", "[a](#b)",
                     "[a]: ../nowhere", '<img src="images/nowhere.png">'):
            self.assertEqual(len(broken_links(page, "# A\n" + link)), 1, link)
        for link in ("[a](design.md)", "[a](https://example.org/a#b)", "[a](#a)", "`[a](b)`", "```\n[a](b)\n```"):
            self.assertEqual(broken_links(page, "# A\n" + link), [], link)

    def test_links_lead_somewhere(self):
        files = list(markdown_files())
        self.assertGreater(len(files), 10)
        broken = [f"{path.relative_to(ROOT)}: {link}" for path in files
                  for link in broken_links(path, path.read_text(encoding="utf-8"))]
        self.assertEqual(broken, [], "\n" + "\n".join(broken))

    def test_docs_that_code_and_docs_name_exist(self):
        named = [(path.relative_to(ROOT).as_posix(), name) for folder in FOLDERS
                 for path in sorted((ROOT / folder).rglob("*"))
                 if path.suffix in {".hpp", ".cpp", ".cuh", ".cu", ".py", ".sh", ".md"}
                 for name in re.findall(r"\bdocs/\w+\.md\b", path.read_text(encoding="utf-8"))]
        self.assertGreater(len(named), 5)
        self.assertEqual([(path, name) for path, name in named if not (ROOT / name).exists()], [])


if __name__ == "__main__":
    unittest.main()
