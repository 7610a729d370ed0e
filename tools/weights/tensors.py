"""The types that the parts exchange: tensors, and the error that the user sees."""
import collections

Tensor = collections.namedtuple("Tensor", "dtype shape data")  # data: bytes, row-major, little-endian


class ConvertError(Exception):
    """An error whose text is one sentence for the user."""
