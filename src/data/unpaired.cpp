#include "data/unpaired.h"

#include <ATen/ATen.h>

namespace torsor {

PreparedImage prepare_without_alpha(const Image& stored, std::int64_t channels, const SampleScale& scale,
                                    std::string& note, const std::string& name) {
  PreparedImage out = prepare(stored, channels, scale, note, name);
  if (hides_something(out.aside.alpha))
    note += (note.empty() ? "" : "; ") +
            std::string(
                "alpha is left out: transparent pixels show the colour that is stored under them, fully "
                "transparent ones the mean colour of the others");
  return out;
}

PreparedImage DomainPreparation::prepare(const Image& stored, const std::string& name) const {
  std::string note;
  // Channels before the resize, as in the reference: a grey image is resized as grey.
  PreparedImage out = prepare_without_alpha(stored, channels_, scale_, note, name);
  if (!note.empty() && !noted_.exchange(true)) log_->notice(name + ": " + note);
  return out;
}

DomainReader::DomainReader(std::shared_ptr<const ImageSource> source, TransformOptions transform,
                           std::int64_t channels, std::shared_ptr<LogSink> log, const ValueRange& domain)
    : source_(std::move(source)),
      transform_(std::move(transform)),
      preparation_(SampleScale(transform_.scaling, domain), channels, std::move(log)) {}

ScaledImage DomainReader::read_scaled(std::int64_t index, Rng& rng) const {
  const std::string name = source_->name(index);
  const PreparedImage ready = preparation_.prepare(source_->read(index), name);
  return {to_tensor(transform(transform_, ready.image, rng, name), ready.range), ready.range};
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
