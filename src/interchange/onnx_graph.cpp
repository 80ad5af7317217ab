#include "interchange/onnx_graph.h"

#include <torch/types.h>

#include <protozero/pbf_builder.hpp>

#include "core/error.h"
#include "core/version.h"
#include "interchange/onnx_fields.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

using namespace onnx;
using protozero::pbf_builder;

// The IR version that came with an operator set.
std::int64_t ir_version(std::int64_t opset) {
  if (opset <= 11) return 6;
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  return 10;
}

class NodeBuilder {
 public:
  NodeBuilder(const std::string& type, const std::string& name, const std::vector<std::string>& inputs,
              const std::string& output) {
    for (const std::string& input : inputs) node_.add_string(Node::input, input);
    node_.add_string(Node::output, output);
    node_.add_string(Node::name, name);
    node_.add_string(Node::op_type, type);
  }

  NodeBuilder& real(const std::string& name, double value) {
    return attribute(name, AttributeType::real,
                     [&](auto& a) { a.add_float(Attribute::f, static_cast<float>(value)); });
  }
  NodeBuilder& integer(const std::string& name, std::int64_t value) {
    return attribute(name, AttributeType::integer, [&](auto& a) { a.add_int64(Attribute::i, value); });
  }
  NodeBuilder& text(const std::string& name, const std::string& value) {
    return attribute(name, AttributeType::text, [&](auto& a) { a.add_string(Attribute::s, value); });
  }
  NodeBuilder& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    return attribute(name, AttributeType::integers, [&](auto& a) {
      for (const std::int64_t value : values) a.add_int64(Attribute::ints, value);
    });
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <class Fill>
  NodeBuilder& attribute(const std::string& name, AttributeType type, Fill fill) {
    pbf_builder<Attribute> a(node_, Node::attribute);
    a.add_string(Attribute::name, name);
    fill(a);
    a.add_enum(Attribute::type, static_cast<int>(type));
    return *this;
  }

  std::string bytes_;
  pbf_builder<Node> node_{bytes_};
};

class OnnxSink : public GraphSink {
 public:
  OnnxSink(const Layer& network, pbf_builder<Graph>& graph) : graph_(graph) {
    for (const auto& [name, tensor] : state_dict(network)) names_[tensor.unsafeGetTensorImpl()] = name;
  }

  GraphValue conv(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding) override {
    NodeBuilder node = start("Conv", parameters(x, {weight, bias}));
    describe_kernel(node, weight, stride, padding);
    return finish(node.integer("group", x.channels / weight.size(1)), weight.size(0));
  }

  GraphValue conv_transpose(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                            std::int64_t stride, std::int64_t padding, std::int64_t output_padding,
                            std::int64_t groups) override {
    NodeBuilder node = start("ConvTranspose", parameters(x, {weight, bias}));
    describe_kernel(node, weight, stride, padding);
    node.integers("output_padding", {output_padding, output_padding});
    return finish(node.integer("group", groups), weight.size(1) * groups);
  }

  // ONNX's always has parameters: where there are none, ones and zeros.
  GraphValue instance_norm(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                           double eps) override {
    const auto unit = [&](const char* name, const at::Tensor& values) {
      return constant(fmt::format("{}_{}", name, x.channels), values);
    };
    const std::vector<std::string> inputs =
        weight.defined() ? parameters(x, {weight, bias})
                         : std::vector<std::string>{x.name, unit("ones", at::ones({x.channels})),
                                                    unit("zeros", at::zeros({x.channels}))};
    NodeBuilder node = start("InstanceNormalization", inputs);
    return finish(node.real("epsilon", eps), x.channels);
  }

  GraphValue batch_norm(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& mean, const at::Tensor& variance, double eps) override {
    NodeBuilder node = start("BatchNormalization", parameters(x, {weight, bias, mean, variance}));
    return finish(node.real("epsilon", eps), x.channels);
  }

  GraphValue relu(const GraphValue& x) override { return plain("Relu", {x.name}, x.channels); }
  GraphValue tanh(const GraphValue& x) override { return plain("Tanh", {x.name}, x.channels); }
  GraphValue add(const GraphValue& x, const GraphValue& y) override {
    return plain("Add", {x.name, y.name}, x.channels);
  }

  GraphValue scale(const GraphValue& x, double factor) override {
    const std::string value =
        constant(fmt::format("factor_{:.17g}", factor), at::scalar_tensor(static_cast<float>(factor)));
    return plain("Mul", {x.name, value}, x.channels);
  }

  // By padding, along the channels alone.
  GraphValue append_channel(const GraphValue& x, double value) override {
    const std::string pads = constant("one_channel", at::tensor({0, 0, 0, 0, 0, 1, 0, 0}, at::kLong)),
                      filling = constant(fmt::format("filling_{:.17g}", value),
                                         at::scalar_tensor(static_cast<float>(value)));
    NodeBuilder node = start("Pad", {x.name, pads, filling});
    return finish(node.text("mode", "constant"), x.channels + 1);
  }

  GraphValue leaky_relu(const GraphValue& x, double slope) override {
    NodeBuilder node = start("LeakyRelu", {x.name});
    return finish(node.real("alpha", slope), x.channels);
  }

  GraphValue reflection_pad(const GraphValue& x, std::int64_t pad) override {
    return padded(x, pad, "reflect");
  }
  GraphValue replication_pad(const GraphValue& x, std::int64_t pad) override {
    return padded(x, pad, "edge");
  }

