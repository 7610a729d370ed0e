"""One case of what must not compile.

A case begins with lines `// expect: <regular expression>`, at least one. It must not compile, and what the compiler says
must match each of them. With -DADTR_COMPILE_FAIL_CONTROL it must compile: that shows that it fails for this reason only.
"""

import argparse
import re
import subprocess
import sys


def compile_case(args: argparse.Namespace, *options: str) -> subprocess.CompletedProcess:
    command = [args.compiler, f"@{args.flags}", "-fsyntax-only", *options, args.case]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--flags", required=True)
    parser.add_argument("case")
    args = parser.parse_args()

    with open(args.case, encoding="utf-8") as file:
        expected = re.findall(r"^// expect: (.+)$", file.read(), re.MULTILINE)
    failures = []
    if not expected:
        failures.append("the case has no line `// expect: <regular expression>`")

    control = compile_case(args, "-DADTR_COMPILE_FAIL_CONTROL")
    if control.returncode != 0:
        failures.append(f"the control does not compile:\n{control.stderr}")

    case = compile_case(args)
    if case.returncode == 0:
        failures.append("the case compiles")
    else:
        # Only the error lines: the compiler also quotes the source, which holds the text of any static_assert.
        said = "\n".join(re.findall(r"^.*\berror: .*$", case.stderr, re.MULTILINE))
        failures += [f"no error matches `{e}`; the compiler said:\n{said}" for e in expected if not re.search(e, said)]

    for failure in failures:
        print(f"{args.case}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
