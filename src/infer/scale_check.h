// Detects images that are translated at another scale than that of a generator's training.
#pragma once

#include <optional>
#include <string>

#include "data/transform.h"
#include "model/model_file.h"

namespace torsor {

/// Compares sizes with what the model's preprocessing makes of the images. Silent for a model that does not
/// say, or whose training did not resize.
class ScaleCheck {
 public:
  explicit ScaleCheck(const LoadedGenerator& loaded);

  /// An image of the size `own` that is translated at the size `used`.
  void add(const std::string& name, Size own, Size used);

  /// One line about all images so far when some are 1.5 times as large (in width and height together) as
  /// training would have made them, or smaller by that much; else "".
  std::string warning() const;

 private:
  std::optional<TransformOptions> training_;
  std::int64_t seen_ = 0, larger_ = 0, smaller_ = 0;
  std::string first_;  // the first of them
  Size first_used_, first_trained_;
};

}  // namespace torsor
