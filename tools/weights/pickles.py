"""Unpickles the tensors of PyTorch without PyTorch; no code in a pickle is run.

The unpickler knows the few names that tensors need and refuses all others.
"""
import itertools
import math
import pickle

from weights.tensors import ConvertError

# PyTorch's storage classes, each with its dtype in safetensors and the bytes of an element.
STORAGES = {
    "FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}
# Memory formats by the size of an element. They are integers, which copy all bits, even those of a NaN.
FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Storage:
    """An array of numbers that tensors refer to. Its bytes follow the pickle that names it."""

    def __init__(self, kind, elements):
        self.dtype, self.itemsize = STORAGES[kind]
        if not isinstance(elements, int) or elements < 0:
            raise ConvertError("a storage has no valid size")
        self.elements = elements
        self.data = None

    @property
    def nbytes(self):
        return self.elements * self.itemsize


class StorageKind:
    """Stands in for torch.FloatStorage and its siblings, and does nothing."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name


class StateDict(dict):
    """Stands in for collections.OrderedDict, and drops attributes such as _metadata."""

    __slots__ = ()

    def __setstate__(self, state):
        pass


class View:
    """Stands in for a tensor, and knows where its elements lie in a storage."""

    __slots__ = ("storage", "offset", "shape", "stride")

    def __init__(self, storage, offset, shape, stride, *_):
        numbers = (offset, *shape, *stride)
        if not isinstance(storage, Storage) or len(shape) != len(stride):
            raise ConvertError("a tensor in it is malformed")
        if not all(isinstance(n, int) and n >= 0 for n in numbers):
            raise ConvertError("a tensor in it has a shape or stride that is not an integer of 0 or above")
        self.storage, self.offset, self.shape, self.stride = storage, offset, tuple(shape), tuple(stride)

    def __setstate__(self, state):
        raise ConvertError("a tensor in it is malformed")

    def elements(self):
        """Returns the elements as bytes in row-major order. Strides have any order: TensorFlow's are transposed."""
        count = math.prod(self.shape)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride))
        # Check the count first: an expanded tensor (stride 0) could claim any size.
        if count > self.storage.elements or (count > 0 and last >= self.storage.elements):
            raise ConvertError("a tensor in it extends beyond its storage")
        source = memoryview(self.storage.data).cast(FORMATS[self.storage.itemsize])
        out = memoryview(bytearray(count * self.storage.itemsize)).cast(source.format)
        # (size, stride in the storage, stride in the result) of the dimensions longer than 1. The last one is
        # copied as one slice.
        dims, dense = [], 1
        for size, stride in zip(reversed(self.shape), reversed(self.stride)):
            if size != 1:
                dims.append((size, stride, dense))
            dense *= size
        dims.sort()
        *outer, (size, stride, step) = dims or [(1, 1, 1)]
        if count and not stride:
            raise ConvertError("a tensor in it repeats its elements")
        if count:
            for index in itertools.product(*(range(d[0]) for d in outer)):
                a = self.offset + sum(i * d[1] for i, d in zip(index, outer))
                b = sum(i * d[2] for i, d in zip(index, outer))
                out[b:b + (size - 1) * step + 1:step] = source[a:a + (size - 1) * stride + 1:stride]
        return out.tobytes()


class Unpickler(pickle.Unpickler):
    """Builds dictionaries, numbers, text and the stand-ins above. Any other class or function is refused."""

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return StateDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return View
        if module == "torch" and name in STORAGES:
            return StorageKind(name)
        asked = ascii(f"{module}.{name}")[1:-1][:100]  # one line, whatever the file contains
        raise ConvertError(f"it asks for {asked}, which weights do not need and this program does not run (if it is a "
                           "whole model, save its state_dict)")

    def persistent_load(self, reference):
        tag, kind, key, _, elements, *view = reference
        if tag != "storage" or not isinstance(kind, StorageKind) or not isinstance(key, str) or any(view):
            raise ConvertError("it refers to its data in an unknown way")
        if key not in self.storages:
            self.storages[key] = Storage(kind.name, elements)
        return self.storages[key]
