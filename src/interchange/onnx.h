// Generators as ONNX models. The wire format: onnx/onnx.proto; the operators: onnx/docs/Operators.md.
#pragma once

#include <filesystem>
#include <vector>

#include "core/json.h"
#include "model/model_file.h"

namespace torsor {

/// Operator sets that can be written.
inline constexpr std::int64_t kOldestOpset = 11, kNewestOpset = 21, kDefaultOpset = 17;

struct OnnxExport {
  std::filesystem::path model;
  std::filesystem::path check;     // input_<i>, output_<i>: what torsor computed, for scripts/check-onnx.py
  std::vector<std::string> sizes;  // of the check's inputs, "2x3x32x32"
  std::string input, output;       // what their numbers mean, as in the metadata
};

/// Writes the generator in evaluation mode (running statistics, no dropout) as a graph from "input" to
/// "output": float32 [N,C,H,W] in the training's range, all but C dynamic, neither padded nor cropped (a
/// ResNet's output sides are rounded up to multiples of 4, a U-Net's input sides have to be multiples of its
/// depth). The model's metadata carry torsor's description and what the numbers mean. OUT.check.safetensors
/// next to it has inputs of three sizes and their outputs. Throws Error naming the file, UsageError for an
/// opset out of range.
OnnxExport write_onnx(const LoadedGenerator& generator, const std::filesystem::path& path,
                      std::int64_t opset);

/// The description of an ONNX file: {"ir_version", "opset", "producer", "inputs", "outputs", "nodes": {type:
/// count}, "initializers", "values", "metadata"}. Throws Error naming the file and the byte offset when it
/// cannot be read.
Json inspect_onnx(const std::filesystem::path& path);

}  // namespace torsor
