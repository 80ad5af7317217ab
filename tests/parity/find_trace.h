// Finds a recorded training by what was recorded, since its folder's name says little and folders differ.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "parity/counterparts.h"

namespace torsor::parity {

namespace fs = std::filesystem;

/// One property that a test needs of a recording, in words for the reason of a skip.
struct TraceProperty {
  std::string words;
  std::function<bool(const ReferenceOptions&)> holds;
};

inline TraceProperty of_model(const std::string& model) {
  return {model, [model](const ReferenceOptions& o) { return o.model == model; }};
}
inline TraceProperty in_precision(const std::string& dtype) {
  return {dtype, [dtype](const ReferenceOptions& o) { return o.dtype == dtype; }};
}
inline TraceProperty with_norm(const std::string& norm) {
  return {norm + " norm", [norm](const ReferenceOptions& o) { return o.norm == norm; }};
}
inline TraceProperty with_identity_term() {
  return {"an identity term", [](const ReferenceOptions& o) {
            const auto* cyclegan = dynamic_cast<const CycleGanRecording*>(&o);
            return cyclegan != nullptr && cyclegan->lambda_identity > 0;
          }};
}
inline TraceProperty without_image_buffer() {
  return {"no image buffer", [](const ReferenceOptions& o) { return o.pool_size == 0; }};
}
inline TraceProperty with_image_buffer() {
  return {"an image buffer of two or more", [](const ReferenceOptions& o) { return o.pool_size > 1; }};
}
inline TraceProperty with_equal_domains() {
  return {"as many channels in A as in B",
          [](const ReferenceOptions& o) { return o.input_nc == o.output_nc; }};
}
inline TraceProperty with_linear_decay() {
  return {"a linear decay of the learning rate",
          [](const ReferenceOptions& o) { return o.lr_policy == "linear" && o.n_epochs_decay > 1; }};
}

using TraceProperties = std::vector<TraceProperty>;

inline std::string in_words(const TraceProperties& properties) {
  std::vector<std::string> words;
  for (const TraceProperty& property : properties) words.push_back(property.words);
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The quickest recording in `roots` that has all of the properties; an empty path where there is none. What
/// cannot be read is no candidate: the comparison of everything reports it.
inline fs::path find_trace(const std::vector<fs::path>& roots, const TraceProperties& properties) {
  fs::path chosen;
  std::int64_t least = 0;
  const auto consider = [&](const fs::path& folder) {
    const auto counterpart = make_counterpart(folder);
    const ReferenceOptions& options = counterpart->options();
    const std::int64_t cost = options.ngf * options.ngf * options.steps.value_or(1);
    const bool fits = std::all_of(properties.begin(), properties.end(),
                                  [&](const TraceProperty& property) { return property.holds(options); });
    if (!fits || (!chosen.empty() && cost >= least)) return;
    chosen = folder;
    least = cost;
  };
  for (const fs::path& root : roots) {
    if (!fs::is_directory(root)) continue;
    for (const auto& entry : fs::directory_iterator(root)) {
      if (!fs::exists(entry.path() / "options.json")) continue;
      try {
        consider(entry.path());
      } catch (const Error&) {
        continue;
      }
    }
  }
  return chosen;
}

}  // namespace torsor::parity
