#!/usr/bin/env python3
"""Makes docs/images/heat_maps.png: coins lost on paving, grass and gravel, found by one model that never saw a coin.

    python3 tools/readme_picture.py --program build/release/bin/adtr --weights lite0.safetensors

The photographs are sample data of scikit-image (its wheel is downloaded, not installed): brick, grass and gravel are
CC0, coins (Brooklyn Museum) has no known copyright restrictions. The model is trained on crops of the left 300 columns
of the three grounds, and tested on crops of their right 192 columns, with and without a pasted coin. Needs Pillow.
"""
import argparse
import array
import io
import itertools
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

from PIL import Image, ImageDraw, ImageFilter, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[1]
GROUNDS = ("brick", "grass", "gravel")
SIDE, TRAIN_COLUMNS, TRAIN_CROPS = 192, 300, 40
# The left, upper, right and lower edge of a coin in coins.png, and the position of its upper left corner in the crop.
COINS = {"brick": ((244, 95, 297, 145), (96, 44)), "grass": ((188, 169, 238, 217), (36, 102)),
         "gravel": ((250, 171, 298, 217), (88, 84))}
TEST_ROW = {"brick": 150, "grass": 20, "gravel": 200}  # the upper edge of the crop that is shown


def photographs(wheel):
    if wheel is None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                            "--dest", folder, "scikit-image"], check=True)
            return photographs(next(pathlib.Path(folder).glob("*.whl")))
    with zipfile.ZipFile(wheel) as archive:
        return {name: Image.open(io.BytesIO(archive.read(f"skimage/data/{name}.png"))).convert("L")
                for name in (*GROUNDS, "coins")}


def crop(photograph, x, y):
    return photograph.crop((x, y, x + SIDE, y + SIDE))


