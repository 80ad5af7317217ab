#include "metric/weight_table.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

std::vector<std::string> keys_of(const TensorMap& tensors) {
  std::vector<std::string> out;
  for (const auto& [key, tensor] : tensors) out.push_back(key);
  return out;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

ConvUnit placed(const at::Tensor& weight, const at::Tensor& bias, const ConvSpec& spec,
                const NetworkPlace& place) {
  const auto move = [&](const at::Tensor& t) { return t.to(place.device, place.dtype); };
  return {move(weight).contiguous(at::MemoryFormat::ChannelsLast), move(bias), spec.stride, spec.padding,
          spec.groups};
}

at::Tensor take_kernel(WeightTable& weights, const std::string& key, const ConvSpec& spec) {
  return weights.take(key + ".weight", {spec.out, spec.in / spec.groups, spec.kernel[0], spec.kernel[1]});
}

}  // namespace

WeightTable::WeightTable(TensorMap tensors, std::string source)
    : tensors_(std::move(tensors)), source_(std::move(source)) {}

at::Tensor WeightTable::take(const std::string& key, const std::vector<std::int64_t>& shape) {
  const at::Tensor found = find_tensor(tensors_, key);
  if (!found.defined()) fail("{}: has no tensor '{}'{}", source_, key, did_you_mean(key, keys_of(tensors_)));
  if (found.sizes() != at::IntArrayRef(shape))
    fail("{}: '{}' has the shape {}, expected {}", source_, key, shape_text(found.sizes().vec()),
         shape_text(shape));
  if (!found.is_floating_point()) fail("{}: '{}' holds whole numbers, expected weights", source_, key);
  at::Tensor values = found.to(at::kCPU, at::kDouble).contiguous();
  if (!values.isfinite().all().item<bool>())
    fail("{}: '{}' has values that are not finite; the file is damaged", source_, key);
  hash_.update(key.data(), key.size() + 1);  // with the zero behind it
  hash_.update(shape.data(), shape.size() * sizeof(std::int64_t));
  hash_.update(values.const_data_ptr(), values.nbytes());
  taken_.insert(key);
  return values;
}

void WeightTable::expect_all_taken(const std::vector<std::string>& unused) const {
  for (const auto& [key, tensor] : tensors_) {
    bool known = taken_.contains(key) || key.ends_with("num_batches_tracked");
    for (const std::string& prefix : unused) known = known || key.starts_with(prefix);
    if (!known) fail("{}: has a tensor '{}', which this network does not have", source_, printable(key));
  }
}

at::Tensor ConvUnit::operator()(const at::Tensor& x) const {
  return at::conv2d(x, weight, bias, stride, padding, {1, 1}, groups);
}

ConvUnit take_conv(WeightTable& weights, const std::string& key, const ConvSpec& spec,
                   const NetworkPlace& place) {
  const at::Tensor weight = take_kernel(weights, key, spec);
  return placed(weight, weights.take(key + ".bias", {spec.out}), spec, place);
}

ConvUnit take_conv_norm(WeightTable& weights, const std::string& conv, const std::string& norm, double eps,
                        const ConvSpec& spec, const NetworkPlace& place) {
  const at::Tensor weight = take_kernel(weights, conv, spec);
  const at::Tensor gain = weights.take(norm + ".weight", {spec.out}),
                   shift = weights.take(norm + ".bias", {spec.out});
  const at::Tensor mean = weights.take(norm + ".running_mean", {spec.out});
  const at::Tensor variance = weights.take(norm + ".running_var", {spec.out});
  if (!variance.ge(0).all().item<bool>())
    fail("{}: '{}.running_var' has negative values; the file is damaged", weights.source(), norm);
  const at::Tensor scale = gain / (variance + eps).sqrt();  // [out]
  return placed(weight * scale.view({-1, 1, 1, 1}), shift - mean * scale, spec, place);
}

}  // namespace torsor
