#include "model/image_pool.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "io/raw_tensor.h"

namespace torsor {

namespace {

// Of one of the images, where they differ in size (--preprocess none).
std::string image_name(const std::string& prefix, std::size_t i) {
  return fmt::format("{}/image/{}", prefix, i);
}

}  // namespace

at::Tensor ImagePool::query(const at::Tensor& images, PoolDraws& draws) {
  const at::Tensor batch = images.detach();
  if (capacity_ == 0) return batch;
  std::vector<at::Tensor> out;
  for (const at::Tensor& view : batch.unbind(0)) {
    if (static_cast<std::int64_t>(stored_.size()) < capacity_) {
      stored_.push_back(view.clone());
      out.push_back(view);
    } else if (draws.uniform() > 0.5) {
      at::Tensor& slot = stored_[static_cast<std::size_t>(draws.index(capacity_))];
      out.push_back(slot);
      slot = view.clone();
    } else {
      out.push_back(view);
    }
  }
  return at::stack(out);
}

void ImagePool::save(Archive& archive, const std::string& prefix) const {
  archive.put(prefix + "/size", Json(stored_.size()));
  const bool alike = std::all_of(stored_.begin(), stored_.end(), [&](const at::Tensor& image) {
    return image.sizes() == stored_.front().sizes();
  });
  if (alike && !stored_.empty()) archive.put(prefix + "/images", at::stack(stored_));
  for (std::size_t i = 0; !alike && i < stored_.size(); ++i) archive.put(image_name(prefix, i), stored_[i]);
}

void ImagePool::load(const Archive& archive, const std::string& prefix, std::int64_t channels,
                     const at::TensorOptions& placement) {
  stored_.clear();
  std::int64_t size = 0;
  archive.take(prefix + "/size", [&](const Json& saved) { size = json_count(saved); });
  if (size == 0) return;
  if (size > capacity_)
    archive.refuse(prefix + "/size", fmt::format("{} images, expected at most {}", size, capacity_));
  const bool alike = archive.has_tensor(prefix + "/images");
  const auto check = [&](const std::string& name, const at::Tensor& images) {  // [N,C,H,W]
    if (images.dim() != 4 || images.size(0) != (alike ? size : 1) || images.size(1) != channels ||
        images.numel() == 0)
      archive.refuse(name, fmt::format("its shape is {}, expected {} images of {} channels",
                                       shape_text(images.sizes().vec()), size, channels));
  };
  if (alike) {
    const at::Tensor images = archive.tensor(prefix + "/images");
    check(prefix + "/images", images);
    for (const at::Tensor& image : images.to(placement).unbind(0)) stored_.push_back(image.clone());
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
    const at::Tensor image = archive.tensor(image_name(prefix, i));
    check(image_name(prefix, i), image.unsqueeze(0));
    stored_.push_back(image.to(placement).clone());
  }
}

}  // namespace torsor
