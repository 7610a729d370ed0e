#!/usr/bin/env python3
"""Prints registers, shared memory, spills and occupancy of every CUDA kernel on an H100. Needs nvcc but no GPU.

    benchmarks/cuda_plan/occupancy.py [NVCC]
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The limits of a multiprocessor of compute capability 9.0 (CUDA C++ Programming Guide, technical specifications).
REGISTERS, SHARED, THREADS, BLOCKS = 65536, 228 * 1024, 2048, 32
REGISTERS_ALLOCATED, SHARED_OF_SYSTEM = 256, 1024  # a warp gets registers in units; each block takes one more kilobyte


def compile_kernels(nvcc):
    """Returns the output of ptxas -v, and the PTX."""
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, "-std=c++20", "--expt-relaxed-constexpr", "-O3", "-DNDEBUG", "-arch=sm_90", "-cubin",
                   f"-I{ROOT / 'include'}", "-Xptxas=-v", "--keep", "--keep-dir", folder, "-o", f"{folder}/out.cubin",
                   ROOT / "tests/cuda/compile.cu"]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
        return said.stderr, next(pathlib.Path(folder).glob("*.ptx")).read_text()


def kernels_of(said, ptx):
    """Returns {mangled name: [threads, registers, shared bytes, spilled bytes]}."""
    threads = dict(re.findall(r"\.entry (\w+)\(.*?\.maxntid (\d+)", ptx, re.DOTALL))
    found = {}
    for name, text in re.findall(r"Compiling entry function '(\w+)' for 'sm_90'(.*?)(?=Compiling entry|\Z)", said,
                                 re.DOTALL):
        def number(pattern):
            match = re.search(pattern, text)
            return int(match.group(1)) if match else 0
        found[name] = [int(threads[name]), number(r"Used (\d+) registers"), number(r"(\d+) bytes smem"),
                       number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")]
    return found


def occupancy(threads, registers, shared):
    """Returns the share of a multiprocessor's threads that can be resident, and the resource that limits it."""
    warps = threads // 32
    of_warp = -(-registers * 32 // REGISTERS_ALLOCATED) * REGISTERS_ALLOCATED
    bounds = {"registers": REGISTERS // of_warp // warps, "shared memory": SHARED // (shared + SHARED_OF_SYSTEM),
              "threads": THREADS // threads, "blocks": BLOCKS}
    blocks_at_once = min(bounds.values())
    limits = " and ".join(name for name, blocks in bounds.items() if blocks == blocks_at_once)
    return blocks_at_once * threads / THREADS, limits


def readable(names):
    """Yields Kernel<template arguments> for mangled names of run<Kernel, arguments of the launch>."""
    text = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True).stdout
    for name in text.splitlines():
        name = re.sub(r"adtr::v\d+_\d+_baseline::cuda::(kernels::)?", "", name)
        inner, depth = name[name.index("run<") + 4:], 0
        for i, letter in enumerate(inner):
            depth += {"<": 1, ">": -1}.get(letter, 0)
            if depth < 0 or (letter == "," and depth == 0):
                yield re.sub(r"\((?:int|long|[\w:]+)\)", "", inner[:i]).removeprefix("kernels::")
                break


def main():
    nvcc = sys.argv[1] if len(sys.argv) > 1 else shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    found = kernels_of(*compile_kernels(nvcc))
    rows = sorted(zip(readable(found), found.values()))
    print("| kernel | threads | registers | shared, KB | spilled, bytes | occupancy | bound by |")
    print("|---|---|---|---|---|---|---|")
    for name, (threads, registers, shared, spilled) in rows:
        share, bound = occupancy(threads, registers, shared)
        print(f"| {name} | {threads} | {registers} | {shared / 1024:.1f} | {spilled} | {100 * share:.0f} % | {bound} |")


if __name__ == "__main__":
    main()
