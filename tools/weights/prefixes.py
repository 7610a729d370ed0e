"""Finds the backbone among a file's tensors, whose names may have a trainer's prefix, as adtr itself does."""
import re

from weights.tensors import ConvertError

# The first convolution of each naming convention.
FIRST = ("conv_stem.weight", "_conv_stem.weight", "features.0.0.weight", "conv1.weight")
AVERAGES = {"ema", "swa", "shadow", "averaged"}


def is_average(prefix):
    """Whether the prefix says that its weights are averages over the training (EMA)."""
    return not AVERAGES.isdisjoint(re.split(r"[._]", prefix))


def backbone_prefixes(names):
    """Returns the prefixes, possibly "", under which the file has the first convolution of a backbone."""
    found = set()
    for name in names:
        for first in FIRST:
            prefix = name.removesuffix(first)
            if prefix == name or prefix and not prefix.endswith("."):
                continue
            # The blocks of a ResNet have a conv1 too.
            if first == "conv1.weight" and prefix and prefix + "layer1.0.conv1.weight" not in names:
                continue
            found.add(prefix)
    return sorted(found)


def described(prefix):
    return f"with the prefix {prefix!r:.80}" if prefix else "without a prefix"


def choose_prefix(prefixes, average, asked):
    """Returns the prefix to use. `average` is True for --ema, False for --no-ema, or None; `asked` is --prefix."""
    if asked is not None:
        if asked not in prefixes:
            found = " and one ".join(map(described, prefixes))
            raise ConvertError(f"holds no backbone {described(asked)}, found one {found}")
        return asked
    left = [p for p in prefixes if average is None or is_average(p) == average]
    if not left:
        raise ConvertError(("holds no averaged weights (EMA)" if average else "holds averaged weights (EMA) only")
                           + ", found a backbone " + " and one ".join(map(described, prefixes)))
    if len(left) == 1:
        return left[0]
    plain, averages = [p for p in left if not is_average(p)], [p for p in left if is_average(p)]
    if len(plain) == len(averages) == 1:
        raise ConvertError(f"holds plain weights ({described(plain[0])}) and their averages, EMA "
                           f"({described(averages[0])}): choose one with --no-ema or --ema")
    raise ConvertError(f"holds {len(left)} backbones, one " + " and one ".join(map(described, left))
                       + ": choose one with --prefix")


def backbone_of(names, average=None, asked=None):
    """Returns (prefix, names with it), or all names if there is no backbone; the caller then reports them."""
    names = set(names)
    prefixes = backbone_prefixes(names)
    if not prefixes:
        return "", names
    prefix = choose_prefix(prefixes, average, asked)
    others = tuple(p for p in prefixes if p != prefix and p.startswith(prefix))
    return prefix, {n for n in names if n.startswith(prefix) and not (others and n.startswith(others))}
