"""Reads safetensors files, and writes them atomically."""
import fcntl
import json
import os
import pathlib
import struct

from weights.tensors import ConvertError, Tensor

# From the narrowest to the widest. Files begin with the widest, as in the reference implementation.
DTYPE_ORDER = ["BOOL", "U8", "I8", "I16", "F16", "BF16", "I32", "F32", "F64", "I64"]


def safetensors_bytes(state, metadata):
    """Returns the file in pieces. The same tensors give the same bytes, which are those of adtr's own writer."""
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    names = sorted(state, key=lambda name: (-DTYPE_ORDER.index(state[name].dtype), name))
    for name in names:
        end = offset + len(state[name].data)
        header[name] = {"dtype": state[name].dtype, "shape": state[name].shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return [struct.pack("<Q", len(text)), text, *(state[name].data for name in names)]


def is_safetensors(file):
    """Whether the file begins with a header length below 100 MB and a brace. Leaves its position at the start."""
    head = file.read(9)
    file.seek(0)
    return len(head) == 9 and struct.unpack("<Q", head[:8])[0] < 100_000_000 and head[8:] == b"{"


def read_safetensors(file):
    """Returns (tensors by name, metadata) of an open file."""
    try:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
        metadata = header.pop("__metadata__", None) or {}
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            if entry["dtype"] not in DTYPE_ORDER:
                raise ConvertError(f"the tensor {name!r:.80} has the unknown type {entry['dtype']!r:.20}")
            if not 0 <= begin <= end <= len(data):
                raise ConvertError("truncated, or its header does not match its size")
            tensors[name] = Tensor(entry["dtype"], tuple(entry["shape"]), data[begin:end])
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ConvertError("not a readable safetensors file: its header is damaged") from e
    if metadata.get("format") in ("adtr", "adtr-checkpoint"):
        raise ConvertError("is an adtr model or checkpoint, expected a backbone's weights")
    return tensors, metadata


def check_output(path, inputs):
    """Refuses an output that is one of the inputs, or a file that this program did not write."""
    path = pathlib.Path(path)
    for given in inputs:
        same = os.path.realpath(path) == os.path.realpath(given)
        if same or path.exists() and given.exists() and os.path.samefile(path, given):
            raise ConvertError(f"is the same file as the input {given}; give the output another name")
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        with open(path, "rb") as file:
            own = is_safetensors(file) and {"architecture", "source"} <= read_safetensors(file)[1].keys()
    except (ConvertError, OSError):
        own = False
    if not own:
        raise ConvertError("exists and is not a file that convert_weights wrote; it is left as it is")


def open_temporary(folder):
    """Returns (open file, path) of a new file with the name and the lock of adtr's own temporary files.

    If this process is killed, the next adtr that writes to the folder finds the file without a lock and removes it.
    """
    while True:
        path = folder / f".adtr-{os.getpid()}-{int.from_bytes(os.urandom(4), 'little')}.tmp"
        file = open(path, "xb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # adtr is about to remove it
            file.close()
            continue
        except OSError:  # a file system without locks
            pass
        if os.fstat(file.fileno()).st_nlink > 0:
            return file, path
        file.close()


def write_atomically(path, pieces):
    """Writes the whole file to `path`. If that fails, the old file stays unchanged."""
    path = pathlib.Path(os.path.realpath(path))
    try:
        if path.is_dir():
            raise ConvertError("cannot be written: it is a folder")
        file, temporary = open_temporary(path.parent)
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
