"""Every header compiles alone, and a second time without effect.

To compile each of them alone takes minutes, so one file checks several: a chain of headers, each of which includes the
one before it. What a header is compiled after is then what it includes itself, and so is the result.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

COMMENT_OR_DIRECTIVE = re.compile(r"\s*(//.*|#.*)?")


def includes(text: str) -> list:
    """The headers that a header includes always and before its first declaration."""
    found, depth = [], 0
    for line in text.splitlines():
        if not COMMENT_OR_DIRECTIVE.fullmatch(line):
            break
        directive = line.replace(" ", "")
        if directive.startswith("#if"):
            depth += 1
        elif directive.startswith("#endif"):
            depth -= 1
        elif depth == 0 and directive.startswith('#include"'):
            found.append(directive.split('"')[1])
    return found


def closure(header: str, direct: dict) -> set:
    """The headers that a header includes, itself or through others."""
    found, rest = set(), [header]
    while rest:
        new = [h for h in direct[rest.pop()] if h in direct and h not in found]
        found.update(new)
        rest += new
    return found


def chains(direct: dict) -> list:
    """Chains that hold each header once, of which the headers that end a chain are few and include little."""
    everything = {header: closure(header, direct) for header in direct}
    users = {header: [h for h in direct if header in everything[h]] for header in direct}
    before = {}  # the header before each header in its chain

    def place(header: str, tried: set) -> bool:
        """Finds a header to follow this one; a header that it displaces finds another."""
        for user in users[header]:
            if user not in tried:
                tried.add(user)
                if user not in before or place(before[user], tried):
                    before[user] = header
                    return True
        return False

    by_size = sorted(direct, key=lambda header: -len(everything[header]))
    last = [header for header in by_size if not place(header, set())]
    result = []
    for header in last:
        chain = [header]
        while chain[0] in before:
            chain.insert(0, before[chain[0]])
        assert all(a in everything[b] for a, b in zip(chain, chain[1:]))
        result.append(chain)
    assert sorted(h for chain in result for h in chain) == sorted(direct)
    return result


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--flags", required=True)
    parser.add_argument("--include", required=True, type=pathlib.Path)
    parser.add_argument("options", nargs="*", help="of the compiler, after --")
    args = parser.parse_args()

    texts = {str(path.relative_to(args.include)): path.read_text() for path in args.include.rglob("*.hpp")}
    # A header includes the .inl.hpp, which are bodies, once for each instruction set.
    direct = {h: includes(text) for h, text in sorted(texts.items()) if not h.endswith(".inl.hpp")}
    assert direct, "no header found"

    def compile_chain(chain: list) -> subprocess.CompletedProcess:
        source = "".join(f'#include "{h}"\n' for h in chain) * 2
        return subprocess.run([args.compiler, f"@{args.flags}", *args.options, "-fsyntax-only", "-x", "c++", "-"],
                              input=source, capture_output=True, text=True, check=False)

    all_chains, failed = chains(direct), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for chain, result in zip(all_chains, pool.map(compile_chain, all_chains)):
            if result.returncode != 0:
                failed += 1
                print(f"{' '.join(chain)}:\n{result.stderr}")
    print(f"{len(direct)} headers in {len(all_chains)} files, of which {failed} do not compile")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