def with_coin(ground, coins, edges, place):
    """Pastes a coin on the ground: an ellipse from the photograph of coins with a soft edge, over a soft shadow."""
    coin = coins.crop(edges)
    scale = 4
    mask = Image.new("L", (coin.width * scale, coin.height * scale))
    ImageDraw.Draw(mask).ellipse((scale, scale, mask.width - 2 * scale, mask.height - 2 * scale), fill=255)
    mask = mask.resize(coin.size, Image.Resampling.BOX)
    shadow = Image.new("L", ground.size)
    shadow.paste(mask.point(lambda v: v * 6 // 10), (place[0] + 2, place[1] + 3))
    result = Image.composite(Image.new("L", ground.size, 20), ground, shadow.filter(ImageFilter.GaussianBlur(2)))
    result.paste(coin, place, mask)
    return result


def make_data(photos, folder, seed):
    """Writes the training crops; returns the test pictures in the order in which they are shown."""
    train, test = folder / "train" / "good", folder / "shown"
    train.mkdir(parents=True)
    test.mkdir()
    drawn = random.Random(seed)
    for ground in GROUNDS:
        photo = photos[ground]
        for i in range(TRAIN_CROPS):
            x, y = drawn.randint(0, TRAIN_COLUMNS - SIDE), drawn.randint(0, photo.height - SIDE)
            crop(photo, x, y).save(train / f"{ground}_{i:02}.png")
    shown = []
    for ground in GROUNDS:
        good = crop(photos[ground], photos[ground].width - SIDE, TEST_ROW[ground])
        for name, picture in (("good", good), ("coin", with_coin(good, photos["coins"], *COINS[ground]))):
            shown.append(test / f"{ground}_{name}.png")
            picture.save(shown[-1])
    return shown


def read_map(path):
    """Returns the size and the scores of a map that the program wrote: float32 in .npy version 1, row by row."""
    data = path.read_bytes()
    (header,) = struct.unpack_from("<H", data, 8)
    height, width = map(int, re.search(rb"'shape': *\((\d+), *(\d+)", data).groups())
    return (width, height), array.array("f", data[10 + header:])


def colour_scale(model, defective):
    """Returns the scale: from the model's low end to the 99 % quantile of the maps with defects, as in an
    evaluation (heat_map.hpp)."""
    with model.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        low = float(json.loads(file.read(length))["__metadata__"]["colour_low"])
    scores = sorted(itertools.chain.from_iterable(scores for _, scores in defective))
    return low, scores[round(0.99 * (len(scores) - 1))]


def mixed(colours, t):
    """Returns the colour at t in [0, 1], interpolated linearly in the table."""
    i = min(int(t * (len(colours) - 1)), len(colours) - 2)
    f = t * (len(colours) - 1) - i
    return tuple(round((1 - f) * a + f * b) for a, b in zip(colours[i], colours[i + 1]))


def heat_map(picture, score_map, scale):
    """Draws what adtr::overlay draws, with the library's colours and the opacity 0.8 t (2 - t)."""
    header = (ROOT / "include" / "adtr" / "report" / "heat_map.hpp").read_text()
    table = re.search(r"heat_colours\{(.*?)\}\};", header, re.DOTALL)[1]
    colours = [tuple(map(int, c)) for c in re.findall(r"(\d+), (\d+), (\d+)", table)]
    low, high = scale
    size, scores = score_map
    levels = [min(max((s - low) / (high - low), 0.0), 1.0) for s in scores]
    colour, opacity = Image.new("RGB", size), Image.new("L", size)
    colour.putdata([mixed(colours, t) for t in levels])
    opacity.putdata([round(255 * 0.8 * t * (2 - t)) for t in levels])
    return Image.composite(colour, picture.convert("RGB").resize(size, Image.Resampling.BILINEAR), opacity)


def assemble(pictures, overlays, scores, side=150, gap=6, text=20):
    """Draws columns with the input, the heat map below it, and the score at the bottom."""
    page = Image.new("RGB", (len(pictures) * (side + gap) - gap, 2 * (side + gap) + text), "white")
    draw = ImageDraw.Draw(page)
    for i, column in enumerate(zip(pictures, overlays)):
        x = i * (side + gap)
        for row, picture in enumerate(column):
            page.paste(picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (x, row * (side + gap)))
        draw.text((x + side / 2, 2 * (side + gap) + text / 2 - 2), f"score {scores[i]:.1f}", anchor="mm",
                  fill="#333333", font=ImageFont.load_default(13))
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the program adtr")
    parser.add_argument("--weights", required=True, help="EfficientNet-Lite0 from tools/convert_weights")
    parser.add_argument("--wheel", type=pathlib.Path, help="the wheel of scikit-image; downloaded if not given")
    parser.add_argument("--epochs", default="10")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--model", type=pathlib.Path, help="model to use if the file exists, otherwise to write")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "images" / "heat_maps.png")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shown = make_data(photographs(options.wheel), folder, seed=0)
        model, maps, results = options.model or folder / "grounds.adtr", folder / "maps", folder / "results.json"
        if not model.exists():
            subprocess.run([options.program, "train", "--data", folder, "--backbone", options.weights, "--out", model,
                            "--epochs", options.epochs, "--threads", options.threads], check=True)
        subprocess.run([options.program, "detect", "--model", model, *shown, "--maps", maps, "--json", results,
                        "--threads", options.threads], check=True)
        scores = [entry["score"] for entry in json.loads(results.read_text())]
        pictures = [Image.open(path) for path in shown]
        score_maps = [read_map(maps / f"{path.stem}.npy") for path in shown]
        scale = colour_scale(model, score_maps[1::2])
        options.out.parent.mkdir(parents=True, exist_ok=True)
        overlays = [heat_map(*pair, scale) for pair in zip(pictures, score_maps)]
        assemble(pictures, overlays, scores).save(options.out, optimize=True)
    print(f"{options.out}: {options.out.stat().st_size // 1024} KiB, coloured from {scale[0]:.1f} to {scale[1]:.1f}")


if __name__ == "__main__":
    main()
