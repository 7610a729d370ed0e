"""Checks a source file that must not compile.

A case begins with at least one line `// expect: <regular expression>`. It must not compile, and the compiler's messages
must match each of them. With -DADTR_COMPILE_FAIL_CONTROL it must compile, which shows that it fails for this reason only.
Further lines may be `// most: <number>`, the maximum number of lines in the messages; `// flags: <options>` of the case,
not of the control; `// flags gcc:` or `// flags clang:` for one compiler only, and a case that has flags only for the
other compiler is skipped (`{here}` is this folder); `// first: <regular expression>`, which the first line with `error`
must match.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys


SKIPPED = 4


def is_clang(compiler: str) -> bool:
    return "clang" in subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout


def compile_case(args: argparse.Namespace, *options: str) -> subprocess.CompletedProcess:
    # No carets: the source that the compiler would quote holds the text of static_asserts that did not fail.
    no_carets = "-fno-caret-diagnostics" if is_clang(args.compiler) else "-fno-diagnostics-show-caret"
    command = [args.compiler, f"@{args.flags}", "-fsyntax-only", no_carets, *options, args.case]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--flags", required=True)
    parser.add_argument("case")
    args = parser.parse_args()

    with open(args.case, encoding="utf-8") as file:
        text = file.read()
    expected, first, most = (re.findall(rf"^// {key}: (.+)$", text, re.MULTILINE)
                             for key in ("expect", "first", "most"))
    name = "clang" if is_clang(args.compiler) else "gcc"
    flags = re.findall(rf"^// flags(?: {name})?: (.+)$", text, re.MULTILINE)
    if not flags and re.search(r"^// flags \w+: ", text, re.MULTILINE):
        print(f"skipped: {name} cannot tell these flags")
        return SKIPPED
    failures = []
    if not expected:
        failures.append("the case has no line `// expect: <regular expression>`")

    control = compile_case(args, "-DADTR_COMPILE_FAIL_CONTROL")
    if control.returncode != 0:
        failures.append(f"the control does not compile:\n{control.stderr}")

    here = str(pathlib.Path(args.case).resolve().parent)
    case = compile_case(args, *(flag.replace("{here}", here) for flag in shlex.split(" ".join(flags))))
    if case.returncode == 0:
        failures.append("the case compiles")
    else:
        lines = case.stderr.splitlines()
        error = next((line for line in lines if "error" in line), "")
        failures += [f"nothing matches `{e}` in:\n{case.stderr}" for e in expected if not re.search(e, case.stderr)]
        failures += [f"the first error does not match `{e}`:\n{error}" for e in first if not re.search(e, error)]
        failures += [f"{len(lines)} lines, at most {m} expected:\n{case.stderr}" for m in most if len(lines) > int(m)]

    for failure in failures:
        print(f"{args.case}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
