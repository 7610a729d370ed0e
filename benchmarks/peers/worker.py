"""Runs one peer with the protocol of adtr_benchmark --serve: worker.py PEER CASE FOLDER.

It imports only its own peer and reports the end of the first call. Then, for each line of standard input, it makes one
untimed call and the requested number of calls. A whole network reads its images from host memory and returns the score
map there; the operands of a part lie on the case's device.
"""
import json
import pathlib
import sys
import time

import numpy


# The mode of torch.compile for each PyTorch peer; reduce-overhead uses CUDA graphs.
TORCH_MODES = {"pytorch": None, "pytorch_compiled": "default", "pytorch_graphs": "reduce-overhead"}


def onnxruntime_call(case, folder, peer):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case["threads"]
    options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    if case["device"] == "cuda":
        onnxruntime.preload_dlls()  # those of CUDA, which PyTorch brings along
        providers.insert(0, ("CUDAExecutionProvider", {"use_tf32": str(int(case["precision"] == "tf32"))}))
    if peer == "tensorrt":
        cache = folder / f"tensorrt_{case['precision']}"
        cache.mkdir(exist_ok=True)
        providers.insert(0, ("TensorrtExecutionProvider",
                             {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache)}))
    session = onnxruntime.InferenceSession(folder / f"{case['part']}.onnx", options, providers=providers)
    expected = providers[0] if case["device"] == "cpu" else providers[0][0]
    if session.get_providers()[0] != expected:  # onnxruntime only warns and uses the next provider
        sys.exit(f"worker.py: {peer}: expected {expected}, found {session.get_providers()[0]}")
    given = numpy.load(folder / f"{case['part']}.npy")
    if case["part"] == "whole":
        return lambda: session.run(None, {"input": given})[0], lambda result: result
    binding = session.io_binding()
    binding.bind_ortvalue_input("input", onnxruntime.OrtValue.ortvalue_from_numpy(given, case["device"], 0))
    binding.bind_output("result", case["device"])

    def call():
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding
    return call, lambda result: result.copy_outputs_to_cpu()[0]


def openvino_call(case, folder):
    import openvino
    compiled = openvino.Core().compile_model(folder / f"{case['part']}.onnx", "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(case["threads"]),
        "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    given = numpy.load(folder / f"{case['part']}.npy")
    return (lambda: request.infer({0: given}, share_inputs=True, share_outputs=True)[compiled.output(0)],
            lambda result: result)


def pytorch_call(case, folder, peer):
    import torch

    import torch_networks
    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = case["precision"] == "tf32"
    device, mode = torch.device(case["device"]), TORCH_MODES[peer]
    if case["part"] == "train":
        return torch_networks.training_step(case["architecture"], case["batch"], case["dropout"], mode, device), None
    module = torch_networks.Part(case["part"], *torch_networks.modules(case["architecture"])).eval().to(device)
    module = torch.compile(module, mode=mode) if mode else module
    given = torch.from_numpy(numpy.load(folder / f"{case['part']}.npy"))
    whole = case["part"] == "whole"
    if not whole:
        given = given.to(device)
    elif device.type == "cuda":
        given = given.pin_memory()

    def call():
        torch_networks.begin_step(mode)
        with torch.inference_mode():
            result = module(given.to(device, non_blocking=True))
            result = result.cpu() if whole else result
        torch_networks.wait(device)
        return result
    return call, lambda result: result.cpu().numpy()


def main():
    peer, case, folder = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3])
    if peer == "openvino":
        call, to_numpy = openvino_call(case, folder)
    else:
        call, to_numpy = (pytorch_call if peer in TORCH_MODES else onnxruntime_call)(case, folder, peer)
    result = call()
    print(json.dumps({"peer": peer}), flush=True)
    if case["part"] != "train":
        numpy.save(folder / f"{peer}_{case['part']}.npy", to_numpy(result))
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
