"""Writes the measurements as Markdown, beginning with the ratios."""
import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import shlex
import statistics

NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "pytorch": "PyTorch eager",
         "pytorch_compiled": "torch.compile", "pytorch_graphs": "torch.compile with CUDA graphs",
         "tensorrt": "ONNX Runtime with TensorRT", "adtr": "adtr", "adtr_eigen": "adtr on eigen",
         "adtr_reference": "adtr on reference", "adtr_cuda": "adtr on cuda"}


PACKAGES = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "timm")


def header(command, gpu):
    cpu = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())
    installed = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    versions = ", ".join(f"{p} {installed[p]}" for p in PACKAGES if p in installed)
    cpu = f"{gpu}, {cpu}" if gpu else cpu
    return (f"{cpu}, {len(os.sched_getaffinity(0))} logical processors, {platform.system()}; "
            f"{versions}, Python {platform.python_version()}\n\n```sh\n"
            f"{shlex.join([os.path.relpath(command[0]), *command[1:]])}\n```\n")


def title(case):
    text = f"{case['part']} {case['architecture']} batch {case['batch']} threads {case['threads']}"
    text += f" dropout {case['dropout']:g}" if case["part"] == "train" else ""
    return text + (f" {case['device']} {case['precision']}" if case["device"] != "cpu" else "")


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def ours_of(case):
    """Returns adtr's runner on the device of the peers, the base of the ratios."""
    return "adtr" if case["device"] == "cpu" else f"adtr_{case['device']}"


def peers_of(cases):
    return [p for p in NAMES if p != ours_of(cases[0]) and any(p in c["runners"] for c in cases)]


def ratios(case, peer):
    """Returns the ratios peer / adtr of the rounds, ascending."""
    ours = case["runners"][ours_of(case)]["turns_ms"]
    return sorted(t / o for t, o in zip(case["runners"][peer]["turns_ms"], ours))


def spread(values):
    return f"{statistics.median(values):.2f} ({values[0]:.2f}..{values[-1]:.2f})"


def median_of(case, name):
    return statistics.median(case["runners"][name]["turns_ms"])


def fastest(case):
    """Returns the fastest peer, or None without peers."""
    return min((n for n in case["runners"] if not n.startswith("adtr")), key=lambda n: median_of(case, n), default=None)


def time_tables(cases, configuration):
    """Returns a table of ratios and one of milliseconds."""
    peers = peers_of(cases)
    train = cases[0]["part"] == "train"
    adtr = NAMES[ours_of(cases[0])]
    ratio_rows, time_rows = [], []
    for case in cases:
        best = fastest(case)
        figures = case["runners"][ours_of(case)]["figures"]
        share = figures["peak_share"]
        present = [p if p in case["runners"] else None for p in peers]
        ratio_rows.append([*configuration(case), f"**{spread(ratios(case, best))}** {NAMES[best]}" if best else "",
                           *[spread(ratios(case, p)) if p else "" for p in present]])
        time_rows.append([*configuration(case), f"{median_of(case, ours_of(case)):.1f}",
                          *[f"{median_of(case, p):.1f}" if p else "" for p in present], f"{figures['gflops']:.0f}",
                          f"{100 * share:.0f} %" if share else "",
                          *([] if train else [f"{max(r.get('deviation', 0) for r in case['runners'].values()):.0e}"])])
    keys = ["network", "batch", "threads"] + (["dropout"] if train else [])
    return (f"peer / {adtr}, median of the rounds (min..max)\n\n"
            + table([*keys, f"fastest peer / {adtr}", *[NAMES[p] for p in peers]], ratio_rows)
            + f"\nmilliseconds ({figures['isa']} kernels)\n\n"
            + table([*keys, adtr, *[NAMES[p] for p in peers], f"{adtr}, GFLOP/s", "share of the FMA peak",
                     *([] if train else ["largest deviation"])], time_rows))


