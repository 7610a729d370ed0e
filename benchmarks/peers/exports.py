"""Exports what all runners read: the weights of a network as adtr's model file and as ONNX, and the input."""
import json
import pathlib
import subprocess
import sys

IMAGE, GRID = 256, 16


def provide(case, root):
    """Returns the folder with the case's files, which another process creates if they do not exist yet."""
    folder = root / f"{case['architecture']}_{case['batch']}"
    done = folder / f"{case['part']}.complete"
    if case["part"] != "train" and not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, __file__, json.dumps(case), folder], check=True, stdout=sys.stderr)
        done.touch()
    return folder


def model_bytes(case, folder):
    """Returns the sizes of the model files of a whole network."""
    if case["part"] != "whole":
        return {}
    return {"adtr": (folder / "model.adtr").stat().st_size,
            "onnx": sum(f.stat().st_size for f in folder.glob("whole.onnx*"))}


def export(case, folder):
    import numpy
    import safetensors.numpy
    import torch

    import torch_networks
    name, batch, part = case["architecture"], case["batch"], case["part"]
    images = torch_networks.images(batch)
    safetensors.numpy.save_file({"images": numpy.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())},
                                folder / "images.safetensors")
    write_model(name, folder / "model.adtr")
    module, given = torch_networks.part(name, part, batch)
    numpy.save(folder / f"{part}.npy", given.numpy())
    torch.backends.mha.set_fastpath_enabled(False)  # a fused operator that ONNX does not have
    with torch.no_grad():
        torch.onnx.export(module, (given,), str(folder / f"{part}.onnx"), input_names=["input"],
                          output_names=["result"], dynamo=True)


def folded(backbone):
    """Returns the backbone's tensors with each batch norm folded into its convolution, as in a trained model."""
    import torch
    convolution, tensors = None, {}
    for key, module in backbone.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            convolution = key
            tensors.update({f"{key}.{name}": value.detach() for name, value in module.named_parameters()})
        elif isinstance(module, torch.nn.BatchNorm2d):
            scale = module.weight / torch.sqrt(module.running_var + module.eps)
            tensors[f"{convolution}.weight"] = tensors[f"{convolution}.weight"] * scale[:, None, None, None]
            tensors[f"{convolution}.bias"] = module.bias - module.running_mean * scale
    return tensors


def write_model(name, path):
    import safetensors.torch
    import torch

    import torch_networks
    backbone, transformer = torch_networks.modules(name)
    tensors = {"backbone." + key: value.detach().contiguous() for key, value in folded(backbone).items()}
    tensors.update({key: value.contiguous() for key, value in transformer.state_dict().items()})
    channels, positions = transformer.input_proj.in_features, GRID * GRID
    for key, size in (("feature", channels), ("score", positions)):
        tensors[key + "_mean"], tensors[key + "_std"] = torch.zeros(size), torch.ones(size)
    safetensors.torch.save_file(tensors, path, {
        "format": "adtr", "format_version": "2", "architecture": name, "image_size": str(IMAGE), "grid": str(GRID),
        "padding": "symmetric", "mean": "0,0,0", "std": "1,1,1", "scoring": "norm", "colour_low": "0",
        "colour_high": "1"})


if __name__ == "__main__":
    export(json.loads(sys.argv[1]), pathlib.Path(sys.argv[2]))
