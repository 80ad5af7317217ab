#include "data/fingerprint.h"

#include <ATen/ATen.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "data/image_features.h"
#include "data/tensor_image.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostDescribed = 500, kFewestDescribed = 16;
constexpr std::int64_t kFolds = 4;
constexpr int kBins = 32;
constexpr double kLeastPower = 0.2;  // below it the domains cannot be told apart

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

std::vector<double> list(const at::Tensor& values) {
  const at::Tensor flat = values.contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

std::vector<double> rounded_list(const at::Tensor& values) {
  std::vector<double> out = list(values);
  for (double& value : out) value = rounded(value);
  return out;
}

at::Tensor row(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions(at::kDouble));
}

at::Tensor floors() {
  std::vector<double> out;
  for (const ImageFeature& feature : image_feature_list()) out.push_back(feature.floor);
  return row(out);
}

FeatureGaussian gaussian_of(const at::Tensor& x) {  // [n,p]
  const std::int64_t n = x.size(0), p = x.size(1);
  const at::Tensor mean = x.mean(0), centred = x - mean;
  const at::Tensor covariance =
      at::mm(centred.t(), centred) / static_cast<double>(std::max<std::int64_t>(1, n - 1));
  const at::Tensor deviation = (covariance.diagonal() + floors().square()).sqrt();
  at::Tensor correlation =
      covariance / at::outer(deviation, deviation) * (static_cast<double>(n) / static_cast<double>(n + p));
  correlation.diagonal().fill_(1);
  return {mean, deviation, at::linalg_cholesky(correlation)};
}

double median_of_sorted(const std::vector<double>& v) {
  return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

// What nearly all held-out values stay below.
double upper_limit(std::vector<double> v) {
  const auto n = static_cast<double>(v.size());
  std::sort(v.begin(), v.end());
  const double middle = median_of_sorted(v);
  std::vector<double> away;
  for (const double value : v) away.push_back(std::abs(value - middle));
  std::sort(away.begin(), away.end());
  const double deviation = 1.4826 * median_of_sorted(away);
  const double quantile = v[static_cast<std::size_t>(std::ceil(0.98 * n)) - 1];
  const double limit = std::max(middle + (2.33 + 4.9 / std::sqrt(n)) * deviation, quantile);
  return v.size() >= 100 ? std::min(limit, v.back()) : limit;
}

// d[k][j]: distances of the images of domain k from domain j, by Gaussians that have not seen these images.
using HeldOut = std::array<std::array<at::Tensor, 2>, 2>;

HeldOut held_out(const std::array<at::Tensor, 2>& x) {
  std::array<std::array<std::vector<at::Tensor>, 2>, 2> parts;
  for (std::int64_t fold = 0; fold < kFolds; ++fold) {
    const auto begin = [&](int domain, std::int64_t f) {
      return (f * x[domain].size(0) + kFolds - 1) / kFolds;
    };
    const auto held = [&](int domain) {
      return x[domain].slice(0, begin(domain, fold), begin(domain, fold + 1));
    };
    for (int j : {0, 1}) {
      const FeatureGaussian rest =
          gaussian_of(at::cat({x[j].slice(0, 0, begin(j, fold)), x[j].slice(0, begin(j, fold + 1))}));
      for (int k : {0, 1}) parts[k][j].push_back(rest.distances(held(k)));
    }
  }
  HeldOut out;
  for (int k : {0, 1})
    for (int j : {0, 1}) out[k][j] = at::cat(parts[k][j]);
  return out;
}

struct Limits {
  double own = 0, other = 0;
};

Limits limits_of(const at::Tensor& to_own, const at::Tensor& to_other) {
  const double typical = std::sqrt(static_cast<double>(image_feature_list().size()));
  return {std::max(typical, std::exp(upper_limit(list(to_own.clamp_min(1e-6).log())))),
          std::max(0.0, upper_limit(list(to_own - to_other)))};
}

Json recognition(const at::Tensor& x, const Limits& limits, double power) {
  const FeatureGaussian fit = gaussian_of(x);
  const at::Tensor correlation = at::mm(fit.factor, fit.factor.t());
  const std::int64_t p = x.size(1);
  const at::Tensor below = at::tril_indices(p, p, -1);
  Json names = Json::array();
  for (const ImageFeature& feature : image_feature_list()) names.push_back(feature.name);
  return {{"images", x.size(0)},
          {"features", names},
          {"mean", rounded_list(fit.mean)},
          {"sd", rounded_list(fit.deviation)},
          {"correlation", rounded_list(correlation.index({below[0], below[1]}))},
          {"limit", rounded(limits.own)},
          {"other_limit", rounded(limits.other)},
          {"other_power", rounded(power)}};
}

[[noreturn]] void fail_damaged(const std::string& source, const std::string& reason) {
  fail(
      "{}: the fingerprint of its training images is damaged ('recognition': {}); use another copy of the "
      "model",
      source, reason);
}

// Throws when the numbers cannot be a Gaussian's.
FeatureGaussian gaussian_from(const Json& recognition) {
  const auto p = static_cast<std::int64_t>(image_feature_list().size());
  const at::Tensor mean = row(recognition.at("mean")), deviation = row(recognition.at("sd"));
  const at::Tensor below = row(recognition.at("correlation"));
  if (mean.numel() != p || deviation.numel() != p || below.numel() != p * (p - 1) / 2 ||
      recognition.at("features").size() != static_cast<std::size_t>(p) || !(deviation > 0).all().item<bool>())
    fail("its numbers do not fit together");
  const at::Tensor indices = at::tril_indices(p, p, -1);
  at::Tensor half = at::zeros({p, p}, at::kDouble);
  half.index_put_({indices[0], indices[1]}, below);
  return {mean, deviation, at::linalg_cholesky(half + half.t() + at::eye(p, at::kDouble))};
}

}  // namespace

