"""Runs adtr and its peers as processes that get requests over pipes, and measures them from outside."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

TOLERANCE = 1e-3  # as a share of the largest magnitude
TOLERANCES = {"float32": TOLERANCE, "tf32": 2e-2, "bf16": 1e-1}  # for products in these precisions
STARTS = 5  # number of starts of each runner of a whole network
COMPILED = ["pytorch_compiled", "pytorch_graphs", "tensorrt"]  # started only once, because that takes a minute


def gpu_millijoules():
    """Returns the energy that the first GPU has used since its driver was loaded (NVML), or None."""
    try:
        import pynvml
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))
    except Exception:  # the package, the GPU or its counter is missing
        return None


class Runner:
    def __init__(self, name, command, case, result):
        self.name, self.result = name, result
        self.on_gpu = name == "adtr_cuda" or (case["device"] == "cuda" and not name.startswith("adtr"))
        self.tolerance = TOLERANCES[case["precision"]] if self.on_gpu else TOLERANCE
        threads = str(case["threads"])
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        if self.on_gpu and case["precision"] == "float32":
            environment["NVIDIA_TF32_OVERRIDE"] = "0"  # TensorRT has no other switch
        begin = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.answer()
        self.start_ms = (time.monotonic() - begin) * 1e3
        self.turns = []

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare.py: {self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def take_turn(self, runs):
        print(runs, file=self.process.stdin, flush=True)
        self.turns.append(statistics.median(self.answer()))
        self.memory = self.memory_mb()

    def joules(self, runs):
        """Returns the energy of one call, from the GPU's counter over `runs` calls, or None without such a counter."""
        before = gpu_millijoules()
        if before is None:
            return None
        print(runs, file=self.process.stdin, flush=True)
        self.answer()
        return (gpu_millijoules() - before) * 1e-3 / (runs + 1)  # one of the calls is not timed

    def memory_mb(self):
        """Returns the current and the peak memory in units of 2^20 bytes."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return [int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")]

    def end(self):
        self.process.kill()
        self.process.wait()

    def finish(self):
        self.process.stdin.close()
        figures = self.answer()
        self.process.wait()
        return {"turns_ms": self.turns, "start_ms": self.start_ms, "resident_mb": self.memory[0],
                "resident_peak_mb": self.memory[1], **({"figures": figures} if figures else {})}


def start(name, case, folder, program):
    """Starts a runner, with its files in the file cache, and waits for its first call. start_ms is the median start."""
    part = case["part"]
    ours = name.startswith("adtr")
    result = folder / (f"{name}_{part}." + ("safetensors" if ours else "npy"))
    if ours:
        backend = name.partition("_")[2] or "cpu"
        command = [program, "--serve", "--backend", backend, "--part", part,
                   "--batch", str(case["batch"]), "--threads", str(case["threads"]),
                   "--architecture", case["architecture"], "--dropout", str(case["dropout"])]
        if backend == "cuda":
            command += ["--precision", case["precision"]]
        if part != "train":
            command += ["--model", folder / "model.adtr", "--images", folder / "images.safetensors",
                        "--result", result]
    else:
        command = [sys.executable, pathlib.Path(__file__).with_name("worker.py"), name, json.dumps(case), folder]
    if part != "whole" or name in COMPILED:
        return Runner(name, command, case, result)
    starts = []
    for _ in range(STARTS + 1):  # the first one only warms the file cache
        runner = Runner(name, command, case, result)
        starts.append(runner.start_ms)
        if len(starts) <= STARTS:
            runner.end()
    runner.start_ms = statistics.median(starts[1:])
    return runner


def check_agreement(started, folder):
    """Returns the largest deviations from the first, as shares of the largest magnitude. Exits on disagreement."""
    import numpy
    import safetensors.numpy
    for runner in started:  # after one more turn, the results of the first call are written
        runner.take_turn(1)
        runner.turns.clear()
    ours = safetensors.numpy.load_file(started[0].result)["result"].ravel()
    deviations = {}
    for runner in started[1:]:
        if runner.name.startswith("adtr"):
            theirs = safetensors.numpy.load_file(runner.result)["result"].ravel()
        else:
            theirs = numpy.load(runner.result).ravel()
        deviations[runner.name] = float(abs(ours - theirs).max() / abs(ours).max())
        if not deviations[runner.name] <= runner.tolerance:
            sys.exit(f"compare.py: {runner.name} and adtr differ by {deviations[runner.name]:.2e} of the largest "
                     f"magnitude, more than {runner.tolerance:g}: they do not run the same network")
    return deviations
