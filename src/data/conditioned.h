// Images whose classes are known beside the images themselves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "data/dataset.h"

namespace torsor {

/// The class of an image, from 0 up, by its name in its set.
using ClassesByName = std::map<std::string, std::int64_t>;

/// Item i is that of `images` with the classes of its "real_a" and "real_b", by their names, as "label_a" and
/// "label_b": whole numbers without dimensions. Throws std::logic_error for a name without a class.
class ConditionedDataset : public Dataset {
 public:
  ConditionedDataset(std::shared_ptr<const Dataset> images, ClassesByName a, ClassesByName b)
      : images_(std::move(images)), a_(std::move(a)), b_(std::move(b)) {}
  std::int64_t size() const override { return images_->size(); }
  Batch get(std::int64_t index, Rng& rng) const override;

 private:
  std::shared_ptr<const Dataset> images_;
  ClassesByName a_, b_;
};

}  // namespace torsor