  // Before operator set 13 a region of interest has to be there, though this kind of resizing has none.
  GraphValue repeat_pixels(const GraphValue& x) override {
    const std::string region = constant("no_region", at::empty({0})),
                      scales = constant("twice", at::tensor({1.0F, 1.0F, 2.0F, 2.0F}));
    NodeBuilder node = start("Resize", {x.name, region, scales});
    node.text("mode", "nearest").text("nearest_mode", "floor");
    return finish(node.text("coordinate_transformation_mode", "asymmetric"), x.channels);
  }

  GraphValue concat(const GraphValue& x, const GraphValue& y) override {
    NodeBuilder node = start("Concat", {x.name, y.name});
    return finish(node.integer("axis", 1), x.channels + y.channels);
  }

  // The last value gets the name that the graph promises.
  void name_output(const GraphValue& x) {
    NodeBuilder node("Identity", "output", {x.name}, "output");
    graph_.add_message(Graph::node, node.bytes());
  }

  void write_initializers() {
    for (const auto& [name, tensor] : initializers_) {
      const at::Tensor values = tensor.detach().cpu().contiguous();
      const bool is_real = values.scalar_type() == at::kFloat;
      pbf_builder<Tensor> out(graph_, Graph::initializer);
      for (const std::int64_t side : values.sizes()) out.add_int64(Tensor::dims, side);
      out.add_int32(Tensor::data_type, static_cast<int>(is_real ? DataType::real32 : DataType::integer64));
      out.add_string(Tensor::name, name);
      out.add_bytes(Tensor::raw_data, static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    }
  }

 private:
  NodeBuilder start(const std::string& type, const std::vector<std::string>& inputs) {
    last_ = fmt::format("{}_{}", type, count_++);
    return NodeBuilder(type, last_, inputs, last_ + "_out");
  }

  GraphValue finish(const NodeBuilder& node, std::int64_t channels) {
    graph_.add_message(Graph::node, node.bytes());
    return {last_ + "_out", channels};
  }

  GraphValue plain(const std::string& type, const std::vector<std::string>& inputs, std::int64_t channels) {
    return finish(start(type, inputs), channels);
  }

  GraphValue padded(const GraphValue& x, std::int64_t pad, const std::string& mode) {
    const std::string pads = constant(
        fmt::format("pads_{}", pad),
        at::tensor({std::int64_t{0}, std::int64_t{0}, pad, pad, std::int64_t{0}, std::int64_t{0}, pad, pad}));
    NodeBuilder node = start("Pad", {x.name, pads});
    return finish(node.text("mode", mode), x.channels);
  }

  static void describe_kernel(NodeBuilder& node, const at::Tensor& weight, std::int64_t stride,
                              std::int64_t padding) {
    node.integers("kernel_shape", {weight.size(2), weight.size(3)});
    node.integers("strides", {stride, stride});
    node.integers("pads", {padding, padding, padding, padding});
  }

  std::vector<std::string> parameters(const GraphValue& x, const std::vector<at::Tensor>& tensors) {
    std::vector<std::string> inputs = {x.name};
    for (const at::Tensor& tensor : tensors)
      if (tensor.defined()) inputs.push_back(constant(names_.at(tensor.unsafeGetTensorImpl()), tensor));
    return inputs;
  }

  const std::string& constant(const std::string& name, const at::Tensor& values) {
    return initializers_.emplace(name, values).first->first;
  }

  pbf_builder<Graph>& graph_;
  std::map<const void*, std::string> names_;
  std::map<std::string, at::Tensor> initializers_;
  std::string last_;
  std::int64_t count_ = 0;
};

// A float32 tensor with one fixed side, the channels.
void describe_value(pbf_builder<Graph>& graph, Graph field, const std::string& name, std::int64_t channels,
                    const std::string& height, const std::string& width) {
  pbf_builder<ValueInfo> info(graph, field);
  info.add_string(ValueInfo::name, name);
  pbf_builder<Type> type(info, ValueInfo::type);
  pbf_builder<TensorType> tensor(type, Type::tensor_type);
  tensor.add_int32(TensorType::elem_type, static_cast<int>(DataType::real32));
  pbf_builder<Shape> shape(tensor, TensorType::shape);
  const auto dynamic = [&](const std::string& side) {
    pbf_builder<Dimension>(shape, Shape::dim).add_string(Dimension::param, side);
  };
  dynamic("batch");
  pbf_builder<Dimension>(shape, Shape::dim).add_int64(Dimension::value, channels);
  dynamic(height);
  dynamic(width);
}

}  // namespace

std::string onnx_graph(const Layer& network, const OnnxGraphOptions& options) {
  std::string bytes;
  pbf_builder<Graph> graph(bytes);
  OnnxSink sink(network, graph);
  const GraphValue last = network.describe(sink, {"input", options.in_channels});
  sink.name_output(last);
  graph.add_string(Graph::name, options.name);
  sink.write_initializers();
  describe_value(graph, Graph::input, "input", options.in_channels, "height", "width");
  describe_value(graph, Graph::output, "output", last.channels, "output_height", "output_width");
  return bytes;
}

std::string onnx_model(const std::string& graph, std::int64_t opset,
                       const std::map<std::string, std::string>& metadata) {
  std::string bytes;
  pbf_builder<Model> model(bytes);
  model.add_int64(Model::ir_version, ir_version(opset));
  model.add_string(Model::producer_name, "torsor");
  model.add_string(Model::producer_version, torsor_version());
  model.add_message(Model::graph, graph);
  {
    pbf_builder<OperatorSet> operators(model, Model::opset_import);
    operators.add_string(OperatorSet::domain, "");
    operators.add_int64(OperatorSet::version, opset);
  }
  for (const auto& [key, value] : metadata) {
    pbf_builder<StringEntry> entry(model, Model::metadata_props);
    entry.add_string(StringEntry::key, key);
    entry.add_string(StringEntry::value, value);
  }
  return bytes;
}

}  // namespace torsor
