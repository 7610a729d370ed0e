"""Tests tools/convert_weights with hand-made files. Needs the standard library only, not PyTorch."""
import contextlib
import fcntl
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import pickle
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "convert_weights"
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
FORMATS = {"FloatStorage": "f", "LongStorage": "q", "HalfStorage": "e"}


def load_tool():
    loader = importlib.machinery.SourceFileLoader("convert_weights", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("convert_weights", loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
tool = load_tool()


# The output of an earlier run of the tool.
EARLIER = b"".join(tool.safetensors_bytes({}, {"architecture": "resnet18", "source": "earlier"}))


class Fake:
    """Pickles like a tensor of torch: as a call of _rebuild_tensor_v2 on a storage that is named but not contained."""

    def __init__(self, kind, key, values, shape, stride, offset=0, claimed=None):
        self.kind, self.key, self.values, self.shape, self.stride, self.offset = kind, key, values, shape, stride, offset
        self.claimed = len(values) if claimed is None else claimed

    def __reduce__(self):
        torch = sys.modules["torch"]
        storage = types.SimpleNamespace(fake=self)
        return torch._utils._rebuild_tensor_v2, (storage, self.offset, self.shape, self.stride, False, {})

    def data(self):
        return struct.pack(f"<{len(self.values)}{FORMATS[self.kind]}", *self.values)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        fake = getattr(value, "fake", None)
        if fake is None:
            return None
        return "storage", getattr(sys.modules["torch"], fake.kind), fake.key, "cpu", fake.claimed, *self.view

    view = (None,)


def pickled(value, protocol=2, view=(None,)):
    """Returns the pickle of a state_dict of Fakes, with the names of torch, which is not installed."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2, torch._utils = _rebuild_tensor_v2, utils
    for kind in FORMATS:
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))
    out = io.BytesIO()
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        pickler = Pickler(out, protocol)
        pickler.view = view
        pickler.dump(value)
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]
    return out.getvalue()


def fakes_of(state):
    return {v.key: v for v in state.values() if isinstance(v, Fake)}


def legacy_file(state, view=(None,), little=True):
    system = {"protocol_version": PROTOCOL, "little_endian": little, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    fakes = fakes_of(state)
    parts = [pickle.dumps(x, 2) for x in (MAGIC, PROTOCOL, system)]
    parts += [pickled(state, view=view), pickle.dumps(sorted(fakes), 2)]
    for key in sorted(fakes):
        parts += [struct.pack("<q", len(fakes[key].values)), fakes[key].data()]
    return b"".join(parts)


def zip_file(state, compression=zipfile.ZIP_STORED, byteorder=b"little", object_pickle=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("archive/data.pkl", object_pickle or pickled(state, view=()))
        archive.writestr("archive/byteorder", byteorder)
        for key, fake in fakes_of(state).items():
            archive.writestr(f"archive/data/{key}", fake.data())
    return out.getvalue()


def resnet_state(**extra):
    """Returns the smallest state that is recognised as a ResNet-18."""
    state = {f"layer{s}.{b}.conv1.weight": Fake("FloatStorage", f"1{s}{b}", [1.0], (1,), (1,))
             for s in range(1, 5) for b in range(2)}
    return {"conv1.weight": Fake("FloatStorage", "0", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], (2, 3), (3, 1)), **state, **extra}


def lite_state():
    """Returns the smallest state that is recognised as the Lite0 of the package."""
    state = {f"_blocks.{i}._depthwise_conv.weight": Fake("FloatStorage", f"b{i}", [1.0], (1,), (1,)) for i in range(16)}
    head = Fake("FloatStorage", "h", [0.5] * 320, (1, 320, 1, 1), (320, 1, 1, 1))
    return {"_conv_stem.weight": Fake("FloatStorage", "s", [1.0], (1,), (1,)), "_conv_head.weight": head, **state}


def read_safetensors(path):
    """Returns (metadata, {name: (dtype, shape, bytes)})."""
    raw = path.read_bytes()
    (n,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    metadata = header.pop("__metadata__")
    ends = sorted(tuple(t["data_offsets"]) for t in header.values())
    assert n % 8 == 0 and ends[0][0] == 0 and ends[-1][1] == len(data)
    assert all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
    return metadata, {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in header.items()}


class ConvertWeights(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out.safetensors"

    def run_tool(self, *arguments):
        """Returns (exit status, standard error)."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            try:
                status = tool.main([str(a) for a in arguments])
            except SystemExit as e:
                status = e.code
        return status, errors.getvalue()

    def convert(self, content, *options, name="weights.pth"):
        path = self.folder / name
        path.write_bytes(content)
        status, errors = self.run_tool(path, "--out", self.out, *options)
        self.assertEqual((status, errors), (0, ""))
        return read_safetensors(self.out)

    def refuse(self, content, sentence, *options):
        """Checks that one sentence names and refuses the file, and that the old output is unchanged."""
        path = self.folder / "bad.pth"
        path.write_bytes(content)
        self.out.write_bytes(EARLIER)
        status, errors = self.run_tool(path, "--out", self.out, *options)
        self.assertEqual(status, 1, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith(f"{path}: "), errors)
        self.assertIn(sentence, errors)
        self.assertEqual(self.out.read_bytes(), EARLIER)
        self.assertEqual([p.name for p in self.folder.iterdir() if p.suffix == ".tmp"], [])

    def test_both_formats_give_the_same_tensors(self):
        state = resnet_state(
            count=Fake("LongStorage", "c", [7], (), ()),
            half=Fake("HalfStorage", "d", [1.5, -2.0], (2,), (1,)),
            empty=Fake("FloatStorage", "e", [], (0, 3), (3, 1)),
        )
        legacy = self.convert(legacy_file(state))
        self.assertEqual(legacy[1]["conv1.weight"], ("F32", [2, 3], struct.pack("<6f", 0, 1, 2, 3, 4, 5)))
        self.assertEqual(legacy[1]["count"], ("I64", [], struct.pack("<q", 7)))
        self.assertEqual(legacy[1]["half"], ("F16", [2], struct.pack("<2e", 1.5, -2.0)))
        self.assertEqual(legacy[1]["empty"], ("F32", [0, 3], b""))
        self.assertEqual(legacy[1].keys(), state.keys())
        first = self.out.read_bytes()
        self.assertEqual(self.convert(zip_file(state)), legacy)
        self.assertEqual(self.out.read_bytes(), first)

    def test_strides_are_followed(self):
        # Element (i, j, k) of (2, 3, 4) lies at 5 + i + 2j + 6k, as in a transposed tensor that begins at 5.
        values = [float(v) for v in range(5 + 24)]
        state = resnet_state(t=Fake("FloatStorage", "t", values, (2, 3, 4), (1, 2, 6), offset=5))
        expected = [5 + i + 2 * j + 6 * k for i in range(2) for j in range(3) for k in range(4)]
        self.assertEqual(self.convert(legacy_file(state))[1]["t"], ("F32", [2, 3, 4], struct.pack("<24f", *expected)))

    def test_a_storage_may_be_shared(self):
        a = Fake("FloatStorage", "s", [1.0, 2.0, 3.0], (2,), (1,))
        b = Fake("FloatStorage", "s", [1.0, 2.0, 3.0], (2,), (1,), offset=1)
        tensors = self.convert(legacy_file(resnet_state(a=a, b=b)))[1]
        self.assertEqual((tensors["a"][2], tensors["b"][2]), (struct.pack("<2f", 1, 2), struct.pack("<2f", 2, 3)))

    def test_metadata_of_a_lite_package(self):
        metadata, _ = self.convert(legacy_file(lite_state()), name="efficientnet-lite0.pth")
        self.assertEqual(metadata["architecture"], "efficientnet_lite0")
        self.assertEqual(metadata["format"], "pt")
        self.assertEqual(float(metadata["bn_eps"]), 1e-3)
        self.assertEqual(metadata["padding"], "same")
        self.assertEqual([float(x) for x in metadata["mean"].split(",")], [127 / 255] * 3)
        self.assertEqual([float(x) for x in metadata["std"].split(",")], [128 / 255] * 3)
        self.assertEqual(metadata["source"], "efficientnet-lite0.pth")

    def test_metadata_of_a_resnet_and_of_the_options(self):
        metadata, _ = self.convert(legacy_file(resnet_state()))
        self.assertEqual(metadata["architecture"], "resnet18")
        self.assertEqual((float(metadata["bn_eps"]), metadata["padding"]), (1e-5, "symmetric"))
        self.assertEqual((metadata["mean"], metadata["std"]), ("0.485,0.456,0.406", "0.229,0.224,0.225"))
        metadata, _ = self.convert(legacy_file(resnet_state()), "--bn-eps", "0.01", "--padding", "same", "--mean",
                                   "0,0.5,1", "--std", "1,1,1")
        self.assertEqual((metadata["bn_eps"], metadata["padding"]), ("0.01", "same"))
        self.assertEqual((metadata["mean"], metadata["std"]), ("0.0,0.5,1.0", "1.0,1.0,1.0"))

    def test_a_checkpoint_is_unwrapped(self):
        inner = resnet_state()
        state = {"epoch": 3, "state_dict": {"module." + name: value for name, value in inner.items()}}
        fakes = b"".join(struct.pack("<q", len(f.values)) + f.data() for _, f in sorted(fakes_of(inner).items()))
        content = b"".join(pickle.dumps(x, 2) for x in (MAGIC, PROTOCOL, {"little_endian": True}))
        content += pickled(state) + pickle.dumps(sorted(fakes_of(inner)), 2) + fakes
        self.assertEqual(self.convert(content)[1].keys(), inner.keys())

    PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "encoder.", "module._orig_mod.", "ema.",
                "model_ema.module.", "ema_model.module.model.", "shadow.", "net\xe9.")

    def test_prefixes_of_trainers_are_taken_off(self):
        inner = resnet_state()
        head = Fake("FloatStorage", "zz", [1.0], (1,), (1,))
        for prefix in self.PREFIXES:
            with self.subTest(prefix):
                state = {prefix + name: value for name, value in inner.items()} | {"other.head.weight": head}
                for content in (legacy_file(state), zip_file(state)):
                    metadata, tensors = self.convert(content)
                    self.assertEqual(tensors.keys(), inner.keys())
                    self.assertEqual(metadata["source"], f"weights.pth, {prefix.rstrip('.')}")
                # The same from a safetensors file.
                own = {n: sys.modules["weights.tensors"].Tensor("F32", f.shape, f.data()) for n, f in state.items()}
                metadata, again = self.convert(b"".join(tool.safetensors_bytes(own, {})), name="w.safetensors")
                self.assertEqual(again, tensors)

    def wrapped(self, result):
        """Returns a file in either format with nested dictionaries of Fakes."""
        fakes = {}

        def collect(value):
            for entry in value.values():
                if isinstance(entry, dict):
                    collect(entry)
                elif isinstance(entry, Fake):
                    fakes[entry.key] = entry

        collect(result)
        parts = [pickle.dumps(x, 2) for x in (MAGIC, PROTOCOL, {"little_endian": True})]
        parts += [pickled(result), pickle.dumps(sorted(fakes), 2)]
        return b"".join(parts + [struct.pack("<q", len(fakes[k].values)) + fakes[k].data() for k in sorted(fakes)])

    def renamed(self, state, suffix, prefix=""):
        """Returns the state with other storages and values."""
        return {prefix + n: Fake(f.kind, f.key + suffix, [v + 1 for v in f.values], f.shape, f.stride)
                for n, f in state.items()}

    def test_plain_and_averaged_weights_are_not_chosen_from(self):
        plain = resnet_state()
        average = self.renamed(plain, "e", "module.")
        first = struct.pack("<6f", 0, 1, 2, 3, 4, 5), struct.pack("<6f", 1, 2, 3, 4, 5, 6)
        for key in ("state_dict_ema", "model_ema", "ema", "ema_model", "shadow"):
            for wrapper in ("state_dict", "model"):
                with self.subTest((wrapper, key)):
                    content = self.wrapped({"epoch": 3, wrapper: plain, key: average, "optimizer": {"lr": 0.1}})
                    self.refuse(content, f"holds plain weights (with the prefix '{wrapper}.') and their averages, EMA "
                                f"(with the prefix '{key}.module.'): choose one with --no-ema or --ema")
                    self.assertEqual(self.convert(content, "--no-ema")[1]["conv1.weight"][2], first[0])
                    metadata, tensors = self.convert(content, "--ema")
                    self.assertEqual(tensors["conv1.weight"][2], first[1])
                    self.assertEqual(tensors.keys(), plain.keys())
                    self.assertEqual(metadata["source"], f"weights.pth, {key}.module")
                    self.assertEqual(self.convert(content, "--prefix", f"{wrapper}.")[1]["conv1.weight"][2], first[0])
        beside = self.wrapped(plain | self.renamed(plain, "e", "ema."))
        self.refuse(beside, "holds plain weights (without a prefix) and their averages")
        self.assertEqual(self.convert(beside, "--no-ema")[1].keys(), plain.keys())
        self.refuse(legacy_file(plain), "holds no averaged weights (EMA), found a backbone without a prefix", "--ema")
        self.refuse(legacy_file(self.renamed(plain, "", "ema.")), "holds averaged weights (EMA) only", "--no-ema")

    def test_two_backbones_are_not_chosen_from(self):
        plain = resnet_state()
        both = self.renamed(plain, "q", "encoder_q.") | self.renamed(plain, "k", "encoder_k.")
        content = self.wrapped({"state_dict": both})
        self.refuse(content, "holds 2 backbones, one with the prefix 'state_dict.encoder_k.' and one with the prefix "
                    "'state_dict.encoder_q.': choose one with --prefix")
        self.assertEqual(self.convert(content, "--prefix", "state_dict.encoder_k.")[1].keys(), plain.keys())
        self.refuse(content, "holds no backbone with the prefix 'state_dict.'", "--prefix", "state_dict.")

    def test_a_safetensors_file_keeps_its_metadata(self):
        metadata, tensors = self.convert(legacy_file(lite_state()), "--bn-eps", "0.25", "--mean", "0,0.5,1")
        own = self.folder / "own.safetensors"
        self.out.rename(own)
        self.assertEqual(self.run_tool(own, "--out", self.out), (0, ""))
        again = read_safetensors(self.out)
        self.assertEqual(again[1], tensors)
        self.assertEqual(again[0], metadata | {"source": "own.safetensors"})
        for content, sentence in ((own.read_bytes()[:-1], "truncated"),
                                  (b"".join(tool.safetensors_bytes({}, {"format": "adtr"})), "is an adtr model or check"),
                                  (struct.pack("<Q", 12) + b'{"a":{"b":1}', "damaged")):
            self.refuse(content, sentence)

    def test_other_files_are_called_by_their_names(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as arrays:
            arrays.writestr("a.npy", b"x")
        rest = b"\x01" * 300
        for content, name in ((b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a Git LFS pointer"),
                              (b"\n<!DOCTYPE html><html>", "an HTML page"),
                              (b"\x89HDF\r\n\x1a\n" + rest, "an HDF5 file"),
                              (b"\x08\x07\x12\x07pytorch\x1a" + rest, "an ONNX model"),
                              (b"\x08\x01\x12" + rest, "a TensorFlow model"),
                              (b"\x89PNG\r\n\x1a\n" + rest, "a PNG image"),
                              (b"\xff\xd8\xff" + rest, "a JPEG image"), (b"\x1f\x8b" + rest, "a gzip archive"),
                              (b"\x93NUMPY" + rest, "a NumPy array"),
                              (archive.getvalue(), "a NumPy archive"),
                              (b"Entry not found", "a text file that begins with 'Entry not found'")):
            self.refuse(content, f"not a PyTorch file but {name}")

    def test_the_output_is_no_input_and_no_file_of_another_program(self):
        content = legacy_file(lite_state())
        source = self.folder / "in.pth"
        source.write_bytes(content)
        (self.folder / "sub").mkdir()
        (self.folder / "folder_link").symlink_to(self.folder)
        (self.folder / "link").symlink_to("in.pth")
        os.link(source, self.folder / "hard")
        outs = [source, self.folder / "." / "in.pth", self.folder / "sub" / ".." / "in.pth", self.folder / "link",
                self.folder / "hard", self.folder / "folder_link" / "in.pth", os.path.relpath(source)]
        for out in outs:
            for given in (source, self.folder / "link"):
                status, errors = self.run_tool(given, "--out", out)
                self.assertEqual((status, errors), (1, f"{out}: is the same file as the input {given}; give the "
                                                       "output another name\n"))
                self.assertEqual(source.read_bytes(), content)
        for existing in (b"my notes", b"".join(tool.safetensors_bytes({}, {"format": "adtr"})),
                         b"".join(tool.safetensors_bytes({}, {"format": "pt"})), content):
            self.out.write_bytes(existing)
            status, errors = self.run_tool(source, "--out", self.out)
            self.assertEqual((status, errors), (1, f"{self.out}: exists and is not a file that convert_weights wrote; "
                                                   "it is left as it is\n"))
            self.assertEqual(self.out.read_bytes(), existing)
        for existing in (b"", EARLIER):
            self.out.write_bytes(existing)
            self.assertEqual(self.run_tool(source, "--out", self.out), (0, ""))

    def test_a_temporary_file_has_the_name_and_the_lock_of_adtr(self):
        file, path = sys.modules["weights.safetensors_file"].open_temporary(self.folder)
        with file:
            self.assertRegex(path.name, rf"^\.adtr-{os.getpid()}-\d+\.tmp$")
            with open(path, "rb") as other, self.assertRaises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_wheel_and_folder(self):
        wheel = self.folder / "sub" / "lite.whl"
        wheel.parent.mkdir()
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("package/__init__.py", "")
            archive.writestr("package/models/lite0.pth", legacy_file(lite_state()))
        for path in (wheel, wheel.parent):
            self.assertEqual(self.run_tool(path, "--out", self.out), (0, ""))
            self.assertEqual(read_safetensors(self.out)[0]["source"], "lite.whl/lite0.pth")
        (wheel.parent / "second.pth").write_bytes(b"")
        status, errors = self.run_tool(wheel.parent, "--out", self.out)
        self.assertEqual(status, 1)
        self.assertIn("expected one .pth, .pt or .whl in the folder, found 2", errors)

    def test_code_in_a_pickle_is_refused_and_not_run(self):
        sentinel = self.folder / "ran"

        class Attack:
            def __init__(self, call, *arguments):
                self.reduced = call, arguments

            def __reduce__(self):
                return self.reduced

        attacks = [Attack(os.mkdir, str(sentinel)), Attack(eval, f"open({str(sentinel)!r}, 'w')"),
                   Attack(getattr, "", "join"), Attack(__import__, "os")]
        for attack in attacks:
            for protocol in (1, 2, 4):
                state = resnet_state(attack=attack)
                parts = [pickle.dumps(x, 2) for x in (MAGIC, PROTOCOL, {"little_endian": True})]
                self.refuse(b"".join(parts) + pickled(state, protocol), "which weights do not need")
                self.refuse(zip_file({}, object_pickle=pickled(state, protocol, ())), "which weights do not need")
                # The file begins with a pickle, too.
                self.refuse(b"\x80\x02" + pickle.dumps(attack, protocol).removeprefix(b"\x80\x02"),
                            "which weights do not need")
                self.assertFalse(sentinel.exists())

    def test_every_truncation_is_refused(self):
        for whole in (legacy_file(resnet_state()), zip_file(resnet_state())):
            for size in sorted({*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1}):
                self.refuse(whole[:size], "")

    def test_every_changed_byte_is_refused_or_harmless(self):
        whole = legacy_file(resnet_state())
        path = self.folder / "bad.pth"
        for i in range(0, len(whole), 7):
            path.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1:])
            status, errors = self.run_tool(path, "--out", self.out)
            self.assertIn((status, errors.count("\n")), [(0, 0), (1, 1)], errors)

    def test_malformed_files(self):
        def with_tensor(*arguments, **options):
            return resnet_state(t=Fake("FloatStorage", "t", *arguments, **options))

        cases = [
            (legacy_file(with_tensor([1.0, 2.0], (3,), (1,))), "extends beyond its storage"),
            (legacy_file(with_tensor([1.0, 2.0], (1,), (1,), offset=2)), "extends beyond its storage"),
            (legacy_file(with_tensor([1.0, 2.0], (2,), (1,), offset=-1)), "not an integer of 0 or above"),
            (legacy_file(with_tensor([1.0], (1 << 40,), (0,))), "extends beyond its storage"),
            (legacy_file(with_tensor([1.0, 2.0], (2,), (0,))), "repeats its elements"),
            (legacy_file(with_tensor([1.0, 2.0], (2,), (1, 1))), "malformed"),
            (legacy_file(with_tensor([1.0, 2.0], (2,), (1,), claimed=3)), "sizes that it states"),
            (legacy_file(with_tensor([1.0], (1,), (1,), claimed=-1)), "no valid size"),
            (zip_file(with_tensor([1.0], (1,), (1,), claimed=2)), "sizes that it states"),
            (zip_file(resnet_state(), compression=zipfile.ZIP_DEFLATED), "compressed"),
            (zip_file(resnet_state(), byteorder=b"big"), "big-endian"),
            (legacy_file(resnet_state(), little=False), "big-endian"),
            (legacy_file(resnet_state(), view=(("v", 0, 1),)), "in an unknown way"),
            (legacy_file({}), "no state_dict"),
            (legacy_file(resnet_state(epoch=3)), "'epoch' of its state_dict is not a tensor"),
            (legacy_file({"weight": Fake("FloatStorage", "w", [1.0], (1,), (1,))}), "not those of an EfficientNet"),
            (b"", "not a PyTorch file"),
            (b"GIF89a and more", "not a PyTorch file"),
            (pickle.dumps(12, 2), "not a PyTorch file"),
            (pickle.dumps(MAGIC, 2) + pickle.dumps(1002, 2), "unknown version"),
        ]
        for content, sentence in cases:
            with self.subTest(sentence):
                self.refuse(content, sentence)

    def test_the_architecture_asked_for_must_fit(self):
        self.refuse(legacy_file(lite_state()), "those of efficientnet_lite0, expected efficientnet_b4", "--architecture",
                    "efficientnet_b4")
        timm = {"conv_stem.weight": Fake("FloatStorage", "s", [1.0], (1,), (1,))}
        self.refuse(legacy_file(timm), "choose one with --architecture")
        metadata, _ = self.convert(legacy_file(timm), "--architecture", "tf_efficientnet_b0")
        self.assertEqual((float(metadata["bn_eps"]), metadata["padding"]), (1e-3, "same"))
        metadata, _ = self.convert(legacy_file(timm), "--architecture", "efficientnet_b0")
        self.assertEqual((float(metadata["bn_eps"]), metadata["padding"]), (1e-5, "symmetric"))

    def test_wrong_usage(self):
        source = self.folder / "in.pth"
        for arguments in ([], [source], ["--out", self.out], [source, "--timm", "x", "--out", self.out],
                          [source, "--out", self.out, "--mean", "1,2"], [source, "--out", self.out, "--bn-eps", "-1"],
                          [source, "--out", self.out, "--padding", "none"],
                          [source, "--out", self.out, "--state-dict", source]):
            self.assertEqual(self.run_tool(*arguments)[0], 2, arguments)

    def test_files_that_cannot_be_read_or_written(self):
        source = self.folder / "in.pth"
        status, errors = self.run_tool(source, "--out", self.out)
        self.assertEqual((status, errors), (1, f"{source}: cannot be read: No such file or directory\n"))
        source.write_bytes(legacy_file(lite_state()))
        for out in (self.folder / "absent" / "out", self.folder):
            status, errors = self.run_tool(source, "--out", out)
            self.assertEqual((status, errors.count("\n")), (1, 1))
            self.assertTrue(errors.startswith(f"{out}: cannot be written: "), errors)

    def test_a_full_disk_leaves_the_earlier_file(self):
        source = self.folder / "in.pth"
        source.write_bytes(legacy_file(lite_state()))
        self.out.write_bytes(EARLIER)

        def limit_file_size():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

        run = subprocess.run([sys.executable, "-B", TOOL, source, "--out", self.out], capture_output=True, text=True,
                             preexec_fn=limit_file_size)
        self.assertEqual((run.returncode, run.stderr), (1, f"{self.out}: cannot be written: File too large\n"))
        self.assertEqual(self.out.read_bytes(), EARLIER)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["in.pth", "out.safetensors"])


if __name__ == "__main__":
    unittest.main()
