"""Scores of features and their reconstruction in NumPy, written from their formulas and not from the C++ code.

g is the geometric mean of t_k + 0.001: the offset bounds the effect of a tap that is reconstructed perfectly."""
import numpy as np

import formula

AXES, TOKENS = 21, 203  # no multiples of a SIMD width


def per_tap(x, widths):
    """Splits the channels (..., ΣC) into those of each tap."""
    return np.split(x, np.cumsum(widths)[:-1], axis=-1)


def root_mean_square(f, g):
    """t_k: √(mean over the channels of (f − g)²)."""
    return np.sqrt(np.square(f - g).mean(-1))


def cosine_distance(f, g):
    """c_k: 1 − cos(f, g)."""
    return 1 - (f * g).sum(-1) / (np.linalg.norm(f, axis=-1) * np.linalg.norm(g, axis=-1))


def bank(widths, dtype):
    """The axes (AXES, ΣC), which weight tap k by width_k^(−¼), and the tokens (TOKENS, AXES), both from the formula."""
    weights = np.concatenate([np.full(width, width**-0.25) for width in widths])
    axes = formula.parameter("bank.axes", (AXES, len(weights))).astype(np.float64) * weights
    return axes.astype(dtype), formula.uniform("bank.tokens", (TOKENS, AXES), 0.6).astype(dtype)


def nearest(f, axes, tokens):
    """d: the distance of each projected position to the nearest token."""
    differences = (f @ axes.T)[..., None, :] - tokens
    return np.sqrt(np.square(differences).sum(-1).min(-1))


def residual_statistics(positions):
    """Mean and standard deviation of r at each position, from the formula."""
    return [np.float32(1) + formula.uniform(name, (positions,), 0.5) for name in ("residual_mean", "residual_std")]


def all_scores(f, g, widths):
    """The scores of standardised features f and their reconstruction g, both (positions, ΣC), by name."""
    pairs = list(zip(per_tap(f, widths), per_tap(g, widths)))
    t = [root_mean_square(*pair) for pair in pairs]
    c = [cosine_distance(*pair) for pair in pairs]
    geometric = np.prod([x + 1e-3 for x in t], axis=0) ** (1 / len(t))
    r = np.sqrt((t[-2] + t[-1]) * (c[-2] + c[-1]))
    mean, deviation = (x.astype(f.dtype) for x in residual_statistics(len(r)))
    d = nearest(f, *bank(widths, f.dtype))
    out = {f"t.{k}": x for k, x in enumerate(t)}
    out |= {f"c.{k}": x for k, x in enumerate(c) if k >= len(c) - 2}
    return out | {
        "g": geometric,
        "r": r,
        "z": (r - mean) / deviation,
        "d": d,
        "fused_map": d * geometric**0.25,
        "fused_image": d * r**0.25,
    }


def given_features(dtype):
    """The scores of an 8×8 grid of features `scores.x` with the taps of EfficientNet-B0, and of their reconstruction
    `scores.x` + `scores.e`."""
    widths, positions = (16, 24, 40, 112, 320), 64
    shape = (positions, sum(widths))
    f, e = formula.uniform("scores.x", shape, 2.0), formula.uniform("scores.e", shape, 1.0)
    return all_scores(f.astype(dtype), (f + e).astype(dtype), widths)
