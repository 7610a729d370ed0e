#!/usr/bin/env python3
"""Compares adtr, on one or more backends, with ONNX Runtime, OpenVINO and PyTorch on the same network and weights.
With --device cuda, compares adtr's backend cuda with the peers that can use a GPU.

    benchmarks/peers/compare.py build/release/benchmarks/adtr_benchmark
    benchmarks/peers/compare.py build/release/benchmarks/adtr_benchmark --backends cpu eigen --csv b.csv --chart b.png
    benchmarks/peers/compare.py build/release/benchmarks/adtr_benchmark --device cuda --precision tf32

Uses the peers of the Python that runs this, or installs them into an environment of their own (--work). Every runner
is a process that stays alive. In each round the runners take turns, so that other load on the machine affects all of
them. A ratio is peer / adtr in one round; above 1, adtr is faster. All results are compared first and must agree.
"""
import argparse
import csv
import importlib.util
import itertools
import json
import os
import pathlib
import subprocess
import sys

PEERS = {"cpu": ["onnxruntime", "openvino", "pytorch"],
         "cuda": ["onnxruntime", "tensorrt", "pytorch", "pytorch_compiled", "pytorch_graphs"]}
TRAINING_PEERS = {"cpu": ["pytorch", "pytorch_compiled"], "cuda": ["pytorch", "pytorch_compiled", "pytorch_graphs"]}
ALL_PEERS = sorted({*PEERS["cpu"], *PEERS["cuda"], *TRAINING_PEERS["cpu"]})
ONNX_PROVIDERS = {"onnxruntime": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, help="adtr_benchmark")
    parser.add_argument("--architectures", nargs="+",
                        default=["efficientnet_b4", "efficientnet_b0", "efficientnet_lite0"])
    parser.add_argument("--parts", nargs="+", default=["whole"], choices=["whole", "backbone", "transformer", "train"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1], help="batch sizes of all parts except train")
    parser.add_argument("--threads", nargs="+", type=int, default=[1])
    parser.add_argument("--train-batch", type=int, default=16)
    parser.add_argument("--dropouts", nargs="+", type=float, default=[0.1, 0.0], help="dropout rates of train")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=10, help="images per turn; train does a tenth as many steps")
    parser.add_argument("--peers", nargs="+", default=ALL_PEERS, choices=ALL_PEERS)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="device of the peers")
    parser.add_argument("--precision", default="float32", choices=["float32", "tf32"],
                        help="precision of products on a GPU, for adtr and the peers")
    parser.add_argument("--backends", nargs="+", default=["cpu"], choices=["cpu", "eigen", "reference", "cuda"],
                        help="backends of adtr; cpu and the device's, the base of the ratios, are always included")
    parser.add_argument("--csv", type=pathlib.Path, help="CSV file to write, with a row for each runner of each case")
    parser.add_argument("--chart", type=pathlib.Path, help="PNG file to write, with bars of images per second")
    parser.add_argument("--json", type=pathlib.Path, help="JSON file to write, with all measurements")
    parser.add_argument("--work", type=pathlib.Path, help="folder for the environment and the exported networks "
                        "(default: `peers` next to the program)")
    args = parser.parse_args()
    if args.device == "cuda" and "cuda" not in args.backends:
        args.backends.append("cuda")
    if args.precision != "float32" and "cuda" not in args.backends:
        parser.error(f"--precision {args.precision}: expected --device cuda or --backends cuda, found "
                     f"--device {args.device} --backends {' '.join(args.backends)}")
    args.program = args.program.resolve()
    args.work = (args.work or args.program.parent / "peers").resolve()
    return args


def ensure_peers(work, device):
    """Restarts this program in an environment with the peers, and creates it, if this Python lacks one of them."""
    requirements = pathlib.Path(__file__).with_name("requirements.txt")
    missing = [name for name in requirements.read_text().split()
               if importlib.util.find_spec(name) is None and (name, device) != ("openvino", "cuda")]
    if not missing:
        return
    environment = work / "environment"
    python = environment / "bin" / "python"
    if pathlib.Path(sys.prefix) == environment:
        sys.exit(f"compare.py: {environment} lacks {', '.join(missing)}: delete the environment to create it again")
    if not (environment / "complete").exists():
        print(f"installing {', '.join(missing)} and their dependencies into {environment}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        (environment / "complete").touch()
    os.execv(python, [python, *sys.argv])


def ensure_gpu(args):
    """Returns the name of the GPU. Leaves out peers that cannot use it, with a message."""
    import onnxruntime
    import torch
    if not torch.cuda.is_available():
        sys.exit("compare.py: --device cuda: expected a GPU that PyTorch can use, found none "
                 f"(torch {torch.__version__})")
    for peer, provider in ONNX_PROVIDERS.items():
        if peer in args.peers and provider not in onnxruntime.get_available_providers():
            args.peers.remove(peer)
            print(f"compare.py: {peer} is left out: the installed onnxruntime has no {provider}", file=sys.stderr)
    return torch.cuda.get_device_name()


def cases(args):
    for part, architecture, threads in itertools.product(args.parts, args.architectures, args.threads):
        train = part == "train"
        for batch in [args.train_batch] if train else args.batches:
            for dropout in args.dropouts if train else [0.0]:
                yield {"part": part, "architecture": architecture, "threads": threads, "batch": batch,
                       "dropout": dropout, "device": args.device, "precision": args.precision}


def measure(case, args):
    """Returns the case with the milliseconds of the turns, the memory and the start time of each runner."""
    import exports
    import runners
    folder = exports.provide(case, args.work / "exports")
    peers = (TRAINING_PEERS if case["part"] == "train" else PEERS)[args.device]
    names = [p for p in peers if p in args.peers]
    started = [runners.start("adtr", case, folder, args.program)]
    try:
        started += [runners.start(f"adtr_{backend}", case, folder, args.program)
                    for backend in args.backends if backend != "cpu"]
        started += [runners.start(name, case, folder, args.program) for name in names]
        deviations = {} if case["part"] == "train" else runners.check_agreement(started, folder)
        runs = max(1, args.runs // (10 if case["part"] == "train" else case["batch"]))
        for turn in range(args.rounds):
            for runner in started[turn % len(started):] + started[:turn % len(started)]:
                runner.take_turn(runs)
        joules = {r.name: r.joules(runs) for r in started if r.on_gpu}
        results = {r.name: r.finish() for r in started}
        for name, of_call in joules.items():
            if of_call is not None:
                results[name]["joules_per_image"] = of_call / case["batch"]
    finally:
        for runner in started:
            runner.end()
    for name, deviation in deviations.items():
        results[name]["deviation"] = deviation
    return {**case, "runners": results, "model_bytes": exports.model_bytes(case, folder)}


def main():
    args = parse()
    ensure_peers(args.work, args.device)
    gpu = ensure_gpu(args) if args.device == "cuda" else ""
    import tables
    header = tables.header(sys.argv, gpu)
    print(header, flush=True)
    measured = []
    for case in cases(args):
        measured.append(measure(case, args))
        print(f"measured: {tables.title(case)}", file=sys.stderr, flush=True)
        if args.json:
            args.json.write_text(json.dumps({"header": header, "cases": measured}, indent=1) + "\n")
        if args.csv:
            rows = list(tables.rows_of(measured))
            with args.csv.open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)
        if args.chart:
            tables.draw(measured, args.chart)
    print(tables.all_tables(measured, args.program))


if __name__ == "__main__":
    main()
