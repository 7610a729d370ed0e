"""Stores golden tensors in a safetensors file: samples in float64, and the statistics of each tensor."""
import numpy as np
from safetensors.numpy import save_file

import formula


def statistics(x):
    return np.abs(x).max(), x.sum(), np.square(x).sum()


def compare(exact, stats, actual):
    """Returns the largest of the errors that Golden::compare of golden.hpp computes, with all elements as samples."""
    (largest, total, squares), (largest2, total2, squares2) = stats, statistics(actual)
    return max(
        np.abs(actual - exact).max() / largest,
        abs(largest2 - largest) / largest,
        abs(total2 - total) / (np.sqrt(exact.size) * largest),
        abs(squares2 - squares) / (2.0 * largest * np.sqrt(squares)),
    )


class Store:
    def __init__(self):
        self.tensors = {}
        self.float32 = {}  # name -> (deviation, max|x|)

    def add(self, name, exact, single, limit=512):
        """Stores `exact` (float64): the whole tensor if it has at most `limit` elements, otherwise `limit` samples.

        `name#stats` = n, max|x|, sum, sum of squares, and for information the relative error of a float32 run."""
        flat = np.ascontiguousarray(exact, dtype=np.float64).reshape(-1)
        n, stats = flat.size, statistics(flat)
        assert np.isfinite(flat).all() and stats[0] > 0.0 and name not in self.tensors
        deviation = compare(flat, stats, np.asarray(single, dtype=np.float64).reshape(-1))
        kept = flat if n <= limit else flat[formula.sample_indices(n, limit)]
        self.tensors[name] = kept.copy()
        self.tensors[name + "#stats"] = np.array([n, *stats, deviation])
        self.float32[name] = (deviation, stats[0])

    def save(self, path, made_with):
        save_file(self.tensors, path, metadata={"made_with": made_with})  # one entry: their order is not deterministic
        path.chmod(0o644)
