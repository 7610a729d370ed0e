#!/usr/bin/env python3
"""Writes tests/data/golden: the results of Pillow and NumPy for the inputs of the data tests.

    python3 tests/data/make_golden.py [FOLDER_OF_IMAGES]

A formula makes the inputs (pixel() here, formula_image() in support.hpp). Outputs are stored as an FNV-1a hash and,
if they are small, as bytes. With a folder of real images (MVTec layout, read-only, not part of the project), also
computes the hashes of some of them again; without it, keeps the old ones.
Needs Pillow and NumPy; the tests need neither.
"""
import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden"

# name, input height, width, channels (1 grey, 3 RGB), output height, width
RESIZE = [
    ("down", 37, 53, 3, 16, 16),
    ("up", 7, 5, 3, 24, 31),
    ("mixed", 11, 64, 3, 23, 17),
    ("grey", 40, 64, 1, 20, 16),
    ("grey_odd", 33, 17, 1, 15, 29),
    ("same", 13, 19, 3, 13, 19),
    ("one_pixel", 1, 1, 3, 8, 8),
    ("to_one_pixel", 30, 41, 3, 1, 1),
    ("one_row", 1, 100, 3, 16, 16),
    ("tall", 20000, 1, 3, 256, 256),
    ("wide", 1, 20000, 3, 256, 256),
    ("tall_grey", 20000, 1, 1, 16, 16),
    ("screw", 1024, 1024, 1, 256, 256),
    ("cookie", 768, 576, 3, 256, 256),
    ("cifar", 32, 32, 3, 256, 256),
    ("camera", 1080, 1920, 3, 512, 512),
    ("thirds", 300, 900, 3, 100, 300),
]
NEAREST = [(37, 53, 16, 16), (7, 5, 24, 31), (1, 1, 8, 8), (20000, 1, 256, 256), (1024, 1024, 256, 256),
           (768, 576, 256, 256), (600, 701, 333, 97), (5, 3, 5000, 3001), (49, 49, 7, 343)]


