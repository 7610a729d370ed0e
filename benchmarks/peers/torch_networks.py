"""The parts of ADTR as PyTorch modules from tensor to tensor. They are the modules that make the golden data
(tests/golden/networks.py), with the same weights."""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "golden"))
import networks  # noqa: E402

IMAGE, GRID = 256, 16


def channels(architecture):
    return {"efficientnet_b4": 720, "efficientnet_b0": 512, "efficientnet_lite0": 512}[architecture]


def filled(module, prefix=""):
    networks.fill(module, prefix)  # torch.empty may leave denormal numbers, which are slow
    return module


def modules(architecture):
    return (filled(networks.backbone(architecture), "backbone.").eval(),
            filled(networks.Adtr(channels(architecture), GRID * GRID)).eval())


class Part(torch.nn.Module):
    """backbone: images to tokens; transformer: tokens to reconstruction; whole: images to score map."""

    def __init__(self, part, backbone, transformer):
        super().__init__()
        self.part = part
        self.backbone = None if part == "transformer" else backbone
        self.transformer = None if part == "backbone" else transformer

    def forward(self, x):
        if self.part == "transformer":
            return self.transformer(x)
        tokens = networks.concatenate(self.backbone(x), GRID).flatten(1, 2)
        if self.part == "backbone":
            return tokens
        distance = (self.transformer(tokens) - tokens).norm(dim=-1).unflatten(-1, (1, GRID, GRID))
        return F.interpolate(distance, size=(IMAGE, IMAGE), mode="bilinear", align_corners=True)


def images(batch):
    return torch.rand(batch, 3, IMAGE, IMAGE, generator=torch.Generator().manual_seed(1)) * 2 - 1


def part(architecture, name, batch):
    """Returns the module and its input."""
    backbone, transformer = modules(architecture)
    given = images(batch)
    if name == "transformer":
        with torch.no_grad():
            given = Part("backbone", backbone, None)(given)
    return Part(name, backbone, transformer).eval(), given


def training_step(architecture, batch, dropout, mode, device):
    """Returns a function that does one AdamW step on cached features. It is compiled if a `mode` is given."""
    model = filled(networks.Adtr(channels(architecture), GRID * GRID)).train().to(device)
    add_dropout(model, dropout)
    on_gpu = device.type == "cuda"
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-4, fused=on_gpu or None)
    features = torch.rand(batch, GRID * GRID, channels(architecture)) * 2 - 1
    features = features.pin_memory() if on_gpu else features  # the cache lies in host memory, like adtr's

    def loss_of(x):
        return (model(x) - x).square().sum(-1).mean()
    loss_of = torch.compile(loss_of, mode=mode) if mode else loss_of

    def step():
        begin_step(mode)
        optimiser.zero_grad()
        loss_of(features.to(device, non_blocking=True)).backward()
        optimiser.step()
        wait(device)
    return step


def begin_step(mode):
    """Allows CUDA graphs to overwrite the results of the last step, which lie in their own memory."""
    if mode == "reduce-overhead":
        torch.compiler.cudagraph_mark_step_begin()


def wait(device):
    """Waits until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def add_dropout(model, rate):
    """Applies dropout as DETR does: on attention weights, after each attention, in and after the feed-forward part."""
    if rate == 0.0:
        return
    for module in model.modules():
        if isinstance(module, torch.nn.MultiheadAttention):
            module.dropout = rate
            module.register_forward_hook(lambda m, given, out: (F.dropout(out[0], rate), out[1]))
        if isinstance(module, networks.FeedForwardAndNorms):
            module.linear1.register_forward_hook(lambda m, given, out: F.dropout(out.relu(), rate))
            module.linear2.register_forward_hook(lambda m, given, out: F.dropout(out, rate))
