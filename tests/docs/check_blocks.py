"""Compiles and runs the blocks of code of README.md, docs/ and the project's other pages.

C++ blocks are compiled in one file and run where they can be. Shell blocks: the commands of adtr that need no download,
GPU or long run are run on small photographs; every other command is checked: that the program knows its options, and
that its targets, presets, tests and scripts exist. Python blocks are run on the model that the shell blocks trained.
No block is left out: the last lines say how many there are of each kind. Exits with 1 and a sentence for each fault.
"""

import argparse
import concurrent.futures
import contextlib
import io
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator

import commands
import cpp_blocks
import material
from pages import Block, Fault, all_pages, table

HERE = pathlib.Path(__file__).resolve().parent


def compile_blocks(source: str, work: pathlib.Path, args: argparse.Namespace) -> pathlib.Path:
    file, program = work / "blocks.cpp", work / "blocks"
    file.write_text(source, encoding="utf-8")
    # Examples name results that they do not use, and functions that are compiled only are not called.
    quiet = [f"-Wno-{w}" for w in ("unused-variable", "unused-but-set-variable", "unused-function", "shadow")]
    command = [args.compiler, f"@{args.flags}", "-O0", "-g0", "-DADTR_EXTERN_KERNELS", f"-I{HERE}", *quiet, str(file),
               *args.library, "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fault("the C++ blocks do not compile:\n" + done.stderr[:8000])
    return program


def run_python(block: Block, folder: pathlib.Path) -> None:
    """Runs a Python block with a stand-in for the package safetensors that reads files with the project's own reader."""

    class Handle:
        def __init__(self, path: str, _framework: str) -> None:
            data = (folder / path).read_bytes()
            length = int.from_bytes(data[:8], "little")
            self.header = material.json.loads(data[8 : 8 + length])

        def __enter__(self) -> "Handle":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def metadata(self) -> dict[str, str]:
            return self.header["__metadata__"]

        def get_tensor(self, name: str) -> types.SimpleNamespace:
            return types.SimpleNamespace(shape=self.header[name]["shape"])

    sys.modules["safetensors"] = types.SimpleNamespace(safe_open=Handle)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.text, block.place, "exec"), {})  # noqa: S102  (our own page)
    except (OSError, KeyError, SyntaxError, NameError) as e:
        raise Fault(f"{block.place}: {type(e).__name__}: {e}") from e


def check_model_tables(folder: pathlib.Path, pages: dict) -> None:
    """What docs/weights.md lists of a model file is what `adtr train` wrote."""
    data = (folder / "part.adtr").read_bytes()
    header = material.json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.pop("__metadata__")
    page = pages["docs/weights.md"]
    rows = {name.strip(" `"): row[1] for row in table(page, "| metadata | meaning |") for name in row[0].split(",")}
    optional = {"threshold", "colour_low", "colour_high"}
    for name in rows:
        if name != "note.*" and name not in metadata and name not in optional:
            raise Fault(f"docs/weights.md: a model has no metadata '{name}'")
    for name in metadata:
        if name not in rows and not name.startswith("note."):
            raise Fault(f"docs/weights.md: the table lacks the metadata '{name}'")
    if f"`{metadata['format_version']}`" not in rows["format_version"]:
        raise Fault(f"docs/weights.md: the format version is {metadata['format_version']}")
    patterns = [n.strip(" `") for row in table(page, "| tensors | what they hold |")
                for n in row[0].split(" (")[0].split(",")]
    for pattern in patterns:
        if pattern.startswith("bank.") and metadata["scoring"] not in ("bank", "fused"):
            continue  # tests/cli/test_bank.cpp looks at the tensors of a model with a bank
        if not any(pathlib.PurePath(name).match(pattern.replace(".I.", ".*.")) for name in header):
            raise Fault(f"docs/weights.md: a model has no tensor '{pattern}'")
    for name in header:
        if not any(pathlib.PurePath(name).match(pattern.replace(".I.", ".*.")) for pattern in patterns):
            raise Fault(f"docs/weights.md: the table lacks the tensor '{name}'")


@contextlib.contextmanager
def noted(faults: list[str]) -> Iterator[None]:
    """Adds a fault to the list instead of stopping at it."""
    try:
        yield
    except (Fault, OSError) as fault:
        faults.append(str(fault))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("root", "build", "compiler", "flags"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH", help="a program of the build")
    parser.add_argument("--library", action="append", default=[], help="a library that the C++ blocks link")
    args = parser.parse_args()
    root, build = pathlib.Path(args.root), pathlib.Path(args.build)
    programs = dict(p.split("=", 1) for p in args.program)
    pages = all_pages(root)
    blocks = [b for page in pages for b in page.blocks]
    excerpts = cpp_blocks.check_excerpts(blocks, root)
    blocks = [b for b in blocks if "same as" not in b.markers]
    source, ran_programs, ran_fragments, compiled = cpp_blocks.source_of([b for b in blocks if b.language == "cpp"])

    faults: list[str] = []
    ran = checked = python = text = shell = 0
    with tempfile.TemporaryDirectory() as work_name, concurrent.futures.ThreadPoolExecutor(1) as pool:
        work = pathlib.Path(work_name)
        compiling = pool.submit(compile_blocks, source, work, args)
        folder = work / "folder"
        material.write_material(folder)
        checker = commands.Checker(root, build, programs)
        for block in blocks:
            if block.language in ("text", "cmake"):
                text += 1
            if block.language != "sh":
                continue
            shell += 1
            for words in commands.split(block.text, block.place):
                with noted(faults):
                    checker.check(words, block.place)
                    name = pathlib.PurePath(words[0]).name
                    if name == "adtr" and "check only" not in block.markers:
                        commands.run(words, programs["adtr"], folder, block.place)
                        ran += 1
                    else:
                        checked += 1
        with noted(faults):
            check_model_tables(folder, {p.name: p for p in pages})
        for block in blocks:
            if block.language == "python":
                with noted(faults):
                    run_python(block, folder)
                    python += 1
        with noted(faults):
            program = compiling.result()
            material.copy_model(folder)
            done = subprocess.run([str(program)], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Fault(f"the C++ blocks end with {done.returncode}:\n{done.stdout}{done.stderr}")
    print(f"C++ blocks: {ran_programs} programs and {ran_fragments} fragments run, {compiled} compiled only, "
          f"{excerpts} that are parts of tested files")
    print(f"shell blocks: {shell}, with {ran} commands run and {checked} checked; Python blocks run: {python}; "
          f"blocks without code: {text}")
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
