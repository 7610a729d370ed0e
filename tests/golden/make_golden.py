"""Writes the results of PyTorch, timm and torchvision with the formula's weights to data/. See README.md.

    python make_golden.py [CASE...]      makes all cases if none is named
"""
import pathlib
import sys

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision

import formula
import networks
import operations
import scores
from store import Store

# name of the file: backbone, side of the image, side of the grid, whether to train (once for each set of shapes)
CASES = {
    "b4_256_16": ("efficientnet_b4", 256, 16, True),
    "b0_256_16": ("efficientnet_b0", 256, 16, True),
    "lite0_256_16": ("tf_efficientnet_lite0", 256, 16, False),
    "resnet18_256_16": ("resnet18", 256, 16, True),
    "b0_32_8": ("efficientnet_b0", 32, 8, True),
    "resnet18_32_8": ("resnet18", 32, 8, True),
    "lite0_512_32": ("tf_efficientnet_lite0", 512, 32, True),
}
AREA_CASES = ("b0_32_8", "resnet18_32_8", "lite0_256_16")  # those of CASES that have a file of area pooling's scores
BATCH = 2
STEPS = 3
PARAMETER_SAMPLES = 128
AREA_SAMPLES = 256
DATA = pathlib.Path(__file__).parent / "data"
VERSIONS = f"torch {torch.__version__}, timm {timm.__version__}, torchvision {torchvision.__version__}"


def l_norm(features, reconstruction):
    """Eq. (1), mean over the batch: (1/(B·HW)) Σ ‖d(u)‖²."""
    return (features - reconstruction).square().sum(-1).mean()


def inference(out, backbone, adtr, image_side, grid, dtype):
    """Maps of each image of the batch; image 1's names have the prefix `second.`."""
    shape = (image_side, image_side, 3)
    for b, prefix in enumerate(["", "second."]):
        image = torch.from_numpy(formula.uniform(f"input.{b}", shape, 2.0)).to(dtype)
        taps = backbone(image.permute(2, 0, 1)[None])
        for i, tap in enumerate(taps):
            out[f"{prefix}tap.{i}"] = tap[0].permute(1, 2, 0)
        features = networks.concatenate(taps, grid)  # (1, grid, grid, C)
        reconstruction = adtr(features.reshape(1, grid * grid, -1)).reshape(features.shape)
        score = (features - reconstruction).norm(dim=-1)  # (1, grid, grid)
        pixels = F.interpolate(score[None], size=(image_side, image_side), mode="bilinear", align_corners=True)
        out[prefix + "features"] = features[0]
        out[prefix + "reconstruction"] = reconstruction[0]
        out[prefix + "position_score"] = score[0]
        out[prefix + "score_map"] = pixels[0, 0]
        out[prefix + "image_score"] = F.avg_pool2d(pixels, 16, stride=1).max()


