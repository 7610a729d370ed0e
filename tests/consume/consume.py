"""Configures, builds and runs a project that uses adtr. A project that calls find_package gets adtr from a new prefix.

The prefix holds the headers alone, or all that an existing build has made, if that build is named."""

import argparse
import pathlib
import shutil
import subprocess
import sys


def run(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, check=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--cmake", "--generator", "--compiler"):
        parser.add_argument(option, required=True)
    for option in ("--adtr", "--project", "--work"):
        parser.add_argument(option, required=True, type=pathlib.Path)
    parser.add_argument("--built", type=pathlib.Path)
    args = parser.parse_args()

    shutil.rmtree(args.work, ignore_errors=True)
    build = args.work / "build"
    prefix = args.work / "prefix"
    configure = (args.cmake, "-G", args.generator, f"-DCMAKE_CXX_COMPILER={args.compiler}")

    project = (args.project / "CMakeLists.txt").read_text(encoding="utf-8")
    if "compiled.cmake" in project:  # the smallest network, because the test is not about networks
        configure += ("-DADTR_RUNTIME_NETWORKS=Network<Architecture::efficientnet_lite0, 32, 8>",)
    if "find_package(adtr" in project:
        library = args.built or args.work / "adtr"
        if not args.built:
            run(*configure, "-S", str(args.adtr), "-B", str(library), "-DADTR_BUILD_TESTS=OFF",
                "-DADTR_BUILD_EXAMPLES=OFF", "-DADTR_BUILD_BENCHMARKS=OFF", "-DADTR_BUILD_LIBRARIES=ON")
        run(args.cmake, "--install", str(library), "--prefix", str(prefix))

    run(*configure, "-S", str(args.project), "-B", str(build), f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DADTR_CHECKOUT={args.adtr}")
    run(args.cmake, "--build", str(build))
    run(str(build / "app"))

    # A project that builds adtr inside itself installs its own files, and adtr's only if it asks for them.
    installed = args.work / "installed"
    run(args.cmake, "--install", str(build), "--prefix", str(installed))
    if (installed / "include/adtr").exists():
        print(f"{installed}: expected nothing of adtr, found its headers, although ADTR_INSTALL was not set")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
