#include "data/fingerprint.h"

#include <ATen/ATen.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/image_features.h"
#include "image/convert.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostDescribed = 500, kFewestDescribed = 16;
constexpr std::int64_t kFolds = 4;
constexpr int kBins = 32;
constexpr double kLeastPower = 0.2;  // below it the domains cannot be told apart

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

std::vector<double> rounded_list(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kDouble).contiguous();
  std::vector<double> out(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
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

struct Shape {
  at::Tensor mean, deviation, correlation;
};

Shape shape_of(const at::Tensor& x) {  // [n,p]
  const std::int64_t n = x.size(0), p = x.size(1);
  const at::Tensor mean = x.mean(0), centred = x - mean;
  const at::Tensor covariance =
      at::mm(centred.t(), centred) / static_cast<double>(std::max<std::int64_t>(1, n - 1));
  const at::Tensor deviation = (covariance.diagonal() + floors().square()).sqrt();
  at::Tensor correlation =
      covariance / at::outer(deviation, deviation) * (static_cast<double>(n) / static_cast<double>(n + p));
  correlation.diagonal().fill_(1);
  return {mean, deviation, correlation};
}

at::Tensor distances(const Shape& shape, const at::Tensor& x) {  // [n,p] -> [n]
  const at::Tensor z = ((x - shape.mean) / shape.deviation).t();
  const at::Tensor factor = at::linalg_cholesky(shape.correlation);
  return at::linalg_solve_triangular(factor, z, /*upper=*/false).square().sum(0).sqrt();
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

std::vector<double> list(const at::Tensor& values) {
  const at::Tensor flat = values.contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// What nearly all held-out values stay below.
double upper_limit(std::vector<double> v) {
  const auto n = static_cast<double>(v.size());
  const double middle = median(v);
  std::vector<double> away;
  for (const double value : v) away.push_back(std::abs(value - middle));
  const double deviation = 1.4826 * median(away);
  std::sort(v.begin(), v.end());
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
      const Shape shape =
          shape_of(at::cat({x[j].slice(0, 0, begin(j, fold)), x[j].slice(0, begin(j, fold + 1))}));
      for (int k : {0, 1}) parts[k][j].push_back(distances(shape, held(k)));
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
  const Shape shape = shape_of(x);
  const std::int64_t p = x.size(1);
  const at::Tensor below = at::tril_indices(p, p, -1);
  Json names = Json::array();
  for (const ImageFeature& feature : image_feature_list()) names.push_back(feature.name);
  return {{"images", x.size(0)},
          {"features", names},
          {"mean", rounded_list(shape.mean)},
          {"sd", rounded_list(shape.deviation)},
          {"correlation", rounded_list(shape.correlation.index({below[0], below[1]}))},
          {"limit", rounded(limits.own)},
          {"other_limit", rounded(limits.other)},
          {"other_power", rounded(power)}};
}

}  // namespace

FingerprintBuilder::FingerprintBuilder(std::int64_t images, std::int64_t channels)
    : images_(images), channels_(channels), values_(static_cast<std::size_t>(channels)) {}

void FingerprintBuilder::add(std::int64_t index, const Image& image) {
  std::string note;
  const Image ready = with_channels(to_u8(image, note), channels_);
  std::vector<std::array<std::int64_t, 256>> values(values_.size());
  const auto channels = static_cast<std::size_t>(channels_);
  for (std::size_t i = 0; i < ready.bytes.size(); ++i) ++values[i % channels][ready.bytes[i]];
  // Of n images, those are described whose place in n steps of m reaches a new whole number.
  const std::int64_t described = std::min(images_, kMostDescribed);
  const bool chosen = index * described / images_ != (index - 1) * described / images_ || index == 0;
  std::vector<double> features;
  if (chosen) features = image_features(ready);
  const std::lock_guard lock(mutex_);
  ++count_;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t v = 0; v < 256; ++v) values_[c][v] += values[c][v];
  if (chosen) features_[index] = std::move(features);
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

Recogniser::Gaussian Recogniser::gaussian(const Json& recognition) {
  Gaussian out{recognition.at("mean"), recognition.at("sd"), {}};
  const std::vector<double> below = recognition.at("correlation");
  const std::size_t p = image_feature_list().size();
  if (out.mean.size() != p || out.deviation.size() != p || below.size() != p * (p - 1) / 2 ||
      recognition.at("features").size() != p ||
      std::any_of(out.deviation.begin(), out.deviation.end(), [](double d) { return !(d > 0); }))
    fail("its numbers do not fit together");
  const auto n = static_cast<std::int64_t>(p);
  const at::Tensor indices = at::tril_indices(n, n, -1);
  at::Tensor half = at::zeros({n, n}, at::kDouble);
  half.index_put_({indices[0], indices[1]}, row(below));
  out.factor = at::linalg_cholesky(half + half.t() + at::eye(n, at::kDouble)).contiguous();
  return out;
}

Recogniser::Recogniser(const Json& own, const Json& other, const std::string& source) {
  try {
    const Json &mine = own.at("recognition"), &theirs = other.at("recognition");
    own_ = gaussian(mine);
    other_ = gaussian(theirs);
    limit_ = mine.at("limit");
    other_limit_ = mine.at("other_limit");
    other_power_ = mine.at("other_power");
    limit_of_other_ = theirs.at("limit");
  } catch (const std::exception&) {
    fail("{}: the fingerprint of its training images is damaged; use another copy of the model", source);
  }
}

double Recogniser::Gaussian::distance(const std::vector<double>& features) const {
  const std::size_t p = mean.size();
  const double* l = factor.const_data_ptr<double>();
  std::vector<double> solved(p);  // of factor * solved = (features - mean) / deviation
  double squares = 0;
  for (std::size_t i = 0; i < p; ++i) {
    double value = (features[i] - mean[i]) / deviation[i];
    for (std::size_t j = 0; j < i; ++j) value -= l[i * p + j] * solved[j];
    solved[i] = value / l[i * p + i];
    squares += solved[i] * solved[i];
  }
  return std::sqrt(squares);
}

Likeness Recogniser::judge(const Image& image) const {
  const std::vector<double> features = image_features(image);
  const double d = own_.distance(features), to_other = other_.distance(features);
  const bool known_apart = other_power_ >= kLeastPower;
  if (known_apart && d - to_other > other_limit_ && to_other <= limit_of_other_) return Likeness::other;
  return d > limit_ ? Likeness::neither : Likeness::own;
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
