// A network told operation by operation, to whoever writes it in another form.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace torsor {

/// A value [N,C,H,W] that flows through a graph.
struct GraphValue {
  std::string name;           // the sink's
  std::int64_t channels = 0;  // C
};

/// Receives operations in order, as they are in evaluation mode. Tensors are the network's own parameters and
/// buffers; an undefined bias means none.
class GraphSink {
 public:
  virtual ~GraphSink() = default;
  /// With fewer channels in the weight than x has, of groups.
  virtual GraphValue conv(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                          std::int64_t stride, std::int64_t padding) = 0;
  virtual GraphValue conv_transpose(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                                    std::int64_t stride, std::int64_t padding, std::int64_t output_padding,
                                    std::int64_t groups) = 0;
  /// Over H and W; weight and bias, both or neither defined, scale and shift the channels afterwards.
  virtual GraphValue instance_norm(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                                   double eps) = 0;
  virtual GraphValue batch_norm(const GraphValue& x, const at::Tensor& weight, const at::Tensor& bias,
                                const at::Tensor& mean, const at::Tensor& variance, double eps) = 0;
  virtual GraphValue relu(const GraphValue& x) = 0;
  virtual GraphValue leaky_relu(const GraphValue& x, double slope) = 0;
  virtual GraphValue tanh(const GraphValue& x) = 0;
  /// By `pad` on all four sides: mirrored at the edge, or the edge repeated.
  virtual GraphValue reflection_pad(const GraphValue& x, std::int64_t pad) = 0;
  virtual GraphValue replication_pad(const GraphValue& x, std::int64_t pad) = 0;
  /// Each pixel twice along both sides.
  virtual GraphValue repeat_pixels(const GraphValue& x) = 0;
  virtual GraphValue add(const GraphValue& x, const GraphValue& y) = 0;
  /// Every number times the factor.
  virtual GraphValue scale(const GraphValue& x, double factor) = 0;
  /// With one channel more, behind the others, that holds the value everywhere.
  virtual GraphValue append_channel(const GraphValue& x, double value) = 0;
  /// Along the channels, x first.
  virtual GraphValue concat(const GraphValue& x, const GraphValue& y) = 0;
};

}  // namespace torsor
