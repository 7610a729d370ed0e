"""Gets the weights and the numerics of a model from timm or torchvision, if they are installed."""
from weights.architectures import IMAGENET, Settings
from weights.pytorch_file import read_weights
from weights.tensors import ConvertError, Tensor


def from_model(package, name, state_file, average=None, asked=None):
    """Returns (tensors, settings, source) of a model that timm or torchvision builds."""
    try:
        import torch
        if package == "timm":
            import timm
        else:
            import torchvision
    except ImportError as e:
        raise ConvertError(f"--{package} needs the Python package {e.name or package}") from e
    try:
        if package == "timm":
            model = timm.create_model(name, pretrained=state_file is None)
            mean, std = model.pretrained_cfg["mean"], model.pretrained_cfg["std"]
        else:
            model = torchvision.models.get_model(name, weights=None if state_file else "DEFAULT")
            mean, std = IMAGENET
    except Exception as e:
        raise ConvertError(f"{package} cannot build {name}: {str(e)[:200]}") from e
    norms = {m.eps for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    if len(norms) != 1:
        raise ConvertError(f"{package}'s {name} has batch norms with different epsilons, or none")
    padding = "same" if any(type(m).__name__ == "Conv2dSame" for m in model.modules()) else "symmetric"
    settings = Settings(name.split(".")[0], norms.pop(), padding, mean, std)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    if state_file:
        state, source, _ = read_weights(state_file, average, asked)
        wrong = sorted(k for k in shapes.keys() | state.keys() if k not in state or state[k].shape != shapes.get(k))
        if wrong:
            raise ConvertError(f"its tensors are not those of {package}'s {name}: {wrong[0]!r:.80} is missing, surplus "
                               f"or has another shape ({len(wrong)} such tensors)")
        return state, settings, f"{package} {name}, {source}"
    dtypes = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
    state = {}
    for key, value in model.state_dict().items():
        if value.dtype not in dtypes:
            raise ConvertError(f"the tensor {key} of {package}'s {name} has the type {value.dtype}, "
                               "expected float32, float64 or int64")
        state[key] = Tensor(dtypes[value.dtype], shapes[key], value.detach().cpu().contiguous().numpy().tobytes())
    return state, settings, f"{package} {name}"
