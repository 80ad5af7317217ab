#!/usr/bin/env python3
"""Runs exported ONNX models on the inputs that torsor wrote beside them and compares with torsor's outputs."""
import argparse
import sys

import numpy
import onnx
import onnxruntime
from safetensors.numpy import load_file


def check(path, tolerance):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    tensors = load_file(path + ".check.safetensors")
    good = True
    for i in range(len(tensors) // 2):
        x, expected = tensors[f"input_{i}"], tensors[f"output_{i}"]
        actual = session.run(["output"], {"input": x})[0]
        error = numpy.inf
        if actual.shape == expected.shape:
            error = float(numpy.abs(actual - expected).max() / numpy.abs(expected).max())
        good = good and error <= tolerance
        print(f"{path}: input {'x'.join(map(str, x.shape))}: largest error {error:.1e} of max|y|",
              "ok" if error <= tolerance else f"FAILED: expected at most {tolerance:g}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL.onnx")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    return 0 if all([check(path, options.tolerance) for path in options.models]) else 1


if __name__ == "__main__":
    sys.exit(main())
