#include "infer/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

// Numbers that differ by less, as a share of them, are one: an image that is computed in another batch
// differs in its last bits.
constexpr double kSameValue = 1e-5;

constexpr std::size_t kMostKept = 256;
constexpr double kKeptDigits = 1e8;  // values are shares of a range and scores: eight decimals

double kept_digits(double value) { return std::round(value * kKeptDigits) / kKeptDigits; }

// The value at a broken rank of the sorted list.
double value_at(const std::vector<double>& sorted, double rank) {
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (rank - static_cast<double>(low));
}

Json json_or_null(const std::optional<Quantiles>& quantiles) {
  return quantiles ? quantiles->to_json() : Json(nullptr);
}

std::optional<Quantiles> quantiles_or_none(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(Quantiles::from_json(json));
}

}  // namespace

Quantiles::Quantiles(std::vector<double> values) {
  if (values.empty()) fail("a calibration of no images says nothing");
  if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
    fail("a measure of a calibration image is not finite; the model is damaged or diverged");
  std::sort(values.begin(), values.end());
  count_ = std::ssize(values);
  const std::size_t kept = std::min(values.size(), kMostKept);
  for (std::size_t i = 0; i < kept; ++i)
    values_.push_back(kept_digits(
        kept == 1 ? values[0]
                  : value_at(values, static_cast<double>(i) * static_cast<double>(values.size() - 1) /
                                         static_cast<double>(kept - 1))));
}

Quantiles Quantiles::from_json(const Json& json) {
  Quantiles out;
  out.count_ = json_count(json.at("count"));
  out.values_ = json.at("values").get<std::vector<double>>();
  const auto expected = std::min<std::size_t>(static_cast<std::size_t>(out.count_), kMostKept);
  if (out.values_.empty() || out.values_.size() != expected)
    fail("it has {} quantiles of {} images, expected {}", out.values_.size(), out.count_, expected);
  if (!std::is_sorted(out.values_.begin(), out.values_.end())) fail("its quantiles do not rise");
  return out;
}

Json Quantiles::to_json() const { return {{"count", count_}, {"values", values_}}; }

// The rank, 0 to count() - 1, of a value that is kept.
double Quantiles::rank_of(std::size_t kept) const {
  if (values_.size() == 1) return 0;
  return static_cast<double>(kept) * static_cast<double>(count_ - 1) /
         static_cast<double>(values_.size() - 1);
}

double Quantiles::quantile(double share) const {
  return value_at(values_, share * static_cast<double>(values_.size() - 1));
}

double Quantiles::percentile(double value) const {
  const double same = kSameValue * std::abs(value);
  if (value + same < values_.front()) return 0;
  if (value - same > values_.back()) return 100;
  const auto low = std::lower_bound(values_.begin(), values_.end(), value - same);
  const auto high = std::upper_bound(low, values_.end(), value + same);
  const auto first = static_cast<std::size_t>(low - values_.begin());
  double rank = 0;
  if (low != high) {  // equal values share the mean of their ranks
    rank = (rank_of(first) + rank_of(static_cast<std::size_t>(high - values_.begin()) - 1)) / 2;
  } else {
    const double share = (value - values_[first - 1]) / (values_[first] - values_[first - 1]);
    rank = rank_of(first - 1) + share * (rank_of(first) - rank_of(first - 1));
  }
  return 100 * (rank + 0.5) / static_cast<double>(count_);
}

Json Calibration::to_json() const {
  return {{"images", images},
          {"cycle_error", json_or_null(cycle_error)},
          {"worst_patch", json_or_null(worst_patch)},
          {"discriminator", json_or_null(discriminator)},
          {"formats", formats},
          {"resize", resize ? Json::array({resize->width, resize->height}) : Json(nullptr)},
          {"generators", generators}};
}

Calibration Calibration::from_json(const Json& json) {
  Calibration out;
  out.images = json_count(json.at("images"));
  out.cycle_error = quantiles_or_none(json.at("cycle_error"));
  out.worst_patch = quantiles_or_none(json.at("worst_patch"));
  out.discriminator = quantiles_or_none(json.at("discriminator"));
  out.formats = json.at("formats").get<std::vector<std::string>>();
  const Json& resize = json.at("resize");
  if (!resize.is_null()) out.resize = Size{json_count(resize.at(0)), json_count(resize.at(1))};
  out.generators = json.at("generators");
  return out;
}

std::optional<Calibration> find_calibration(const ModelInfo& info, const Direction& direction,
                                            const std::string& source) {
  try {
    if (info.calibration.is_null() || !direction.is_known()) return std::nullopt;
    if (!info.calibration.is_object()) fail("it is no object");
    const auto found = info.calibration.find(direction.name());
    return found == info.calibration.end() ? std::nullopt : std::optional(Calibration::from_json(*found));
  } catch (const Json::exception& error) {
    fail("{}: its calibration of {} is damaged: {}; make it anew with torsor calibrate", source,
         direction.name(), json_reason(error));
  } catch (const Error& error) {
    fail("{}: its calibration of {} is damaged: {}; make it anew with torsor calibrate", source,
         direction.name(), error.what());
  }
}

void set_calibration(ModelInfo& info, const Direction& direction, const Calibration& calibration) {
  if (!info.calibration.is_object()) info.calibration = Json::object();
  info.calibration[direction.name()] = calibration.to_json();
}

}  // namespace torsor
