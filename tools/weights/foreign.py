"""Names the type of a file that was given as weights but holds none, for error messages."""

SIGNATURES = (
    (0, b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file (fetch it with git lfs pull)"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"), (0, b"\xff\xd8\xff", "a JPEG image"), (0, b"GIF8", "a GIF image"),
    (0, b"%PDF-", "a PDF file"), (0, b"\x93NUMPY", "a NumPy array (.npy)"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it"), (4, b"TFL3", "a TensorFlow Lite model"),
    (0, b"\x08\x01\x12", "a TensorFlow model"), (0, b"GGUF", "a GGUF file"),
    (0, b"\x1f\x8b", "a gzip archive (unpack it first)"), (0, b"\xfd7zXZ", "an xz archive (unpack it first)"),
    (0, b"BZh", "a bzip2 archive (unpack it first)"), (0, b"\x28\xb5\x2f\xfd", "a zstd archive (unpack it first)"),
    (257, b"ustar", "a tar archive (unpack it first)"),
)


def foreign_name(head):
    """Returns the type that a file's first bytes (512 or fewer) show, or None if it is unknown."""
    for at, signature, name in SIGNATURES:
        if head[at:].startswith(signature):
            return name
    if len(head) > 16 and head[0] == 8 and 2 <= head[1] <= 30 and head[2] == 0x12:
        return "an ONNX model"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page, perhaps from a failed download"
    try:
        line = head.decode("utf-8").strip().splitlines()
    except UnicodeDecodeError:
        return None
    if line and line[0].isprintable():
        return f"a text file that begins with {line[0][:60]!r}"
    return None
