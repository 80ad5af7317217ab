// All images of a folder of data looked at once; a small record of each is kept.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/log.h"
#include "core/stop.h"
#include "doctor/image_record.h"
#include "doctor/opened_sets.h"

namespace torsor {

struct SurveyedSet {
  std::string title;                       // as in OpenedSet
  std::filesystem::path folder;            // "" for none
  std::shared_ptr<const ImageSet> source;  // reads image i again
  Holds holds = Holds::images;
  Split split = Split::train;
  ValueRange range;  // what is black and white in a training with these images
  std::vector<ImageRecord> images;

  std::size_t usable() const;
  /// A value of each usable image, ascending; `value` is a function of a record, or a member of it.
  template <class Value>
  auto sorted(const Value& value) const {
    std::vector<std::decay_t<std::invoke_result_t<Value, const ImageRecord&>>> out;
    for (const ImageRecord& image : images)
      if (image.is_usable()) out.push_back(std::invoke(value, image));
    std::sort(out.begin(), out.end());
    return out;
  }
  /// The smaller side of an image, of a pair side by side that of a half.
  std::int64_t smaller_side(const ImageRecord& image) const;
  /// Half of the usable images have at least this smaller side; 0 where none is usable.
  std::int64_t median_side() const;
};

/// Of ascending values: at least half of them are no larger, and half no smaller; 0 of none.
template <class T>
T median_of(const std::vector<T>& ascending) {
  return ascending.empty() ? T() : ascending[ascending.size() / 2];
}

struct Survey {
  std::vector<SurveyedSet> sets;
  std::vector<std::string> left_out;  // as in OpenedSets

  /// Null where there is no such set.
  const SurveyedSet* find(Holds holds, Split split) const;
  /// Usable images of the largest training set.
  std::size_t largest_set() const;
};

/// Images of a domain's training set whose features are taken, at most: evenly spaced ones.
inline constexpr std::int64_t kMostWithFeatures = 500;

/// Reads each image once, on all processors (deeper ones than 8 bits once before, to decide what is white).
/// `log` is told the progress. Throws as open_sets(), and StoppedError.
Survey survey_images(const DataPlace& place, LogSink& log, const StopFlag& stop);

}  // namespace torsor
