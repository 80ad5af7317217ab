#include "data/conditioned.h"

#include <torch/types.h>

#include <stdexcept>

namespace torsor {

namespace {

at::Tensor class_of(const Batch& sample, const std::string& image, const ClassesByName& classes) {
  const std::string& name = sample.names.at(image).front();
  const auto found = classes.find(name);
  if (found == classes.end()) throw std::logic_error("no class of the image " + name);
  return at::scalar_tensor(found->second, at::kLong);
}

}  // namespace

Batch ConditionedDataset::get(std::int64_t index, Rng& rng) const {
  Batch sample = images_->get(index, rng);
  sample.tensors["label_a"] = class_of(sample, "real_a", a_);
  sample.tensors["label_b"] = class_of(sample, "real_b", b_);
  return sample;
}

}  // namespace torsor
