#include "interchange/onnx.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include <climits>
#include <protozero/pbf_message.hpp>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/rng.h"
#include "core/text.h"
#include "interchange/onnx_fields.h"
#include "interchange/onnx_graph.h"
#include "io/describe.h"
#include "io/safetensors.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

using namespace onnx;
using protozero::pbf_message;

constexpr std::string_view kCheckEnd = ".check.safetensors";

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
  const std::int64_t least = (rule.minimum + rule.multiple - 1) / rule.multiple * rule.multiple;
  const std::int64_t side = rule.takes_others ? std::max(8 * rule.multiple, least) : least;
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

std::string samples_text(PixelType type) {
  return type == PixelType::u8    ? "8-bit samples"
         : type == PixelType::u16 ? "16-bit samples"
                                  : "float samples";
}

std::string input_text(const LoadedGenerator& generator) {
  if (scales_each_image(generator.info.scaling()))
    return "float32 NCHW from 0 up: each image divided by its own 95th percentile";
  const auto from =
      generator.info.domains.find(generator.direction.is_known() ? generator.direction.from : "a");
  const ValueRange range = from == generator.info.domains.end() ? ValueRange() : from->second.range;
  if (range == ValueRange{}) return "float32 NCHW in [-1,1]: x/127.5 - 1 of 8-bit samples";
  return fmt::format(
      "float32 NCHW in [-1,1]: 2 (x - {0:g}) / ({1:g} - {0:g}) - 1 of {2} clamped to {0:g}..{1:g}",
      range.black_level, range.white, samples_text(range.type));
}

std::string output_text(const LoadedGenerator& generator) {
  const ValueRange range = target_of(generator).range;
  if (range.black == 0)
    return fmt::format(
        "float32 NCHW: times {}, {}; that is the mean 95th percentile of the target domain's training images",
        range.type == PixelType::u8 ? fmt::format("{:.2f}", range.white) : fmt::format("{:g}", range.white),
        range.type == PixelType::u8 ? "rounded and clamped to 0..255, 8-bit samples"
                                    : samples_text(range.type));
  if (range == ValueRange{})
    return "float32 NCHW: (y + 1) * 127.5, rounded and clamped to 0..255, 8-bit samples";
  return fmt::format("float32 NCHW: {0:g} + (y + 1) / 2 * ({1:g} - {0:g}), {2}", range.black_level,
                     range.white, samples_text(range.type));
}

std::map<std::string, std::string> metadata_of(const LoadedGenerator& generator) {
  const SizeRule rule = generator.generator->size_rule();
  return {{"torsor.direction", generator.direction.name()},
          {"torsor.generator", options_to_json(generator.options).dump()},
          {"torsor.input", input_text(generator)},
          {"torsor.output", output_text(generator)},
          {"torsor.sides", Json{{"multiple_of", rule.multiple}, {"at_least", rule.minimum}}.dump()},
          {"torsor.model", generator.info.to_json().dump()}};
}

// --- reading
// -------------------------------------------------------------------------------------------------

// The value of the field that a reader stands at. protozero checks lengths, but only asserts that a field has
// the type that is asked for.
void expect(const protozero::pbf_reader& field, protozero::pbf_wire_type type) {
  if (!field.has_wire_type(type)) throw protozero::unknown_pbf_wire_type_exception();
}

std::string text_in(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::length_delimited);
  return field.get_string();
}

std::int64_t number_in(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::varint);
  return field.get_int64();
}

template <class Message>
pbf_message<Message> message_in(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::length_delimited);
  return pbf_message<Message>(field.get_view());
}

void read_dimension(pbf_message<Dimension> dim, Json& shape) {
  while (dim.next()) {
    if (dim.tag() == Dimension::value)
      shape.push_back(number_in(dim));
    else if (dim.tag() == Dimension::param)
      shape.push_back(printable(text_in(dim)));
    else
      dim.skip();
  }
}

