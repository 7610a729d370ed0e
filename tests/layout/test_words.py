"""Comments, docs, messages and help texts stay in plain English.

Each pattern is a turn of phrase that was once rewritten, with a sentence that it must find. NAMES are for identifiers.
"""
import bisect
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = ("include", "tests", "examples", "benchmarks", "tools", "cmake", "docs", ".ci", "README.md", "CONTRIBUTING.md",
          "CMakeLists.txt")
SUFFIXES = {".hpp", ".cpp", ".cuh", ".cu", ".py", ".sh", ".cmake", ".md", ".yml"}
OTHER_NAMES = {"CMakeLists.txt", "convert_weights", "run"}  # text files without one of these suffixes

UNITS = "images?|steps?|channels?|bytes|pixels|operations|calls?|parameters|multiply-accumulates|time|milliseconds"
PHRASES = {
    r"\bso many\b": "makes so many calls",
    r"\b(?:go|goes|going|gone|went) on (?:with|from)\b": "it is gone on with",
    r"\bgoes on (?:all the same|behind|where)\b": "it goes on all the same",
    r"\bor else\b": "found on the system, or else fetched",
    r"\belse for\b": "one name, else for otherwise",
    r"\bby way of\b": "by way of an index",
    r"\bto and fro\b": "copied to and fro",
    r"\bof the (?:host|device|user)'s\b": "n numbers of the host's",
    r"\bof one's own\b": "a network of one's own",
    r"\bwhere (?:there|it) (?:is|are) none\b": "null where there is none",
    r"\bwhere (?:not given|none is|nothing is)\b": "random where not given",
    r"\bwhat (?:it is|they are) not\b": "says what it is not",
    r"(?<!there )\bis no (?:number|finite|image|input|mask|file|tensor|whole|model)\b": "a score that is no number",
    r"\bare no (?:number|finite|image|input|mask|file|folder|tensor|UTF)": "bytes that are no UTF-8",
    r"\ball the same\b": "a page all the same",
    r"\bmade anew\b": "the others are made anew",
    r"\bwhole or not at all\b": "written whole or not at all",
    r"\bof no account\b": "the bias is of no account",
    rf"\b(?:{UNITS}) (?:a|an) (?:second|step|head|side|image|call|row|turn|defect|bin|line)\b": "images a second",
    r"\bkept apart\b": "a fifth is kept apart",
    r"\b(?:lies?|stands?|is|are|what is) beside (?:it|them)\b": "a file that lies beside it",
    r"\bbut for (?:the|a|one|its|their)\b": "everything but for the last",
    r"\bunasked\b": "held out unasked",
    r"\bhowever many\b": "however many there are",
    r"\b(?:is|are|was|were) begun\b": "the test is begun first",
    r"\basked for is\b": "asked for is 3",
    r"\bhas the manners of\b": "it has the manners of a server",
    r"\btells? \w+ from what\b": "tells text from what is not",
    r"\bto be had\b": "no memory is to be had",
    r"¶ Of [^.]{1,60}, at (?:its|the|most|least)\b": "¶ Of AdamW, at its highest",
    r"\bat its highest\b": "the learning rate at its highest",
    r"\bthe like\b": "weights, biases and the like",
}
NAMES = {
    r"\b(?:most|least)_": "int most_channels",
    r"\bhold_out_most\b": "hold_out_most = 300",
    r"\b\w*lost_marks\w*\b": "++lost_marks_",
    r"\bhow_to_go_on\b": "how_to_go_on",
}

COMMENT = re.compile(r"\s*(///?<?|#+(?!include|if|else|endif|define|pragma|undef|error)|\*)\s?")


def files():
    """Yields the text files of the project, without test data and without this file."""
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            known = file.suffix in SUFFIXES or file.name in OTHER_NAMES
            if known and file.is_file() and file != pathlib.Path(__file__).resolve() and "build" not in file.parts:
                yield file


def prose(text, suffix):
    """Returns (text, offsets of its lines): the comments and string literals of C++ and shell, all of any other text.

    Comment marks and the quotes between joined literals are removed, so that a phrase may extend over lines. ¶ marks
    the beginning of a comment.
    """
    code = {".hpp": "//", ".cpp": "//", ".cuh": "//", ".cu": "//", ".sh": "#"}.get(suffix)
    joined, offsets, in_comment = "", [], False
    for line in text.splitlines():
        mark = COMMENT.match(line)
        if code and not mark:
            line = " ".join(re.findall(rf'(?:(?<=\s)|^){code}.*|"(?:[^"\\]|\\.)*"', line))
        if mark:
            line = ("" if in_comment else "¶ ") + line[mark.end():]
        in_comment = bool(mark)
        line = line.strip()
        if code and joined.endswith('" ') and line.startswith('"'):
            joined, line = joined[:-2], line[1:]
        offsets.append(len(joined))
        joined += line + " "
    return joined, offsets


def found(patterns, text, offsets, name):
    """Returns a line `file:line: phrase` for each place where a pattern matches."""
    return [f"{name}:{bisect.bisect_right(offsets, match.start())}: {match[0]}"
            for pattern in patterns for match in re.finditer(pattern, text)]


class Words(unittest.TestCase):
    def test_each_pattern_finds_its_sentence(self):
        for pattern, sentence in [*PHRASES.items(), *NAMES.items()]:
            self.assertTrue(re.search(pattern, sentence), pattern)

    def test_a_phrase_is_found_in_every_kind_of_text(self):
        for suffix, text in ((".hpp", "/// Makes so\n/// many calls.\n"), (".cpp", 'throw Error("so "\n   "many");\n'),
                             (".cpp", "f();  // so many calls\n"), (".py", '"""Makes so many\ncalls."""\n'),
                             (".sh", "# Makes so\n# many calls.\n"), (".md", "It makes so\nmany calls.\n"),
                             (".hpp", "int a;\n/// Of AdamW, at its top.\n")):
            lines = found(PHRASES, *prose(text, suffix), "file")
            self.assertEqual(len(lines), 1, text)
        self.assertEqual(found(PHRASES, *prose("/// One.\n/// So many calls.\nso many(f);\n", ".hpp"), "file"), [])
        self.assertEqual(found(PHRASES, *prose("a\nb\n\nso many\n", ".md"), "file"), ["file:4: so many"])

    def test_the_project_has_none_of_them(self):
        lines, count = [], 0
        for file in files():
            text = file.read_text(encoding="utf-8")
            name = file.relative_to(ROOT).as_posix()
            lines += found(PHRASES, *prose(text, file.suffix), name)
            offsets = [0, *(match.end() for match in re.finditer("\n", text))]
            lines += found(NAMES, text, offsets, name)
            count += 1
        self.assertGreater(count, 300)
        self.assertEqual(lines, [], "\n" + "\n".join(lines))


if __name__ == "__main__":
    unittest.main()
