#include "infer/scale_check.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kNoticed = 1.5;

std::string size_text(Size size) { return fmt::format("{}x{}", size.width, size.height); }

std::string resize_for(Size size) {
  return size.width == size.height ? std::to_string(size.width) : size_text(size);
}

}  // namespace

ScaleCheck::ScaleCheck(const LoadedGenerator& loaded) {
  const Json& stored = loaded.info.preprocessing;
  if (!stored.is_object() || !stored.contains("preprocess")) return;
  TransformOptions options;  // not validated: another program may have cropped what it had not enlarged
  OptionSet set;
  options.describe(set);
  set.from_json(stored, loaded.source);
  if (options.preprocess != "none" && options.preprocess != "crop") training_ = options;
}

void ScaleCheck::add(const std::string& name, Size own, Size used) {
  if (!training_) return;
  ++seen_;
  const Size trained = resized_size(*training_, own);
  const auto area = [](Size size) {
    return static_cast<double>(size.width) * static_cast<double>(size.height);
  };
  const double factor = std::sqrt(area(used) / area(trained));
  if (factor < kNoticed && factor > 1 / kNoticed) return;
  ++(factor > 1 ? larger_ : smaller_);
  if (!first_.empty()) return;
  first_ = name;
  first_used_ = used;
  first_trained_ = trained;
}

std::string ScaleCheck::warning() const {
  if (first_.empty()) return "";
  const std::string sizes = first_ + ": " + size_text(first_used_);
  const bool one = seen_ == 1;
  const bool larger = larger_ >= smaller_;
  return fmt::format(
      "the model was trained on images scaled to {}, but {} {} translated at a much {} scale{}, where it may "
      "make patterns or miss things: --resize {} matches its training",
      training_->preprocess == "resize_and_crop" ? size_text(first_trained_)
                                                 : fmt::format("a width of {}", training_->load_size),
      one ? sizes : fmt::format("{} of {} images", larger ? larger_ : smaller_, seen_), one ? "is" : "are",
      larger ? "larger" : "smaller", one ? "" : fmt::format(" (the first: {})", sizes),
      resize_for(first_trained_));
}

}  // namespace torsor
