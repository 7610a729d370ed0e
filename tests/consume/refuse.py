"""Checks the messages of an installed adtr if a package that it needs is missing or has the wrong version.

Only configures. The packages are stand-ins in a prefix of their own, and those of the system are hidden.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

FITTING = {"Eigen3": "3.4.0", "xtl": "0.7.7", "xtensor": "0.25.0"}
NAMES = {"Eigen3": "Eigen3::Eigen", "xtl": "xtl", "xtensor": "xtensor"}
# Changes to the packages (None: missing), whether their version files know ranges, the message (None: no error).
CASES = [
    ({}, True, None),
    ({}, False, None),
    ({"xtensor": "0.24.0", "xtl": "0.7.0"}, True, None),
    ({"Eigen3": "5.0.1"}, True, None),
    ({"xtensor": "0.26.0", "xtl": "0.8.0"}, True, None),
    ({"xtensor": "0.27.1", "xtl": "0.8.2"}, False, None),
    ({"xtensor": "0.28.0", "xtl": "0.8.2"}, True, "adtr needs xtensor 0.24 to 0.27; found 0.28.0"),
    ({"xtensor": "0.28.0", "xtl": "0.8.2"}, False, "adtr needs xtensor 0.24 to 0.27; found 0.28.0"),
    ({"xtensor": "0.23.10"}, True, "adtr needs xtensor 0.24 to 0.27; found 0.23.10"),
    ({"xtensor": None}, True, "adtr needs xtensor 0.24 to 0.27; found none"),
    ({"xtl": "0.9.0"}, True, "adtr needs xtl 0.7 or 0.8; found 0.9.0"),
    ({"xtl": "0.8.0"}, True, "xtensor 0.25.0 needs xtl 0.7; found xtl 0.8.0"),
    ({"xtensor": "0.27.1"}, True, "xtensor 0.27.1 needs xtl 0.8; found xtl 0.7.7"),
    ({"Eigen3": "3.3.9"}, True, "adtr needs Eigen3 3.4 or later; found 3.3.9"),
]


def write_package(prefix: pathlib.Path, name: str, version: str, ranges: bool) -> None:
    folder = prefix / "share" / "cmake" / name
    folder.mkdir(parents=True)
    target = NAMES[name]
    (folder / f"{name}Config.cmake").write_text(f"add_library({target} INTERFACE IMPORTED)\n", encoding="utf-8")
    fits = "TRUE" if ranges else "FALSE"
    (folder / f"{name}ConfigVersion.cmake").write_text(
        f"""set(PACKAGE_VERSION "{version}")
set(PACKAGE_VERSION_COMPATIBLE TRUE)
if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
if({fits} AND PACKAGE_FIND_VERSION_RANGE AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MAX)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
""", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--cmake", "--generator", "--compiler"):
        parser.add_argument(option, required=True)
    for option in ("--adtr", "--project", "--work"):
        parser.add_argument(option, required=True, type=pathlib.Path)
    args = parser.parse_args()

    shutil.rmtree(args.work, ignore_errors=True)
    configure = (args.cmake, "-G", args.generator, f"-DCMAKE_CXX_COMPILER={args.compiler}")

    def run(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run(command, capture_output=True, text=True, check=False)

    prefix, library = args.work / "prefix", args.work / "adtr"
    for command in ((*configure, "-S", str(args.adtr), "-B", str(library), "-DADTR_BUILD_TESTS=OFF",
                     "-DADTR_BUILD_EXAMPLES=OFF", "-DADTR_BUILD_BENCHMARKS=OFF"),
                    (args.cmake, "--install", str(library), "--prefix", str(prefix))):
        if (result := run(*command)).returncode != 0:
            sys.exit(result.stdout + result.stderr)

    hidden = args.work / "hidden.cmake"  # read once compilers are found
    hidden.write_text("".join(f"set(CMAKE_FIND_USE_{path} OFF)\n" for path in (
        "CMAKE_SYSTEM_PATH", "SYSTEM_ENVIRONMENT_PATH", "PACKAGE_REGISTRY", "SYSTEM_PACKAGE_REGISTRY")), encoding="utf-8")
    failures = []
    for number, (changes, ranges, expected) in enumerate(CASES):
        packages = args.work / f"packages_{number}"
        for name, version in (FITTING | changes).items():
            if version is not None:
                write_package(packages, name, version, ranges)
        (packages / "include").mkdir(parents=True)
        for header in ("stb_image.h", "stb_image_write.h"):
            (packages / "include" / header).touch()
        result = run(*configure, "-S", str(args.project), "-B", str(args.work / f"build_{number}"),
                     f"-DCMAKE_PREFIX_PATH={prefix};{packages}", f"-DCMAKE_PROJECT_INCLUDE={hidden}")
        said = " ".join((result.stdout + result.stderr).split())
        fits = result.returncode == 0 if expected is None else result.returncode != 0 and expected in said
        if not fits:
            failures.append(f"{changes}: expected {expected or 'no error'}, found\n{result.stdout}{result.stderr}")
    print(*failures, sep="\n")
    print(f"{len(CASES)} cases, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
