"""Computes tensors from a formula, with the same values as formula.hpp, so that the repository contains no weights.

Element i (row-major, PyTorch's layout) of the tensor `name` is u·scale, computed in double and rounded to float32:
    u = (splitmix64(fnv1a(name) + i·0x9E3779B97F4A7C15) >> 40)·2^-23 - 1, in [-1, 1).
"""
import numpy as np

GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)


def gain_squared(name):
    """Chosen so that every tap of every network here has an rms within 0.1..10 (SiLU and gates damp, residual sums grow) and
    that the transformer's tokens stay different from each other."""
    if ".se." in name:
        return 0.1
    if name.endswith("linear2.weight"):  # what feed-forward and attention add is nearly the same at every token
        return 0.02
    if name.endswith("out_proj.weight"):
        return 0.1
    if name.endswith("in_proj_weight"):
        return 2.0
    if name.startswith("backbone.layer"):  # ResNet's residual blocks
        return 0.7
    return 1.9 if name.startswith("backbone.") else 1.0


def fnv1a(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def splitmix64(x):
    """The step and the mixing function of Vigna's SplitMix64, on an array of uint64 (wraps)."""
    z = x + GOLDEN_RATIO
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def unit(name, n):
    """Returns n values in [-1, 1), which are multiples of 2^-23."""
    with np.errstate(over="ignore"):
        bits = splitmix64(np.uint64(fnv1a(name)) + np.arange(n, dtype=np.uint64) * GOLDEN_RATIO)
    return (bits >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0


def uniform(name, shape, scale):
    """Returns values in scale·[-1, 1), for inputs, features and incoming gradients."""
    return (unit(name, int(np.prod(shape))) * scale).astype(np.float32).reshape(shape)


def parameter(name, shape):
    """Returns a parameter or statistic. Its name and shape determine its scale, so that signals neither die nor explode."""
    u = unit(name, int(np.prod(shape)))
    if name.endswith("_embed"):
        value = u
    elif len(shape) >= 2:
        fan_in = float(np.prod(shape[1:]))
        value = u * np.sqrt(gain_squared(name) * 3.0 / fan_in)
    elif name.endswith("linear1.bias"):
        # ±3: ReLU's kink is then far from nearly all of the feed-forward network's pre-activations, each of about unit
        # variance. One that rounding moves across 0 changes a gradient by a hundredth, in float32 against float64 too.
        value = np.where(u < 0.0, -3.0, 3.0) + 0.5 * u
    elif name.endswith("running_mean") or name.endswith("bias"):
        value = 0.1 * u
    elif name.endswith("running_var"):
        value = 1.0 + 0.5 * u
    else:
        value = 1.0 + 0.25 * u
    return value.astype(np.float32).reshape(shape)


def sample_indices(n, count):
    """Returns the positions of the samples in a tensor of n > count elements, one in each of `count` equal parts."""
    j = np.arange(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        offset = splitmix64(j) % np.uint64(n // count)
    return (j * np.uint64(n)) // np.uint64(count) + offset
