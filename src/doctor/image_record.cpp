#include "doctor/image_record.h"

#include <algorithm>

#include "data/aligned.h"
#include "data/image_features.h"
#include "data/unpaired.h"
#include "io/checksum.h"

namespace torsor {

namespace {

std::string digest_of_pixels(const Image& image) {
  const std::int64_t form[] = {image.width, image.height, image.channels,
                               static_cast<std::int64_t>(image.type)};
  Checksum sum;
  sum.update(form, sizeof form);
  sum.update(image.bytes.data(), image.bytes.size());
  return sum.hex();
}

Image eight_bits(const Image& stored, const SampleScale& scale, std::string& note, const std::string& file) {
  const PreparedImage ready = prepare_without_alpha(stored, stored.colours(), scale, note, file);
  return to_preview(ready.image, ready.range);
}

// Of pixels as a training sees them.
void record_pixels(const Image& image, ImageRecord& record) {
  const std::int64_t channels = image.channels, pixels = image.width * image.height;
  std::int64_t black = 0, white = 0, equal = 0, grey = 0;
  for (std::int64_t p = 0; p < pixels; ++p) {
    const std::uint8_t* pixel = image.u8() + p * channels;
    const auto all = [&](std::uint8_t value) {
      return std::all_of(pixel, pixel + channels, [&](std::uint8_t v) { return v == value; });
    };
    black += all(0);
    white += all(255);
    grey += all(pixel[0]);
    equal += std::equal(pixel, pixel + channels, image.u8());
  }
  record.is_constant = equal == pixels;
  record.is_colourless = channels == 3 && grey == pixels;
  record.black_share = static_cast<double>(black) / static_cast<double>(pixels);
  record.white_share = static_cast<double>(white) / static_cast<double>(pixels);
}

std::vector<double> features_if_seen(const Image& image) {
  return image.channels == 1 || image.channels == 3 ? image_features(image) : std::vector<double>{};
}

}  // namespace

void record_image(const Image& stored, const SampleScale& scale, FeaturesOf features, const std::string& file,
                  ImageRecord& record) {
  std::string note;
  const Image image = eight_bits(stored, scale, note, file);
  record.width = stored.width;
  record.height = stored.height;
  record.channels = stored.channels;
  record.type = stored.type;
  record.has_alpha = stored.has_alpha();
  record.has_profile = stored.profile != nullptr;
  if (record.has_profile) record.profile = profile_name(stored.profile);
  record.digest = digest_of_pixels(stored);
  record.hash = hash_of(image);
  record_pixels(image, record);
  if (features == FeaturesOf::whole) record.features = features_if_seen(image);
  if (features == FeaturesOf::halves) {
    const StoredPair halves = halves_of(image, file);
    record.features = features_if_seen(halves.a);
    record.partner_features = features_if_seen(halves.b);
  }
  if (!note.empty()) record.notes.push_back(note);
}

}  // namespace torsor
