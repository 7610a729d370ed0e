"""Golden values of single operations, in float64. Shapes are channels last, weights in PyTorch's layout.

The formula's name of an operand of case `c` is `c.operand`. Operands x, r, q, k, v have scale 2, incoming gradients
`dy` have scale 1, and all others are parameters of the formula. A value `c.y` is the output, `c.dOPERAND` a gradient.
"""
import torch
import torch.nn.functional as F

import formula
from store import Store

LIMIT = 4096  # elements up to which a tensor is stored whole: a single operation is debugged element by element


class Case:
    def __init__(self, store, name, dtype):
        self.store, self.name, self.dtype, self.leaves, self.out = store, name, dtype, {}, {}

    def leaf(self, operand, array):
        tensor = torch.from_numpy(array).to(self.dtype).requires_grad_()
        self.leaves[operand] = tensor
        return tensor

    def values(self, operand, *shape):
        return self.leaf(operand, formula.uniform(f"{self.name}.{operand}", shape, 2.0))

    def parameter(self, operand, *shape):
        return self.leaf(operand, formula.parameter(f"{self.name}.{operand}", shape))

    def output(self, y, gradients=True):
        self.out["y"] = y.detach()
        if gradients:
            y.backward(torch.from_numpy(formula.uniform(f"{self.name}.dy", tuple(y.shape), 1.0)).to(self.dtype))
            for operand, tensor in self.leaves.items():
                self.out["d" + operand] = tensor.grad


def planes(x):
    """(H, W, C) -> (1, C, H, W)."""
    return x.permute(2, 0, 1)[None]


def pixels(x):
    return x[0].permute(1, 2, 0)


