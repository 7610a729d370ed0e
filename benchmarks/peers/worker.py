"""One peer as a process that adtr_benchmark --serve has the manners of: worker.py PEER CASE FOLDER.

It imports its own peer only, says when the first call is done, and then makes as many calls as each line of standard
input says, after one that does not count.
"""
import json
import pathlib
import sys
import time

import numpy


def onnxruntime_call(case, folder):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case["threads"]
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / f"{case['part']}.onnx", options,
                                           providers=["CPUExecutionProvider"])
    given = numpy.load(folder / f"{case['part']}.npy")
    return lambda: session.run(None, {"input": given})[0]


def openvino_call(case, folder):
    import openvino
    compiled = openvino.Core().compile_model(folder / f"{case['part']}.onnx", "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(case["threads"]),
        "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    given = numpy.load(folder / f"{case['part']}.npy")
    return lambda: request.infer({0: given}, share_inputs=True, share_outputs=True)[compiled.output(0)]


def pytorch_call(case, folder, compiled=False):
    import torch

    import torch_networks
    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    if case["part"] == "train":
        return torch_networks.training_step(case["architecture"], case["batch"], case["dropout"], compiled)
    module = torch_networks.Part(case["part"], *torch_networks.modules(case["architecture"])).eval()
    given = torch.from_numpy(numpy.load(folder / f"{case['part']}.npy"))

    def call():
        with torch.inference_mode():
            return module(given).numpy()
    return call


def main():
    peer, case, folder = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3])
    if peer == "onnxruntime":
        call = onnxruntime_call(case, folder)
    elif peer == "openvino":
        call = openvino_call(case, folder)
    else:
        call = pytorch_call(case, folder, peer == "pytorch_compiled")
    result = call()
    print(json.dumps({"peer": peer}), flush=True)
    if case["part"] != "train":
        numpy.save(folder / f"{peer}_{case['part']}.npy", result)
    for line in sys.stdin:
        call()
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            call()
            times.append((time.perf_counter() - begin) * 1e3)
        print(json.dumps(times), flush=True)
    print("{}", flush=True)


if __name__ == "__main__":
    main()
