#include "nn/patch_features.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <charconv>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kLengthFloor = 1e-7;
constexpr std::int64_t kMostChannels = 1 << 20;

}  // namespace

std::vector<std::int64_t> whole_numbers(const std::string& text, const std::string& where) {
  std::vector<std::int64_t> numbers;
  constexpr std::ptrdiff_t kMostDigits = 9;
  for (const char *at = text.data(), *const end = at + text.size(); at <= end; ++at) {
    std::int64_t number = -1;
    const auto [stop, status] = std::from_chars(at, end, number);
    if (status != std::errc() || number < 0 || stop - at > kMostDigits || (stop != end && *stop != ','))
      fail_usage("{}: '{}' is no list of whole numbers; write it as 0,4,8", where, printable(text));
    numbers.push_back(number);
    at = stop;
  }
  return numbers;
}

std::string number_list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

void PatchFeatureOptions::describe(OptionSet& o) {
  o.add("channels", channels, "channels of each feature")
      .check([](const std::string& text, const std::string& where) {
        for (const std::int64_t channels : whole_numbers(text, where))
          if (channels < 1 || channels > kMostChannels)
            fail_usage("{}: a feature of {} channels; from 1 to {} are possible", where, channels,
                       kMostChannels);
      });
  o.add("width", width, "numbers that a patch is compared by").range(1, 65536);
}

PatchFeatures::PatchFeatures(const PatchFeatureOptions& options)
    : channels_(whole_numbers(options.channels, "channels of features")) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    auto mlp = std::make_shared<LayerList>();
    mlp->append(std::make_shared<Linear>(channels_[i], options.width));
    mlp->append(std::make_shared<Relu>());
    mlp->append(std::make_shared<Linear>(options.width, options.width));
    mlps_.push_back(register_module(fmt::format("mlp_{}", i), std::move(mlp)));
  }
}

at::Tensor PatchFeatures::project(std::size_t feature, const at::Tensor& pixels) {
  return unit_rows(mlps_.at(feature)->forward(pixels));
}

at::Tensor PatchFeatures::forward(const at::Tensor& x) {
  const std::vector<at::Tensor> features = x.split_with_sizes(channels_, 1);
  std::vector<at::Tensor> out;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const at::Tensor rows = project(i, features[i].permute({0, 2, 3, 1}).flatten(0, 2));
    out.push_back(rows.view({x.size(0), x.size(2), x.size(3), -1}).permute({0, 3, 1, 2}));
  }
  return at::cat(out, 1);
}

at::Tensor pixels_at(const at::Tensor& feature, const at::Tensor& positions) {
  return feature.flatten(2).index_select(2, positions).transpose(1, 2).flatten(0, 1);
}

at::Tensor unit_rows(const at::Tensor& rows) {
  const at::Tensor length = at::linalg_vector_norm(rows, 2, 1, /*keepdim=*/true);
  return at::where(length > 0, rows, 0) / (length + kLengthFloor);
}

}  // namespace torsor