def training(out, adtr, channels, tokens, dtype):
    """One batch of formula-defined features: losses, gradients of the first step, parameters after STEPS of AdamW."""
    shape = (tokens, channels)
    batch = [torch.from_numpy(formula.uniform(f"features.{b}", shape, 1.7)) for b in range(BATCH)]
    features = torch.stack(batch).to(dtype)
    optimizer = torch.optim.AdamW(adtr.parameters(), lr=1e-3, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = l_norm(features, adtr(features))
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            for name, parameter in adtr.named_parameters():
                out["grad." + name] = parameter.grad.clone()
        optimizer.step()
    out["loss"] = losses[0]
    out["losses"] = torch.stack(losses)
    for name, parameter in adtr.named_parameters():
        out["adamw3." + name] = parameter.detach()


def run(case, dtype):
    name, image_side, grid, train = CASES[case]
    backbone = networks.backbone(name)
    listed = networks.fill(backbone, "backbone.")
    backbone.to(dtype)
    with torch.no_grad():
        probe = networks.concatenate(backbone(torch.zeros(1, 3, image_side, image_side, dtype=dtype)), grid)
    channels = probe.shape[-1]
    adtr = networks.Adtr(channels, grid * grid).train()  # no dropout in it: train and eval are the same
    listed += networks.fill(adtr)
    adtr.to(dtype)
    out = {}
    with torch.no_grad():
        inference(out, backbone, adtr, image_side, grid, dtype)
    if train:
        training(out, adtr, channels, grid * grid, dtype)
    return {key: value.numpy() for key, value in out.items()}, listed


def make(case):
    exact, listed = run(case, torch.float64)
    single, _ = run(case, torch.float32)
    store = Store()
    for name, value in exact.items():
        limit = PARAMETER_SAMPLES if name.startswith(("grad.", "adamw3.")) else 512
        store.add(name, value, single[name], limit)
    store.save(DATA / f"{case}.safetensors", VERSIONS)
    lines = [" ".join([name, *map(str, shape)]) for name, shape in listed]
    (DATA / f"{case}.parameters.txt").write_text("\n".join(lines) + "\n")
    report(case, store)


def standardisation(taps):
    """Returns nine tenths of each channel's mean over the batch's positions, and its standard deviation, at least a
    tenth of the tap's root mean square. Random weights leave the channels of deep taps nearly constant; standardised by
    their own statistics they would be nothing but rounding errors."""
    pixels = [tap.permute(0, 2, 3, 1).reshape(-1, tap.shape[1]) for tap in taps]
    least = [x.square().mean().sqrt() / 10 for x in pixels]
    deviations = [torch.maximum(x.std(0, correction=0), floor) for x, floor in zip(pixels, least)]
    return [torch.cat(x).float() for x in ([0.9 * x.mean(0) for x in pixels], deviations)]


@torch.no_grad()
def area(case, dtype, statistics=None):
    """The scores of a network whose taps are pooled by area. Returns them, and the statistics that standardised the
    features, which are float32 and are computed if there are none."""
    name, image_side, grid, _ = CASES[case]
    backbone = networks.backbone(name)
    networks.fill(backbone, "backbone.")
    images = [formula.uniform(f"input.{b}", (image_side, image_side, 3), 2.0) for b in range(BATCH)]
    taps = backbone.to(dtype)(torch.from_numpy(np.stack(images)).to(dtype).permute(0, 3, 1, 2))
    taps = [F.adaptive_avg_pool2d(tap, grid) for tap in taps]  # all ratios are integers, or one over an integer
    widths = [tap.shape[1] for tap in taps]
    mean, deviation = statistics or standardisation(taps)
    features = torch.cat(taps, dim=1).permute(0, 2, 3, 1).reshape(BATCH, grid * grid, -1)
    features = (features - mean.to(dtype)) / deviation.to(dtype)
    adtr = networks.Adtr(sum(widths), grid * grid)
    networks.fill(adtr)
    reconstruction = adtr.to(dtype)(features)
    out = {"feature_mean": mean.numpy(), "feature_std": deviation.numpy()}
    for b, prefix in enumerate(["", "second."]):
        values = {"features": features[b].numpy(), "reconstruction": reconstruction[b].numpy()}
        values |= scores.all_scores(values["features"], values["reconstruction"], widths)
        for score, image_score in (("z", "residual"), ("d", "bank"), ("fused_image", "fused"), ("fused_map", None)):
            position_scores = torch.from_numpy(values[score]).reshape(1, 1, grid, grid)
            pixels = F.interpolate(position_scores, size=(image_side, image_side), mode="bilinear", align_corners=True)
            if image_score is None:
                values["fused_score_map"] = pixels.numpy()
            else:
                values[image_score + "_image_score"] = F.avg_pool2d(pixels, 16, stride=1).max().numpy()
        out |= {prefix + key: value for key, value in values.items()}
    return out, (mean, deviation)


def make_scores():
    """Makes the files of scores: of given features, and of networks whose taps are pooled by area."""
    exact, single, store = scores.given_features(np.float64), scores.given_features(np.float32), Store()
    for name, value in exact.items():
        store.add(name, value, single[name])
    store.save(DATA / "scores.safetensors", VERSIONS)
    report("scores", store)
    for case in AREA_CASES:
        exact, statistics = area(case, torch.float64)
        single, _ = area(case, torch.float32, statistics)
        store = Store()
        for name, value in exact.items():
            store.add(name, value, single[name], 512 if name.startswith("feature_") else AREA_SAMPLES)
        store.save(DATA / f"{case}_area.safetensors", VERSIONS)
        report(case + "_area", store)


def ablations(dtype):
    """Reconstructions and gradients of L_norm of the ablations' networks, on 4×5 maps of 24 channels."""
    height, tokens, channels = 4, 20, 24
    size = {"width": 16, "hidden": 32, "layers": 2}
    out = {}
    for name, network in {
        "no_query": networks.Adtr(channels, tokens, heads=2, query=False, **size),
        "convolution": networks.Plain(channels, height, convolves=True, **size),
        "none": networks.Plain(channels, height, convolves=False, **size),
    }.items():
        networks.fill(network, name + ".")
        network.to(dtype)
        batch = [torch.from_numpy(formula.uniform(f"features.{b}", (tokens, channels), 1.7)) for b in range(BATCH)]
        features = torch.stack(batch).to(dtype)
        reconstruction = network(features)
        l_norm(features, reconstruction).backward()
        out[name + ".reconstruction"] = reconstruction.detach().numpy()
        for parameter, value in network.named_parameters():
            out[f"{name}.grad.{parameter}"] = value.grad.numpy()
    return out


def make_ablations(case):
    exact, single, store = ablations(torch.float64), ablations(torch.float32), Store()
    for name, value in exact.items():
        store.add(name, value, single[name], PARAMETER_SAMPLES if ".grad." in name else 512)
    store.save(DATA / f"{case}.safetensors", VERSIONS)
    report(case, store)


def report(case, store):
    """Prints the largest float32 deviation of each group, and the range of the taps if there are any."""
    groups = {}
    for name, (deviation, _) in store.float32.items():
        group = name.removeprefix("second.").split(".")[0]
        if name.endswith("self_attn.in_proj_bias") or name.endswith("multihead_attn.in_proj_bias"):
            group += " of in_proj_bias"
        groups[group] = max(groups.get(group, 0.0), deviation)
    print(case, "float32 deviations:", ", ".join(f"{k} {v:.1e}" for k, v in groups.items()))
    largest = [f"{m:.3g}" for name, (_, m) in store.float32.items() if name.startswith("tap.")]
    if largest:
        print("  max|tap|:", *largest, flush=True)


def main():
    DATA.mkdir(exist_ok=True)
    torch.manual_seed(0)
    for case in sys.argv[1:] or [*CASES, "ablations", "operations", "scores"]:
        if case == "ablations":
            make_ablations(case)
        elif case == "operations":
            operations.make(DATA / "operations.safetensors", VERSIONS)
        elif case == "scores":
            make_scores()
        else:
            make(case)


if __name__ == "__main__":
    main()
