#include "data/labelled.h"

#include <torch/types.h>

namespace torsor {

Batch LabelledDataset::get(std::int64_t index, Rng& rng) const {
  Batch batch;
  batch.tensors["image"] = reader_.read(index, rng);
  batch.tensors["label"] = at::scalar_tensor(source_->label(index), at::kLong);
  batch.names["image"] = {source_->name(index)};
  return batch;
}

}  // namespace torsor