def fnv(data):
    """Returns the 64-bit FNV-1a hash."""
    value = 0xCBF29CE484222325
    for byte in bytes(data):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def formula_image(height, width, channels):
    """Returns a ramp with noise, and runs of white and black, so that sums reach both ends of the range."""
    y, x, c = np.meshgrid(np.arange(height, dtype=np.uint64), np.arange(width, dtype=np.uint64),
                          np.arange(channels, dtype=np.uint64), indexing="ij")
    mixed = (y * np.uint64(73856093) + x * np.uint64(19349663) + c * np.uint64(83492791)) & np.uint64(0xFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(13))) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    noise = mixed >> np.uint64(24)
    ramp = (y * np.uint64(3) + x * np.uint64(5) + c * np.uint64(40)) % np.uint64(256)
    kind = (y // np.uint64(8) + x // np.uint64(8)) % np.uint64(4)
    pixel = np.where(kind == 0, noise, np.where(kind == 1, ramp, np.where(kind == 2, 255, noise % np.uint64(2) * 255)))
    return pixel.astype(np.uint8)


def to_pillow(pixels):
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def bilinear(image, height, width):
    """Resizes horizontally, then vertically.

    Pillow 11 does so in one call; 13.0 uses the other order for some sizes, which changes some pixels by one level.
    """
    out = image.resize((width, image.height), Image.Resampling.BILINEAR)
    out = out.resize((width, height), Image.Resampling.BILINEAR)
    one_call = image.resize((width, height), Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(out, dtype=int) - np.asarray(one_call, dtype=int)).max() <= 1
    return out


def resize_lines():
    for name, h, w, channels, out_h, out_w in RESIZE:
        image = to_pillow(formula_image(h, w, channels)).convert("RGB")
        out = bilinear(image, out_h, out_w).tobytes()
        data = out.hex() if len(out) <= 2400 else "-"
        yield f"{name} {h} {w} {channels} {out_h} {out_w} {fnv(out)} {data}"


def nearest_lines():
    for h, w, out_h, out_w in NEAREST:
        image = to_pillow(formula_image(h, w, 1))
        yield f"{h} {w} {out_h} {out_w} {fnv(image.resize((out_w, out_h), Image.Resampling.NEAREST).tobytes())}"


def normalise_lines():
    """Normalises every pixel value in float32, step by step, as torchvision's ToTensor and Normalize do."""
    lite = np.float32(127) / np.float32(255), np.float32(128) / np.float32(255)
    presets = {"imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "tf_lite": ((lite[0],) * 3, (lite[1],) * 3)}
    for name, (mean, std) in presets.items():
        for c in range(3):
            x = np.arange(256, dtype=np.float32) / np.float32(255)
            out = (x - np.float32(mean[c])) / np.float32(std[c])
            picked = " ".join(f"{v:.9g}" for v in out[[0, 1, 100, 127, 128, 254, 255]])
            yield f"{name} {c} {fnv(out.astype('<f4').tobytes())} {picked}"


def png(path, pixels, depth, colour):
    """Writes a PNG of big-endian samples (height, width, channels), because Pillow writes no 16-bit colour."""
    h, w = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in pixels)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def smooth_image(height, width):
    """Returns a picture without hard edges, like the photographs that JPEG is made for."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = [127 + 100 * np.sin(x / 9 + k) * np.cos(y / 7 - k) for k in range(3)]
    return np.stack(planes, axis=2).round().astype(np.uint8)


def image_lines():
    """Writes small files of every kind, and yields their RGB pixels."""
    folder = GOLDEN / "images"
    folder.mkdir(parents=True, exist_ok=True)
    rgb = formula_image(21, 27, 3)
    grey = formula_image(21, 27, 1)
    alpha = formula_image(21, 27, 4)
    Image.fromarray(rgb).save(folder / "rgb8.png", optimize=True)
    Image.fromarray(grey[:, :, 0]).save(folder / "grey8.png")
    Image.fromarray(alpha).save(folder / "rgba8.png")
    Image.fromarray(alpha[:, :, :2].copy()).save(folder / "grey_alpha8.png")
    Image.fromarray(rgb).quantize(13).save(folder / "palette.png")
    Image.fromarray(grey[:, :, 0] > 127).save(folder / "one_bit.png")
    Image.fromarray(rgb).save(folder / "rgb8.bmp")
    Image.fromarray(grey[:, :, 0]).save(folder / "grey8.bmp")
    Image.fromarray(grey[:, :, 0] > 127).save(folder / "one_bit.bmp")
    for name in ("rgb8.png", "grey8.png", "rgba8.png", "grey_alpha8.png", "palette.png", "one_bit.png", "rgb8.bmp",
                 "grey8.bmp", "one_bit.bmp"):
        yield f"{name} 21 27 0 {fnv(Image.open(folder / name).convert('RGB').tobytes())} -"
    # 16 bits become 8 by the upper byte. Pillow agrees for colour; it clips grey at 255, which destroys the image.
    wide = formula_image(21, 27, 3).astype(np.uint16) * 256 + formula_image(27, 21, 3).transpose(1, 0, 2)
    png(folder / "rgb16.png", wide, 16, 2)
    png(folder / "grey16.png", wide[:, :, :1], 16, 0)
    upper = (wide >> 8).astype(np.uint8)
    assert Image.open(folder / "rgb16.png").convert("RGB").tobytes() == upper.tobytes()
    yield f"rgb16.png 21 27 0 {fnv(upper.tobytes())} -"
    yield f"grey16.png 21 27 0 {fnv(np.repeat(upper[:, :, :1], 3, axis=2).tobytes())} -"
    # Decoders of JPEG differ by a few levels (inverse transform, chroma upsampling).
    smooth = smooth_image(21, 27)
    Image.fromarray(smooth).save(folder / "rgb.jpg", quality=90)
    Image.fromarray(smooth).save(folder / "progressive.jpeg", quality=90, progressive=True)
    Image.fromarray(smooth[:, :, 0]).save(folder / "grey.jpg", quality=90)
    for name in ("rgb.jpg", "progressive.jpeg", "grey.jpg"):
        out = Image.open(folder / name).convert("RGB").tobytes()
        yield f"{name} 21 27 4 {fnv(out)} {out.hex()}"
    yield from jpeg_lines(folder)


def jpeg_lines(folder):
    """Writes JPEGs of further kinds: with restart markers, square, CMYK with and without Adobe's marker."""
    smooth = smooth_image(21, 27)
    Image.fromarray(smooth).save(folder / "restart.jpg", quality=90, restart_marker_blocks=1)
    Image.fromarray(smooth).save(folder / "progressive_restart.jpg", quality=90, progressive=True,
                                 restart_marker_rows=1)
    Image.fromarray(smooth_image(24, 24)).save(folder / "square.jpg", quality=90, subsampling=0)
    cmyk = Image.fromarray(np.concatenate([smooth, 255 - smooth[:, :, :1] // 2], axis=2), mode="CMYK")
    cmyk.save(folder / "cmyk.jpg", quality=90)
    bytes_ = (folder / "cmyk.jpg").read_bytes()
    at = bytes_.index(b"\xff\xee")
    (folder / "cmyk_bare.jpg").write_bytes(bytes_[:at] + bytes_[at + 16:])
    for name in ("restart.jpg", "progressive_restart.jpg", "square.jpg", "cmyk.jpg", "cmyk_bare.jpg"):
        out = Image.open(folder / name).convert("RGB")
        yield f"{name} {out.height} {out.width} 4 {fnv(out.tobytes())} {out.tobytes().hex()}"


def orientation_lines():
    """Stores formula_image with each Exif orientation, and yields the upright image of exif_transpose."""
    for h, w in ((21, 27), (24, 24), (1, 130), (150, 70)):
        for orientation in range(1, 9):
            file = io.BytesIO()
            exif = Image.Exif()
            exif[0x0112] = orientation
            Image.fromarray(formula_image(h, w, 3)).save(file, "PNG", exif=exif)
            out = ImageOps.exif_transpose(Image.open(file))
            yield f"{h} {w} {orientation} {out.height} {out.width} {fnv(out.tobytes())}"


def mask_lines():
    """Yields masks of two ellipses and a bar, as PNG and as JPEG of several qualities, with the area in the PNG."""
    folder = GOLDEN / "images"
    y, x = np.mgrid[0:160, 0:200]
    marked = ((y - 60) / 41) ** 2 + ((x - 70) / 30) ** 2 < 1
    marked |= ((y - 110) / 22) ** 2 + ((x - 150) / 34) ** 2 < 1
    marked |= (abs(y - 30) < 7) & (x > 120)
    mask = Image.fromarray(marked.astype(np.uint8) * 255)
    mask.save(folder / "mask.png", optimize=True)
    mask.convert("RGB").save(folder / "mask_95.jpg", quality=95)
    mask.save(folder / "mask_75.jpg", quality=75)
    mask.save(folder / "mask_50.jpg", quality=50, progressive=True)
    Image.fromarray(marked.astype(np.uint8) * 9).save(folder / "dark_mask.jpg", quality=90)
    for name in ("mask.png", "mask_95.jpg", "mask_75.jpg", "mask_50.jpg"):
        yield f"{name} {marked.sum()}"
    Image.fromarray(marked[:, 20:180].astype(np.uint8) * 255).save(folder / "mask_square.jpg", quality=90)
    yield f"mask_square.jpg {marked[:, 20:180].sum()}"


def real_lines(folder):
    """Yields real photographs at their own size and at 256x256; only PNG, which all decoders read equally."""
    for name in ("mvtec/screw/train/good/000.png", "mvtec/screw/train/good/123.png", "mvtec/screw/test/good/007.png",
                 "mvtec/screw/test/thread_side/004.png"):
        image = Image.open(folder / name).convert("RGB")
        small = bilinear(image, 256, 256)
        yield f"{name} {image.height} {image.width} {fnv(image.tobytes())} {fnv(small.tobytes())}"


def main():
    GOLDEN.mkdir(exist_ok=True)
    files = {"resize": resize_lines(), "nearest": nearest_lines(), "normalise": normalise_lines(),
             "images": image_lines(), "orientation": orientation_lines(), "masks": mask_lines()}
    if len(sys.argv) > 1:
        files["real"] = real_lines(pathlib.Path(sys.argv[1]))
    for name, lines in files.items():
        (GOLDEN / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