at::Tensor FeatureGaussian::distances(const at::Tensor& features) const {
  const at::Tensor z = ((features - mean) / deviation).t();
  return at::linalg_solve_triangular(factor, z, /*upper=*/false).square().sum(0).sqrt();
}

FingerprintBuilder::FingerprintBuilder(std::int64_t images, std::int64_t channels)
    : images_(images), channels_(channels), values_(static_cast<std::size_t>(channels)) {}

void FingerprintBuilder::add(std::int64_t index, const Image& image, const ValueRange& range) {
  if (image.type != PixelType::u8 || image.channels != channels_)
    fail("a fingerprint is taken of 8-bit images with {} channels", channels_);
  std::vector<std::array<std::int64_t, 256>> values(values_.size());
  const auto channels = static_cast<std::size_t>(channels_);
  for (std::size_t i = 0; i < image.bytes.size(); ++i) ++values[i % channels][image.bytes[i]];
  // Of n images, those are described whose place in n steps of m reaches a new whole number.
  const std::int64_t described = std::min(images_, kMostDescribed);
  const bool described_at_all = channels_ == 1 || channels_ == 3;
  const bool chosen =
      described_at_all && (index * described / images_ != (index - 1) * described / images_ || index == 0);
  std::vector<double> features;
  if (chosen) features = image_features(image);
  const std::lock_guard lock(mutex_);
  ++count_;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t v = 0; v < 256; ++v) values_[c][v] += values[c][v];
  if (chosen) features_[index] = std::move(features);
  ranges_[index] = range;
}

ValueRange FingerprintBuilder::mean_range() const {
  ValueRange out{0, 0};
  std::int64_t images = 0;
  for (const auto& [index, range] : ranges_) {
    if (range.type < out.type) continue;
    if (range.type > out.type) {
      out = {0, 0, 0, range.type};
      images = 0;
    }
    out.white += range.white;
    ++images;
  }
  if (images > 0) out.white /= static_cast<double>(images);
  return out;
}

