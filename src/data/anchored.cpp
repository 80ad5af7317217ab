#include "data/anchored.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <utility>

namespace torsor {

AnchoredDataset::AnchoredDataset(std::shared_ptr<const Dataset> images, std::shared_ptr<const Dataset> pairs)
    : images_(std::move(images)), pairs_(std::move(pairs)) {
  if (pairs_->size() == 0) throw std::logic_error("no pair that could be an anchor");
}

Batch AnchoredDataset::get(std::int64_t index, Rng& rng) const {
  Batch sample = images_->get(index, rng);
  const Batch pair = pairs_->get(rng.index(pairs_->size()), rng);
  for (const auto& [as, of] : {std::pair{"anchor_a", "real_a"}, std::pair{"anchor_b", "real_b"}}) {
    sample.tensors[as] = pair.at(of);
    sample.names[as] = pair.names.at(of);
  }
  return sample;
}

}  // namespace torsor
