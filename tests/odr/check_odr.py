"""Builds one program from two units with different -m flags, runs it, and checks its symbols and instructions.

1. The program links and runs. The AVX2 unit comes first on the linker's line, so that its copy of any shared inline
   function would be the one that is kept.
2. No weak symbol that names adtr is in both units: each unit calls its own copy.
3. In code that is built for any x86-64, a function uses AVX only if it lies in the namespace avx2 or avx512, and 512-bit
   registers or masks only if it lies in avx512.
"""

import argparse
import pathlib
import platform
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).parent
MASK_OR_ZMM = re.compile(r"%zmm|%k[0-7]\b|%[xy]mm(1[6-9]|2[0-9]|3[01])\b")


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit status {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def weak_symbols(nm: str, obj: str) -> set[str]:
    lines = [line.split() for line in run(nm, "--defined-only", obj).splitlines()]
    return {fields[2] for fields in lines if len(fields) == 3 and fields[1] in "WVu" and "adtr" in fields[2]}


def misplaced_instructions(compiler: str, objdump: str, obj: str) -> dict[str, str]:
    """Returns the first such instruction of each function."""
    found: dict[str, str] = {}
    function = ""
    # Link everything into one section, without a main: objdump takes half a minute for the thousands in an object file.
    linked = f"{obj}.linked"
    run(compiler, obj, "-pthread", "-Wl,--unresolved-symbols=ignore-all", "-o", linked)
    for line in run(objdump, "-d", "--no-show-raw-insn", linked).splitlines():
        if header := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            function = header[1]
        elif code := re.match(r"\s+[0-9a-f]+:\t(\S+)(.*)", line):
            wide = MASK_OR_ZMM.search(code[2])
            avx = wide or code[1].startswith("v")
            if avx and not ("6avx512" in function or not wide and "4avx2" in function):
                found.setdefault(function, code[1] + code[2])
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--compiler", "--flags", "--nm", "--objdump", "--work"):
        parser.add_argument(option, required=True)
    args = parser.parse_args()
    if platform.machine() not in ("x86_64", "AMD64"):
        print("skipped: the flags are those of x86-64")
        return 4

    work = pathlib.Path(args.work) / pathlib.Path(args.compiler).name
    work.mkdir(parents=True, exist_ok=True)

    def compile_unit(unit: str, *options: str) -> str:
        obj = str(work / f"{unit}{''.join(options)}.o")
        # -w: the tests of headers and backends find the warnings of this code.
        run(args.compiler, f"@{args.flags}", "-w", *options, "-c", str(SOURCE / f"{unit}.cpp"), "-o", obj)
        return obj

    # -O0: without inlining, every function that is used is a symbol.
    avx2 = compile_unit("unit_avx2", "-O0", "-mavx2", "-mfma")
    baseline = compile_unit("unit_baseline", "-O0")
    program = str(work / "program")
    run(args.compiler, avx2, baseline, compile_unit("main"), "-pthread", "-o", program)
    print(run(program), end="")

    shared = weak_symbols(args.nm, avx2) & weak_symbols(args.nm, baseline)
    failures = [f"both units define the weak symbol {symbol}" for symbol in sorted(shared)]
    for obj in (baseline, compile_unit("kernels", "-O2")):  # inlining moves code from one function to another
        misplaced = misplaced_instructions(args.compiler, args.objdump, obj)
        failures += [f"{function}, for any x86-64, has {code}" for function, code in misplaced.items()]

    print(*failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
