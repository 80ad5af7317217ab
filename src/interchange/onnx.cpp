#include "interchange/onnx.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include <protozero/pbf_message.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/rng.h"
#include "interchange/onnx_fields.h"
#include "interchange/onnx_graph.h"
#include "io/describe.h"
#include "io/safetensors.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

using namespace onnx;
using protozero::pbf_message;

// Uniform in [-1, 1], the same on every machine.
at::Tensor noise(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  at::Tensor out = at::empty(shape);
  Rng rng(seed);
  float* const values = out.data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) values[i] = static_cast<float>(rng.uniform(-1, 1));
  return out;
}

// A square, one that is not, and where the network takes any side an odd one.
std::vector<std::vector<std::int64_t>> check_shapes(const SizeRule& rule, std::int64_t channels) {
  const std::int64_t side = rule.takes_others ? 8 * rule.multiple : rule.multiple;
  if (!rule.takes_others)
    return {{1, channels, side, side}, {1, channels, side, 2 * side}, {1, channels, 2 * side, side}};
  return {{2, channels, side, side},
          {1, channels, side, side + 5 * rule.multiple},
          {1, channels, side + 1, side + 7}};
}

Safetensors check_content(const LoadedGenerator& generator, std::vector<std::string>& sizes) {
  Safetensors content;
  const c10::InferenceMode inference;
  std::uint64_t seed = 0;
  for (const auto& shape : check_shapes(generator.generator->size_rule(), generator.options.in_channels)) {
    const at::Tensor x = noise(shape, seed);
    content.tensors.emplace_back(fmt::format("input_{}", seed), x);
    content.tensors.emplace_back(fmt::format("output_{}", seed),
                                 generator.generator->forward(x).contiguous());
    sizes.push_back(fmt::format("{}", fmt::join(shape, "x")));
    ++seed;
  }
  return content;
}

std::map<std::string, std::string> metadata_of(const LoadedGenerator& generator) {
  const SizeRule rule = generator.generator->size_rule();
  return {{"torsor.direction", generator.direction},
          {"torsor.generator", options_to_json(generator.options).dump()},
          {"torsor.input", "float32 NCHW in [-1,1]: x/127.5 - 1 of 8-bit samples"},
          {"torsor.sides", Json{{"multiple_of", rule.multiple}, {"at_least", rule.minimum}}.dump()},
          {"torsor.model", generator.info.to_json().dump()}};
}

// --- reading
// -------------------------------------------------------------------------------------------------

void read_dimension(pbf_message<Dimension> dim, Json& shape) {
  while (dim.next()) {
    if (dim.tag() == Dimension::value)
      shape.push_back(dim.get_int64());
    else if (dim.tag() == Dimension::param)
      shape.push_back(printable(dim.get_string()));
    else
      dim.skip();
  }
}

Json read_shape(pbf_message<Type> type) {
  Json out = Json::array();
  while (type.next(Type::tensor_type)) {
    pbf_message<TensorType> tensor(type.get_message());
    while (tensor.next(TensorType::shape)) {
      pbf_message<Shape> shape(tensor.get_message());
      while (shape.next(Shape::dim)) read_dimension(pbf_message<Dimension>(shape.get_message()), out);
    }
  }
  return out;
}

Json read_value(pbf_message<ValueInfo> info) {
  Json out = {{"name", ""}, {"shape", Json::array()}};
  while (info.next()) {
    if (info.tag() == ValueInfo::name)
      out["name"] = printable(info.get_string());
    else if (info.tag() == ValueInfo::type)
      out["shape"] = read_shape(pbf_message<Type>(info.get_message()));
    else
      info.skip();
  }
  return out;
}

std::int64_t value_count(pbf_message<Tensor> tensor) {
  std::int64_t count = 1;
  while (tensor.next(Tensor::dims))
    if (__builtin_mul_overflow(count, tensor.get_int64(), &count)) return 0;
  return count;
}

void read_graph(pbf_message<Graph> graph, Json& out) {
  std::int64_t initializers = 0, values = 0;
  std::map<std::string, std::int64_t> nodes;
  while (graph.next()) {
    switch (graph.tag()) {
      case Graph::node: {
        pbf_message<Node> node(graph.get_message());
        while (node.next(Node::op_type)) ++nodes[printable(node.get_string())];
        break;
      }
      case Graph::initializer:
        ++initializers;
        values += value_count(pbf_message<Tensor>(graph.get_message()));
        break;
      case Graph::input:
        out["inputs"].push_back(read_value(pbf_message<ValueInfo>(graph.get_message())));
        break;
      case Graph::output:
        out["outputs"].push_back(read_value(pbf_message<ValueInfo>(graph.get_message())));
        break;
      default:
        graph.skip();
    }
  }
  out["nodes"] = nodes;
  out["initializers"] = initializers;
  out["values"] = values;
}

void read_metadata(pbf_message<StringEntry> entry, Json& out) {
  std::string key, value;
  while (entry.next()) {
    if (entry.tag() == StringEntry::key)
      key = printable(entry.get_string());
    else if (entry.tag() == StringEntry::value)
      value = entry.get_string();
    else
      entry.skip();
  }
  const Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  out[key] = parsed.is_discarded() ? Json(printable(value)) : parsed;
}

Json read_model(pbf_message<Model>& model) {
  Json out = {{"inputs", Json::array()}, {"outputs", Json::array()}, {"metadata", Json::object()}};
  while (model.next()) {
    switch (model.tag()) {
      case Model::ir_version:
        out["ir_version"] = model.get_int64();
        break;
      case Model::producer_name:
        out["producer"] = printable(model.get_string());
        break;
      case Model::opset_import: {
        pbf_message<OperatorSet> operators(model.get_message());
        while (operators.next(OperatorSet::version)) out["opset"] = operators.get_int64();
        break;
      }
      case Model::graph:
        read_graph(pbf_message<Graph>(model.get_message()), out);
        break;
      case Model::metadata_props:
        read_metadata(pbf_message<StringEntry>(model.get_message()), out["metadata"]);
        break;
      default:
        model.skip();
    }
  }
  return out;
}

}  // namespace

OnnxExport write_onnx(const LoadedGenerator& generator, const fs::path& path, std::int64_t opset) {
  if (opset < kOldestOpset || opset > kNewestOpset)
    fail_usage("--opset {}: expected {} to {}", opset, kOldestOpset, kNewestOpset);
  OnnxExport out{path, path.string() + ".check.safetensors", {}};
  const Safetensors check = check_content(generator, out.sizes);
  const std::string name = generator.direction.empty() ? "generator" : "g_" + generator.direction;
  const std::string graph = onnx_graph(*generator.generator, {generator.options.in_channels, name});
  write_file_atomically(path, onnx_model(graph, opset, metadata_of(generator)));
  write_safetensors(out.check, check);
  return out;
}

Json inspect_onnx(const fs::path& path) {
  weight_file_size(path);
  const std::string bytes = read_file(path);
  pbf_message<Model> model(bytes);
  try {
    Json out = read_model(model);
    if (!out.contains("ir_version") || !out.contains("nodes"))
      fail("{}: is not an ONNX model ({})", path.string(), describe_content(bytes));
    return out;
  } catch (const protozero::exception&) {
    fail("{}: is not an ONNX model or is damaged, near byte {} ({})", path.string(),
         bytes.size() - model.length(), describe_content(bytes));
  }
}

}  // namespace torsor
