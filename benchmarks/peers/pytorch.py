#!/usr/bin/env python3
"""Times adtr_benchmark and PyTorch eager in turn, on the same network, and prints medians and their ratio.

    benchmarks/peers/pytorch.py BUILD/benchmarks/adtr_benchmark --threads 1

Needs torch and timm (`pip install torch timm`, in an environment of their own). The networks are those that the golden
data is made with (tests/golden/networks.py), with the same weights.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "golden"))
import networks  # noqa: E402


def peer(part, architecture, batch, dropout):
    """One call of the same part in PyTorch eager, as a function."""
    if part == "train":
        model = filled(networks.Adtr(networks_channels(architecture), 256))
        add_dropout(model, dropout)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-4)
        features = torch.rand(batch, 256, networks_channels(architecture)) * 2 - 1

        def step():
            optimiser.zero_grad()
            loss = ((model(features) - features) ** 2).sum(-1).mean()
            loss.backward()
            optimiser.step()
        return step
    backbone = filled(networks.backbone(architecture), "backbone.").eval()
    model = filled(networks.Adtr(networks_channels(architecture), 256)).eval()
    images = torch.rand(batch, 3, 256, 256) * 2 - 1

    def concatenated():
        return networks.concatenate(backbone(images), 16).flatten(1, 2)
    with torch.no_grad():
        features = concatenated()

    @torch.no_grad()
    def call():
        f = features if part == "transformer" else concatenated()
        if part == "backbone":
            return f
        distance = (model(f) - f).norm(dim=-1)
        if part == "whole":
            distance = torch.nn.functional.interpolate(distance.view(batch, 1, 16, 16), size=(256, 256),
                                                       mode="bilinear", align_corners=True)
        return distance
    return call


def filled(module, prefix=""):
    networks.fill(module, prefix)  # what torch.empty leaves may be denormal, and slow
    return module


def networks_channels(architecture):
    return {"efficientnet_b4": 720, "efficientnet_b0": 512}[architecture]


def add_dropout(model, rate):
    """The dropout of DETR: on attention weights, after each attention, inside and after the feed-forward part."""
    if rate == 0.0:
        return
    for module in model.modules():
        if isinstance(module, torch.nn.MultiheadAttention):
            module.dropout = rate
            module.register_forward_hook(
                lambda m, args, out: (torch.nn.functional.dropout(out[0], rate), out[1]))
        if isinstance(module, networks.FeedForwardAndNorms):
            module.linear1.register_forward_hook(lambda m, args, out: torch.nn.functional.dropout(out.relu(), rate))
            module.linear2.register_forward_hook(lambda m, args, out: torch.nn.functional.dropout(out, rate))


def median_of_peer(call, runs):
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="adtr_benchmark")
    parser.add_argument("--architecture", default="efficientnet_b4")
    parser.add_argument("--parts", nargs="+", default=["backbone", "transformer", "whole", "train"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="turns of the two; the ratio is the median of the turns'")
    parser.add_argument("--runs", type=int, default=5, help="calls in a turn")
    parser.add_argument("--train-batch", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.0)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.architecture}, {args.threads} thread(s), float32; milliseconds")
    print("| part | batch | adtr | PyTorch eager | PyTorch / adtr, median (min..max) |\n|---|---|---|---|---|")
    for part in args.parts:
        batch = args.train_batch if part == "train" else 1
        runs = max(1, args.runs // 5) if part == "train" else args.runs
        call = peer(part, args.architecture, batch, args.dropout)
        call(), call()
        ours, theirs = [], []
        for _ in range(args.rounds):
            command = [args.program, "--architecture", args.architecture, "--part", part, "--batch", str(batch),
                       "--threads", str(args.threads), "--runs", str(runs), "--dropout", str(args.dropout)]
            ours.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["median_ms"])
            theirs.append(median_of_peer(call, runs))
        ratios = sorted(t / o for t, o in zip(theirs, ours))
        print(f"| {part} | {batch} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} "
              f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f}) |", flush=True)


if __name__ == "__main__":
    main()