Json FingerprintBuilder::summary() const {
  Json channels = Json::array();
  for (const auto& counts : values_) {
    double n = 0, sum = 0, squares = 0;
    std::vector<std::int64_t> histogram(kBins, 0);
    for (std::size_t v = 0; v < 256; ++v) {
      n += static_cast<double>(counts[v]);
      sum += static_cast<double>(counts[v]) * static_cast<double>(v);
      histogram[v * kBins / 256] += counts[v];
    }
    const double mean = n > 0 ? sum / n : 0;
    for (std::size_t v = 0; v < 256; ++v)
      squares +=
          static_cast<double>(counts[v]) * (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
    channels.push_back({{"mean", rounded(mean)},
                        {"std", rounded(n > 0 ? std::sqrt(squares / n) : 0)},
                        {"histogram", histogram}});
  }
  return {{"images", count_}, {"channels", channels}};
}

at::Tensor FingerprintBuilder::features() const {
  std::vector<at::Tensor> rows;
  for (const auto& [index, features] : features_) rows.push_back(row(features));
  if (rows.empty())
    return at::empty({0, static_cast<std::int64_t>(image_feature_list().size())}, at::kDouble);
  return at::stack(rows);
}

Fingerprints make_fingerprints(const FingerprintBuilder& a, const FingerprintBuilder& b) {
  Fingerprints out{a.summary(), b.summary()};
  const std::array<at::Tensor, 2> x = {a.features(), b.features()};
  if (std::min(x[0].size(0), x[1].size(0)) < kFewestDescribed) return out;
  const HeldOut d = held_out(x);
  const std::array<Limits, 2> limits = {limits_of(d[0][0], d[0][1]), limits_of(d[1][1], d[1][0])};
  for (const int k : {0, 1}) {
    const int o = 1 - k;
    const at::Tensor told = at::logical_and((d[o][k] - d[o][o]) > limits[k].other, d[o][o] <= limits[o].own);
    (k == 0 ? out.a : out.b)["recognition"] =
        recognition(x[k], limits[k], told.to(at::kDouble).mean().item<double>());
  }
  return out;
}

bool Recogniser::possible(const Json& own, const Json& other) {
  return own.is_object() && own.contains("recognition") && other.is_object() && other.contains("recognition");
}

Recogniser::Recogniser(const Json& own, const Json& other, const std::string& source) {
  try {
    const Json &mine = own.at("recognition"), &theirs = other.at("recognition");
    own_ = gaussian_from(mine);
    other_ = gaussian_from(theirs);
    limit_ = mine.at("limit");
    other_limit_ = mine.at("other_limit");
    other_power_ = mine.at("other_power");
    limit_of_other_ = theirs.at("limit");
  } catch (const Json::exception& error) {
    fail_damaged(source, json_reason(error));
  } catch (const std::exception& error) {
    const std::string reason = error.what();  // libtorch's go on over many lines
    fail_damaged(source, printable(reason.substr(0, reason.find('\n'))));
  }
}

std::string likeness_name(Likeness likeness) {
  return likeness == Likeness::own ? "own" : likeness == Likeness::other ? "other" : "neither";
}

Recognition Recogniser::recognise(const Image& image) const {
  const at::Tensor features = row(image_features(image)).unsqueeze(0);
  const double d = own_.distances(features).item<double>(),
               to_other = other_.distances(features).item<double>();
  const bool known_apart = other_power_ >= kLeastPower;
  if (known_apart && d - to_other > other_limit_ && to_other <= limit_of_other_)
    return {Likeness::other, d, limit_};
  return {d > limit_ ? Likeness::neither : Likeness::own, d, limit_};
}

std::int64_t alarms_beyond_chance(std::int64_t n) {
  const double rate = 0.05, of_n = std::lgamma(static_cast<double>(n) + 1);
  const auto exactly = [&](double k) {  // by logarithms: small powers vanish for a large n
    const double rest = static_cast<double>(n) - k;
    return std::exp(of_n - std::lgamma(k + 1) - std::lgamma(rest + 1) + k * std::log(rate) +
                    rest * std::log1p(-rate));
  };
  double reached = 1;  // probability of `count` alarms or more
  std::int64_t count = 0;
  while (reached > rate + 1e-9 && count < n) reached -= exactly(static_cast<double>(count++));
  return std::max<std::int64_t>(1, count);
}

}  // namespace torsor
