"""What the parts hand to one another: tensors by name, and the one error that the user sees."""
import collections

Tensor = collections.namedtuple("Tensor", "dtype shape data")  # data: bytes, row-major, little-endian


class ConvertError(Exception):
    """What the user is told: one sentence."""
