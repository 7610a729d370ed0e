"""Writes golden_values.hpp: the results of scikit-learn, SciPy and an AUPRO written here, for data from a formula.

Usage: python3 make_golden.py > golden_values.hpp   (numpy, scipy, scikit-learn; only needed to make the file again)

A linear congruential generator, here and in data.hpp, makes the data, so that only results are committed.
"""
import numpy as np
from scipy import ndimage, stats
from sklearn import metrics


class Lcg:
    """Uses Knuth's MMIX constants and 20-bit fractions, so that every score is exact in float32."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 44) / 2**20


def binary(seed, n, share, shift, levels):
    """Returns labels (1 with probability share) and scores u + shift·label, rounded down to 1/levels if levels > 0."""
    lcg = Lcg(seed)
    labels, scores = [], []
    for _ in range(n):
        label = 1 if lcg.next() < share else 0
        score = lcg.next() + shift * label
        labels.append(label)
        scores.append(np.floor(score * levels) / levels if levels else score)
    return np.array(labels), np.array(scores)


def maps(seed, images, height, width, levels):
    """Returns score maps and masks of up to three discs and a diagonal line, whose pixels touch only at corners."""
    lcg = Lcg(seed)
    scores, masks = [], []
    for image in range(images):
        mask = np.zeros((height, width), np.uint8)
        if image % 3:
            for _ in range(1 + image % 3):
                cy, cx, r = int(lcg.next() * height), int(lcg.next() * width), 1 + int(lcg.next() * 6)
                y, x = np.ogrid[:height, :width]
                mask[(y - cy) ** 2 + (x - cx) ** 2 <= r * r] = 255
            for d in range(5):
                mask[d, width - 5 + d] = 1
        score = np.zeros((height, width))
        for y in range(height):
            for x in range(width):
                s = lcg.next() + (0.5 if mask[y, x] else 0.0)
                score[y, x] = np.floor(s * levels) / levels if levels else s
        scores.append(score)
        masks.append(mask)
    return scores, masks


def aupro(scores, masks, limit):
    """Follows MVTec's definition: computes every threshold separately from counts per region and of normal pixels."""
    regions, normal = [], []
    for score, mask in zip(scores, masks):
        labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
        normal.append(score[labels == 0])
        regions += [np.sort(score[labels == i + 1]) for i in range(n)]
    normal = np.sort(np.concatenate(normal))
    thresholds = np.unique(np.concatenate([normal] + regions))[::-1]
    at_least = lambda values: (len(values) - np.searchsorted(values, thresholds, side="left")) / len(values)
    fpr = np.concatenate([[0.0], at_least(normal)])
    pro = np.concatenate([[0.0], np.mean([at_least(r) for r in regions], axis=0)])
    inside = fpr <= limit
    x, y = fpr[inside], pro[inside]
    if x[-1] < limit:
        i = len(x)
        at_limit = y[-1] + (pro[i] - y[-1]) * (limit - x[-1]) / (fpr[i] - x[-1])
        x, y = np.append(x, limit), np.append(y, at_limit)
    return np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x)) / limit, len(regions)


def f1_max(labels, scores):
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = np.flatnonzero(f1[:-1] >= f1[:-1].max() - 1e-12)[-1]  # among equals the highest threshold
    return f1[best], thresholds[best]


def passed_good(labels, scores, n):
    return max(np.mean(scores[labels == 0] < t) for t in np.unique(scores) if np.sum(scores[labels == 1] < t) <= n)


def found_bad(labels, scores, n):
    thresholds = np.append(np.unique(scores), np.inf)
    return max(np.mean(scores[labels == 1] >= t) for t in thresholds if np.sum(scores[labels == 0] >= t) <= n)


print("/// Written by make_golden.py; do not edit.\n#pragma once\n\n#include <array>\n#include <cstddef>\n#include <cstdint>\n")
print("namespace golden {\n")
print("struct Binary {\n  std::uint64_t seed;\n  std::size_t n;\n  double share, shift;\n  int levels;")
print("  double auroc, average_precision, f1_max, f1_threshold, passed_good_0, passed_good_3, found_bad_0, found_bad_3;\n};")
cases = [(1, 20, 0.5, 0.25, 0), (2, 1000, 0.5, 0.25, 0), (3, 1000, 0.03, 0.5, 0), (4, 2000, 0.4, 0.125, 16),
         (5, 2000, 0.5, 0.0, 4), (6, 500, 0.9, -0.25, 32), (7, 100000, 0.01, 0.25, 64), (8, 300, 0.5, 2.0, 0)]
print(f"inline constexpr std::array<Binary, {len(cases)}> binary{{{{")
for case in cases:
    y, s = binary(*case)
    values = [metrics.roc_auc_score(y, s), metrics.average_precision_score(y, s), *f1_max(y, s),
              passed_good(y, s, 0), passed_good(y, s, 3), found_bad(y, s, 0), found_bad(y, s, 3)]
    print("    {" + ", ".join([str(v) for v in case] + [repr(float(v)) for v in values]) + "},")
print("}};\n")

print("struct Maps {\n  std::uint64_t seed;\n  std::size_t images, height, width;\n  int levels;\n  std::size_t regions;")
print("  double aupro_05, aupro_30, aupro_100;\n};")
cases = [(11, 6, 48, 40, 0), (12, 7, 33, 57, 16), (13, 4, 64, 64, 3)]
print(f"inline constexpr std::array<Maps, {len(cases)}> maps{{{{")
for case in cases:
    data = maps(*case)
    values = [aupro(*data, limit)[0] for limit in (0.05, 0.3, 1.0)]
    print("    {" + ", ".join([str(v) for v in case] + [str(aupro(*data, 0.3)[1])] + [repr(float(v)) for v in values]) + "},")
print("}};\n")

print("struct Bound {\n  std::size_t k, n;\n  double confidence, upper;\n};")
cases = [(0, 20, 0.95), (0, 59, 0.95), (0, 100, 0.95), (0, 299, 0.95), (0, 1000, 0.95), (0, 3000, 0.95), (1, 100, 0.95),
         (2, 299, 0.95), (10, 1000, 0.95), (30, 3000, 0.95), (3, 31, 0.9), (19, 20, 0.99), (5000, 20000, 0.95)]
print(f"inline constexpr std::array<Bound, {len(cases)}> bounds{{{{")
for k, n, confidence in cases:
    print(f"    {{{k}, {n}, {confidence}, {float(stats.beta.ppf(confidence, k + 1, n - k))!r}}},")
print("}};\n\n}  // namespace golden")
