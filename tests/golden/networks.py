"""The networks in PyTorch: taps of timm's and torchvision's backbones, and ADTR as docs/method describes it, from
torch.nn modules. Functions return maps with channels last."""
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

import formula


class EfficientNetTaps(nn.Module):
    """Returns the outputs of timm's stages 0, 1, 2, 4 and 6, and computes no later layer."""

    def __init__(self, name):
        super().__init__()
        whole = timm.create_model(name, pretrained=False)
        self.conv_stem, self.bn1, self.blocks = whole.conv_stem, whole.bn1, whole.blocks

    def forward(self, x):
        x = self.bn1(self.conv_stem(x))  # timm's bn1 holds the activation
        taps = []
        for stage, block in enumerate(self.blocks):
            x = block(x)
            if stage in (0, 1, 2, 4, 6):
                taps.append(x)
        return taps


class ResNetTaps(nn.Module):
    """Returns the outputs of torchvision's layer1, layer2 and layer3."""

    def __init__(self, name):
        super().__init__()
        whole = getattr(torchvision.models, name)(weights=None)
        self.conv1, self.bn1, self.maxpool = whole.conv1, whole.bn1, whole.maxpool
        self.layer1, self.layer2, self.layer3 = whole.layer1, whole.layer2, whole.layer3

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        taps = []
        for layer in (self.layer1, self.layer2, self.layer3):
            x = layer(x)
            taps.append(x)
        return taps


def backbone(name):
    return (ResNetTaps if name.startswith("resnet") else EfficientNetTaps)(name).eval()


def concatenate(taps, grid):
    """Returns (B, grid, grid, ΣC) from taps (B, C, h, w)."""
    maps = [F.interpolate(t, size=(grid, grid), mode="bilinear", align_corners=True) for t in taps]
    return torch.cat(maps, dim=1).permute(0, 2, 3, 1)


class FeedForwardAndNorms(nn.Module):
    """The common part of encoder and decoder layers: post-norm residuals and feed-forward network, without dropout."""

    def __init__(self, width, hidden, heads, norms):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        for i in range(norms):
            setattr(self, f"norm{i + 1}", nn.LayerNorm(width, eps=1e-5))

    def feed_forward(self, x):
        return self.linear2(F.relu(self.linear1(x)))


class EncoderLayer(FeedForwardAndNorms):
    def __init__(self, width, hidden, heads):
        super().__init__(width, hidden, heads, norms=2)

    def forward(self, x, pos):
        x = self.norm1(x + self.self_attn(x + pos, x + pos, x, need_weights=False)[0])
        return self.norm2(x + self.feed_forward(x))


class DecoderLayer(FeedForwardAndNorms):
    def __init__(self, width, hidden, heads):
        super().__init__(width, hidden, heads, norms=3)
        self.multihead_attn = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x, memory, pos):
        x = self.norm1(x + self.self_attn(x + pos, x + pos, x, need_weights=False)[0])
        x = self.norm2(x + self.multihead_attn(x + pos, memory + pos, memory, need_weights=False)[0])
        return self.norm3(x + self.feed_forward(x))


class Stack(nn.Module):
    def __init__(self, layers, norm=None):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if norm is not None:
            self.norm = norm


class Adtr(nn.Module):
    """Maps features (B, tokens, C) to a reconstruction (B, tokens, C).

    Without the query, the decoder begins with the encoder's own input.
    """

    def __init__(self, channels, tokens, width=256, hidden=1024, heads=8, layers=4, query=True):
        super().__init__()
        self.input_proj, self.output_proj = nn.Linear(channels, width), nn.Linear(width, channels)
        self.pos_embed = nn.Parameter(torch.empty(tokens, width))
        self.query_embed = nn.Parameter(torch.empty(tokens, width)) if query else None
        self.encoder = Stack([EncoderLayer(width, hidden, heads) for _ in range(layers)])
        self.decoder = Stack([DecoderLayer(width, hidden, heads) for _ in range(layers)], nn.LayerNorm(width, eps=1e-5))

    def forward(self, features):
        x = memory = self.input_proj(features)
        for layer in self.encoder.layers:
            memory = layer(memory, self.pos_embed)
        if self.query_embed is not None:
            x = self.query_embed.expand(features.shape[0], -1, -1)
        for layer in self.decoder.layers:
            x = layer(x, memory, self.pos_embed)
        return self.output_proj(self.decoder.norm(x))


class PlainLayer(FeedForwardAndNorms):
    """A layer without attention: instead, `conv` (C, 9·C) with columns in (ky, kx, in) order, or nothing."""

    def __init__(self, width, hidden, height, convolves):
        super().__init__(width, hidden, 1, norms=2)
        del self.self_attn
        self.height = height
        if convolves:
            self.conv = nn.Linear(9 * width, width)
        else:
            del self.norm1

    def forward(self, x):
        if hasattr(self, "conv"):
            batch, tokens, width = x.shape
            planes = x.reshape(batch, self.height, -1, width).permute(0, 3, 1, 2)
            weight = self.conv.weight.reshape(width, 3, 3, width).permute(0, 3, 1, 2)
            convolved = F.conv2d(planes, weight, self.conv.bias, padding=1)
            x = self.norm1(x + convolved.permute(0, 2, 3, 1).reshape(x.shape))
        return self.norm2(x + self.feed_forward(x))


class Plain(nn.Module):
    """The networks of the ablations without attention, with 2·layers layers."""

    def __init__(self, channels, height, width, hidden, layers, convolves):
        super().__init__()
        self.input_proj, self.output_proj = nn.Linear(channels, width), nn.Linear(width, channels)
        self.layers = nn.ModuleList([PlainLayer(width, hidden, height, convolves) for _ in range(2 * layers)])

    def forward(self, features):
        x = self.input_proj(features)
        for layer in self.layers:
            x = layer(x)
        return self.output_proj(x)


def fill(module, prefix=""):
    """Sets every parameter and batch-norm statistic of the module from the formula; returns their names and shapes."""
    listed = []
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            shape = tuple(tensor.shape)
            tensor.copy_(torch.from_numpy(formula.parameter(prefix + name, shape)))
            listed.append((prefix + name, shape))
    return listed