Json read_shape(pbf_message<Type> type) {
  Json out = Json::array();
  while (type.next(Type::tensor_type)) {
    pbf_message<TensorType> tensor = message_in<TensorType>(type);
    while (tensor.next(TensorType::shape)) {
      pbf_message<Shape> shape = message_in<Shape>(tensor);
      while (shape.next(Shape::dim)) read_dimension(message_in<Dimension>(shape), out);
    }
  }
  return out;
}

Json read_value(pbf_message<ValueInfo> info) {
  Json out = {{"name", ""}, {"shape", Json::array()}};
  while (info.next()) {
    if (info.tag() == ValueInfo::name)
      out["name"] = printable(text_in(info));
    else if (info.tag() == ValueInfo::type)
      out["shape"] = read_shape(message_in<Type>(info));
    else
      info.skip();
  }
  return out;
}

std::int64_t value_count(pbf_message<Tensor> tensor) {
  std::vector<std::int64_t> dims;
  while (tensor.next(Tensor::dims)) {  // one by one, or packed as protobuf 3 does
    if (tensor.has_wire_type(protozero::pbf_wire_type::varint)) {
      dims.push_back(tensor.get_int64());
    } else {
      expect(tensor, protozero::pbf_wire_type::length_delimited);
      for (const std::int64_t dim : tensor.get_packed_int64()) dims.push_back(dim);
    }
  }
  std::int64_t count = 1;
  for (const std::int64_t dim : dims)
    if (__builtin_mul_overflow(count, dim, &count)) return 0;
  return std::max<std::int64_t>(count, 0);
}

void read_graph(pbf_message<Graph> graph, Json& out) {
  std::int64_t initializers = 0, values = 0;
  std::map<std::string, std::int64_t> nodes;
  while (graph.next()) {
    switch (graph.tag()) {
      case Graph::node: {
        pbf_message<Node> node = message_in<Node>(graph);
        while (node.next(Node::op_type)) ++nodes[printable(text_in(node))];
        break;
      }
      case Graph::initializer:
        ++initializers;
        if (__builtin_add_overflow(values, value_count(message_in<Tensor>(graph)), &values))
          values = std::numeric_limits<std::int64_t>::max();
        break;
      case Graph::input:
        out["inputs"].push_back(read_value(message_in<ValueInfo>(graph)));
        break;
      case Graph::output:
        out["outputs"].push_back(read_value(message_in<ValueInfo>(graph)));
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
      key = printable(text_in(entry));
    else if (entry.tag() == StringEntry::value)
      value = text_in(entry);
    else
      entry.skip();
  }
  try {
    out[key] = parse_json(value, key);
  } catch (const Error&) {  // other programs keep plain text here
    out[key] = printable(value);
  }
}

Json read_model(pbf_message<Model>& model) {
  Json out = {{"inputs", Json::array()}, {"outputs", Json::array()}, {"metadata", Json::object()}};
  while (model.next()) {
    switch (model.tag()) {
      case Model::ir_version:
        out["ir_version"] = number_in(model);
        break;
      case Model::producer_name:
        out["producer"] = printable(text_in(model));
        break;
      case Model::opset_import: {
        pbf_message<OperatorSet> operators = message_in<OperatorSet>(model);
        while (operators.next(OperatorSet::version)) out["opset"] = number_in(operators);
        break;
      }
      case Model::graph:
        read_graph(message_in<Graph>(model), out);
        break;
      case Model::metadata_props:
        read_metadata(message_in<StringEntry>(model), out["metadata"]);
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
  if (path.filename().string().size() + kCheckEnd.size() > NAME_MAX)
    fail_usage("{}: the name is too long for {} behind it; use at most {} bytes", path.string(), kCheckEnd,
               NAME_MAX - kCheckEnd.size());
  OnnxExport out{
      path, path.string() + std::string(kCheckEnd), {}, input_text(generator), output_text(generator)};
  const Safetensors check = check_content(generator, out.sizes);
  const std::string name = generator.direction.is_known() ? "g_" + generator.direction.name() : "generator";
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
