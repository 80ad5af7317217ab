#include "data/unpaired.h"

#include <ATen/ATen.h>

namespace torsor {

DomainReader::DomainReader(std::shared_ptr<const ImageSource> source, TransformOptions transform,
                           std::int64_t channels, std::shared_ptr<LogSink> log)
    : source_(std::move(source)),
      transform_(std::move(transform)),
      channels_(channels),
      log_(std::move(log)) {}

ScaledImage DomainReader::read_scaled(std::int64_t index, Rng& rng) const {
  std::string note;
  Image image = to_input(source_->read(index), channels_, transform_.scaling, note, source_->name(index));
  if (!note.empty() && !noted_.exchange(true)) log_->notice(source_->name(index) + ": " + note);
  // Channels before the resize, as in the reference: a grey image is resized as grey.
  const ValueRange range = range_of(image, transform_.scaling, source_->name(index));
  image = transform(transform_, image, rng, source_->name(index));
  return {to_tensor(image, range), range};
}

Batch UnpairedDataset::get(std::int64_t index, Rng& rng) const {
  const std::int64_t index_a = index % a_->size();
  const std::int64_t index_b = order_ == Order::serial ? index % b_->size() : rng.index(b_->size());
  Batch sample;
  sample.tensors["real_a"] = a_->read(index_a, rng);
  sample.tensors["real_b"] = b_->read(index_b, rng);
  sample.names["real_a"] = {a_->name(index_a)};
  sample.names["real_b"] = {b_->name(index_b)};
  return sample;
}

}  // namespace torsor