def same(x, kernel, stride):
    """TensorFlow's SAME: total = max((ceil(i/s) - 1)s + k - i, 0), left half rounded down."""
    pads = []
    for i in (x.shape[3], x.shape[2]):
        total = max((-(-i // stride) - 1) * stride + kernel - i, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def convolution(case, height, width, cin, cout, kernel, stride, groups=1, tensorflow=False):
    x = planes(case.values("x", height, width, cin))
    weight = case.parameter("weight", cout, cin // groups, kernel, kernel)
    bias = case.parameter("bias", cout)
    if tensorflow:
        y = F.conv2d(same(x, kernel, stride), weight, bias, stride, groups=groups)
    else:
        y = F.conv2d(x, weight, bias, stride, (kernel - 1) // 2, groups=groups)
    case.output(pixels(y), gradients=False)


def squeeze_excite(case, height, width, channels, squeezed):
    x = planes(case.values("x", height, width, channels))
    reduce = case.parameter("reduce.weight", squeezed, channels), case.parameter("reduce.bias", squeezed)
    expand = case.parameter("expand.weight", channels, squeezed), case.parameter("expand.bias", channels)
    gate = F.linear(F.silu(F.linear(x.mean((2, 3)), *reduce)), *expand).sigmoid()
    case.output(pixels(x * gate[:, :, None, None]), gradients=False)


def max_pool(case, height, width, channels):
    x = planes(case.values("x", height, width, channels))
    case.output(pixels(F.max_pool2d(x, 3, 2, 1)), gradients=False)


def resize(case, source, target, channels):
    x = planes(case.values("x", *source, channels))
    y = F.interpolate(x, size=target, mode="bilinear", align_corners=True)
    case.output(pixels(y), gradients=False)


def resize_area(case, source, target, channels):
    """The mean over each cell. Where sizes are no multiples of each other, PyTorch's cells would overlap, so the pixels
    are first repeated, which makes them so."""
    x = planes(case.values("x", *source, channels))
    if source[0] % target[0] != 0 or source[1] % target[1] != 0:
        x = x.repeat_interleave(target[0], dim=2).repeat_interleave(target[1], dim=3)
    case.output(pixels(F.adaptive_avg_pool2d(x, target)), gradients=False)


def linear(case):
    case.output(F.linear(case.values("x", 10, 23), case.parameter("weight", 37, 23), case.parameter("bias", 37)))


def layer_norm(case, rows, width):
    x = case.values("x", rows, width)
    case.output(F.layer_norm(x, (width,), case.parameter("weight", width), case.parameter("bias", width), eps=1e-5))


def activation(case, function):
    case.output(function(case.values("x", 100) * 5.0), gradients=False)


def attention(case, batch, tokens, heads, width, scale=1.0):
    """softmax(q·kᵀ/√d)·v of each head; queries are q·scale. Operands and output (batch, tokens, width)."""
    q, k, v = (case.values(operand, batch, tokens, width) for operand in "qkv")
    split = [t.reshape(batch, tokens, heads, width // heads).transpose(1, 2) for t in (q * scale, k, v)]
    weights = (split[0] @ split[1].transpose(2, 3) / (width // heads) ** 0.5).softmax(-1)
    case.output((weights @ split[2]).transpose(1, 2).reshape(batch, tokens, width))


def multi_head_attention(case, batch, tokens, heads, width):
    """torch.nn.MultiheadAttention of separate queries, keys and values (batch, tokens, width)."""
    q, k, v = (case.values(operand, batch, tokens, width).transpose(0, 1) for operand in "qkv")
    parameters = [
        case.parameter(name, *shape)
        for name, shape in (
            ("in_proj_weight", (3 * width, width)),
            ("in_proj_bias", (3 * width,)),
            ("out_proj.weight", (width, width)),
            ("out_proj.bias", (width,)),
        )
    ]
    y, _ = F.multi_head_attention_forward(
        q, k, v, width, heads, parameters[0], parameters[1], None, None, False, 0.0, parameters[2], parameters[3],
        need_weights=False,
    )  # fmt: skip
    case.output(y.transpose(0, 1))


def l_norm(case):
    """y: the loss of features `x` and reconstruction `r` (batch 2, 9 tokens, 14 channels); dy = 1."""
    x = case.values("x", 2, 9, 14)
    r = case.values("r", 2, 9, 14)
    loss = (x - r).square().sum(-1).mean()
    loss.backward()
    case.out = {"y": loss.detach(), "dr": r.grad}


def pseudo_huber(x, r):
    return ((x - r).abs().mean(-1).square() + 1).sqrt() - 1


def pixel_loss(case):
    """y: L_px (equation 7), alpha 0.003, summed over three images of 9 tokens, 14 channels: in the first the tokens with
    `mask` > 0 are anomalous, in the second none, in the third all. dr: its gradient."""
    x = case.values("x", 3, 9, 14)
    r = case.values("r", 3, 9, 14)
    mask = torch.zeros(3, 9, dtype=x.dtype)
    mask[0] = (case.values("mask", 9) > 0).to(x.dtype)
    mask[2] = 1
    phi = pseudo_huber(x, r)
    loss = ((1 - mask) * phi).mean(1).sum()
    for image in (0, 2):
        loss = loss - 0.003 * torch.log(-torch.expm1(-(mask[image] * phi[image]).mean()))
    loss.backward()
    case.out = {"y": loss.detach(), "dr": r.grad}


def image_loss(case, top):
    """y: L_img, alpha 0.003, the `top` largest distances of 9, summed over two images, the second anomalous."""
    x = case.values("x", 2, 9, 14)
    r = case.values("r", 2, 9, 14)
    q = pseudo_huber(x, r).topk(top).values.mean(1)
    loss = q[0] - 0.003 * torch.log(-torch.expm1(-q[1]))
    loss.backward()
    case.out = {"y": loss.detach(), "dr": r.grad}


def adamw(case, learning_rate, weight_decay, steps=3):
    """y: parameter `weight` (8, 16) after the steps, with gradients dy0, dy1, dy2 (scale 1)."""
    weight = case.parameter("weight", 8, 16)
    optimizer = torch.optim.AdamW([weight], lr=learning_rate, weight_decay=weight_decay)
    for step in range(steps):
        weight.grad = torch.from_numpy(formula.uniform(f"{case.name}.dy{step}", (8, 16), 1.0)).to(case.dtype)
        optimizer.step()
    case.out = {"y": weight.detach()}


def operations():
    """Returns (name, function, arguments) of all cases."""
    for kernel in (3, 5):
        for height, width in ((12, 10), (9, 7)):
            size = f"{height}x{width}"
            for stride in (1, 2):
                yield f"depthwise{kernel}_s{stride}_{size}", convolution, (height, width, 20, 20, kernel, stride, 20)
            yield f"depthwise{kernel}_s2_same_{size}", convolution, (height, width, 20, 20, kernel, 2, 20, True)
    yield "conv7_s2", convolution, (19, 16, 3, 16, 7, 2)
    yield "conv3_s2", convolution, (14, 11, 3, 16, 3, 2)
    yield "conv3_s2_same", convolution, (14, 11, 3, 16, 3, 2, 1, True)
    yield "conv3_s1", convolution, (6, 5, 8, 12, 3, 1)
    yield "conv1_s2", convolution, (7, 6, 8, 12, 1, 2)
    yield "conv1_s1", convolution, (7, 6, 19, 37, 1, 1)
    yield "squeeze_excite", squeeze_excite, (6, 7, 24, 5)
    yield "max_pool", max_pool, (11, 8, 9)
    for source, target in (((5, 3), 16), ((16, 12), 8), ((1, 1), 8), ((8, 8), 8), ((7, 6), 1)):
        yield "resize_{}x{}_{}".format(*source, target), resize, (source, (target, target), 11)
    yield "resize_24x25_copy", resize, ((24, 25), (24, 25), 11)  # large enough to be sampled
    for source, target in (((16, 12), 4), ((8, 8), 8), ((8, 4), 16), ((5, 3), 16), ((13, 10), 6), ((7, 6), 1)):
        yield "resize_area_{}x{}_{}".format(*source, target), resize_area, (source, (target, target), 11)
    yield "linear", linear, ()
    yield "layer_norm", layer_norm, (10, 36)
    yield "layer_norm_256", layer_norm, (5, 256)
    yield "silu", activation, (F.silu,)
    yield "relu", activation, (F.relu,)
    yield "relu6", activation, (F.relu6,)
    yield "attention", attention, (2, 9, 4, 32)
    yield "attention_256", attention, (1, 7, 8, 256)
    yield "attention_far", attention, (1, 6, 2, 16, 60.0)  # exp overflows in float unless the maximum is subtracted
    yield "multi_head_attention", multi_head_attention, (2, 9, 4, 32)
    yield "l_norm", l_norm, ()
    yield "pixel_loss", pixel_loss, ()
    yield "image_loss", image_loss, (4,)
    yield "image_loss_all", image_loss, (9,)
    yield "adamw", adamw, (1e-3, 1e-4)
    yield "adamw_decay", adamw, (4e-3, 1e-1)


def make(path, made_with):
    store = Store()
    for name, function, arguments in operations():
        results = []
        for dtype in (torch.float64, torch.float32):
            case = Case(store, name, dtype)
            function(case, *arguments)
            results.append(case.out)
        for key, value in results[0].items():
            store.add(f"{name}.{key}", value.numpy(), results[1][key].numpy(), LIMIT)
    store.save(path, made_with)
    print("operations: worst float32 deviation", max((d, n) for n, (d, _) in store.float32.items()), flush=True)
