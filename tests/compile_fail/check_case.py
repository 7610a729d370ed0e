"""One case of what must not compile.

A case begins with lines `// expect: <regular expression>`, at least one. It must not compile, and what the compiler says
must match each of them. With -DADTR_COMPILE_FAIL_CONTROL it must compile: that shows that it fails for this reason only.
"""

import argparse
import re
import subprocess
import sys


def compile_case(args: argparse.Namespace, *options: str) -> subprocess.CompletedProcess:
    # No carets: the source that the compiler would quote holds the text of static_asserts that did not fail.
    version = subprocess.run([args.compiler, "--version"], capture_output=True, text=True, check=True).stdout
    no_carets = "-fno-caret-diagnostics" if "clang" in version else "-fno-diagnostics-show-caret"
    command = [args.compiler, f"@{args.flags}", "-fsyntax-only", no_carets, *options, args.case]
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
        failures += [f"nothing matches `{e}` in:\n{case.stderr}" for e in expected if not re.search(e, case.stderr)]

    for failure in failures:
        print(f"{args.case}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
