"""Writes safetensors files, whole or not at all."""
import json
import os
import pathlib
import struct

from weights.tensors import ConvertError

# From the narrowest to the widest, as the reference implementation sorts: files begin with the widest.
DTYPE_ORDER = ["BOOL", "U8", "I8", "I16", "F16", "BF16", "I32", "F32", "F64", "I64"]


def safetensors_bytes(state, metadata):
    """The file in pieces. The same tensors give the same bytes: those of adtr's own writer."""
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    names = sorted(state, key=lambda name: (-DTYPE_ORDER.index(state[name].dtype), name))
    for name in names:
        end = offset + len(state[name].data)
        header[name] = {"dtype": state[name].dtype, "shape": state[name].shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return [struct.pack("<Q", len(text)), text, *(state[name].data for name in names)]


def write_atomically(path, pieces):
    """`path` holds the whole new file, or on any failure what it held before."""
    path = pathlib.Path(os.path.realpath(path))
    temporary = path.with_name(f".adtr-{os.urandom(6).hex()}.tmp")
    try:
        if path.is_dir():
            raise ConvertError("cannot be written: it is a folder")
        file = open(temporary, "xb")
        try:
            with file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as e:
        raise ConvertError(f"cannot be written: {e.strerror or e}") from e