def memory_and_start(cases, configuration):
    """Returns a table of resident memory and, for whole networks, of the time from process start to first score."""
    rows = []
    peers = peers_of(cases)
    whole = cases[0]["part"] == "whole"
    for case in cases:
        for name in [ours_of(case), *peers]:
            if name not in case["runners"]:
                continue
            own, ours = case["runners"][name], case["runners"][ours_of(case)]
            row = [*configuration(case), NAMES[name], f"{own['resident_mb'] / ours['resident_mb']:.1f}",
                   f"{own['resident_mb']:.0f} ({own['resident_peak_mb']:.0f})"]
            if whole:
                row += [f"{own['start_ms'] / ours['start_ms']:.1f}", f"{own['start_ms']:.0f}"]
            rows.append(row)
    keys = ["network", "batch", "threads"] + (["dropout"] if cases[0]["part"] == "train" else [])
    columns = [*keys, "runner", "memory / adtr's", "resident MB (at most)"]
    return table(columns + (["start / adtr's", "start to first score, ms"] if whole else []), rows)


def rows_of(measured):
    """Yields one row for each runner of each case, for a CSV file."""
    for case in measured:
        for name, own in case["runners"].items():
            turns = sorted(own["turns_ms"])
            row = {key: case[key] for key in ("part", "architecture", "batch", "threads", "dropout", "device",
                                            "precision")}
            row |= {"runner": NAMES[name], "median_ms": statistics.median(turns), "min_ms": turns[0],
                    "max_ms": turns[-1], "images_per_s": 1e3 * case["batch"] / statistics.median(turns),
                    "resident_mb": own["resident_mb"], "joules_per_image": own.get("joules_per_image", "")}
            yield row


def draw(measured, path):
    """Draws bars of images per second, with a group for each case and a colour for each runner."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    names = [n for n in reversed(NAMES) if any(n in c["runners"] for c in measured)]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.28 * sum(len(c["runners"]) + 1 for c in measured)))
    place, ticks = 0.0, []
    seen = set()
    for case in measured:
        first = place
        for number, name in enumerate(names):
            if name not in case["runners"]:
                continue
            rate = 1e3 * case["batch"] / median_of(case, name)
            axes.barh(place, rate, color=f"C{number}", label=None if name in seen else NAMES[name])
            axes.text(rate, place, f" {rate:.3g}", va="center", fontsize=8)
            seen.add(name)
            place += 1.0
        ticks.append(((first + place - 1.0) / 2.0, title(case).replace("efficientnet_", "")))
        place += 1.0
    axes.set_yticks([t for t, _ in ticks], [text for _, text in ticks], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("images per second")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def shared_libraries(package, only=""):
    folder = pathlib.Path(importlib.util.find_spec(package).origin).parent
    return sum(f.stat().st_size for f in folder.rglob("*.so*")
               if f.is_file() and not f.is_symlink() and (not only or any(w in f.name for w in only)))


def sizes(cases, program):
    """Returns a table of sizes on disk: the libraries or the program, without Python itself, and the model."""
    openvino = ("libopenvino.so", "cpu_plugin", "onnx_frontend", "libtbb.so", "_pyopenvino")
    runtimes = {"adtr": lambda: program.stat().st_size, "onnxruntime": lambda: shared_libraries("onnxruntime"),
                "openvino": lambda: shared_libraries("openvino", openvino),
                "pytorch": lambda: shared_libraries("torch")}
    rows = []
    for architecture in dict.fromkeys(c["architecture"] for c in cases):
        case = next(c for c in cases if c["architecture"] == architecture)
        for name, size in runtimes.items():
            if name in case["runners"]:  # adtr's backends are in one program
                model = case["model_bytes"]["adtr" if name == "adtr" else "onnx"]
                rows.append([architecture, NAMES[name], f"{size() / 1e6:.1f}", f"{model / 1e6:.1f}"])
    return table(["network", "runner", "program or libraries, MB", "model, MB"], rows)


def all_tables(measured, program):
    text = []
    for part in dict.fromkeys(c["part"] for c in measured):
        cases = [c for c in measured if c["part"] == part]

        def configuration(case):
            row = [case["architecture"], str(case["batch"]), str(case["threads"])]
            return row + ([f"{case['dropout']:g}"] if part == "train" else [])
        text.append(f"## {part}\n\n" + time_tables(cases, configuration))
        if part in ("whole", "train"):
            text.append(memory_and_start(cases, configuration))
        if part == "whole":
            text.append(sizes(cases, program))
    return "\n".join(text)
