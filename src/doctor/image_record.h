// What is kept of each image that was looked at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sample_scale.h"
#include "doctor/image_hash.h"
#include "image/codec.h"
#include "image/image.h"

namespace torsor {

struct ImageRecord {
  std::string name;            // relative to its folder
  std::string pair_name = "";  // as ImageSet::pair_name()
  std::string problem;         // why it cannot be used, and then nothing else is known; "" for a good one
  Notes notes;                 // of its reader, and of how it is made ready
  std::int64_t width = 0, height = 0, channels = 0;  // alpha counts as a channel
  PixelType type = PixelType::u8;
  bool has_alpha = false;
  bool has_profile = false;
  std::string profile;         // what its profile calls itself; "" for none
  bool is_constant = false;    // every pixel is the first one
  bool is_colourless = false;  // three colours that are equal in every pixel
  double black_share = 0;      // of the pixels: those whose samples are all black
  double white_share = 0;
  std::string digest;  // of the pixels, their type, channels and size
  ImageHash hash;
  std::vector<double> features;          // image_features(); empty where they are not taken
  std::vector<double> partner_features;  // of the right half of a pair side by side, `features` the left's

  bool is_usable() const { return problem.empty(); }
  /// Channels without alpha.
  std::int64_t colours() const { return channels - (has_alpha ? 1 : 0); }
};

/// What of an image its features are taken of.
enum class FeaturesOf { nothing, whole, halves };

/// Fills all but the names, `problem` and the reader's notes. `scale` is that of the image's domain; `file`
/// is what messages call the image. Throws Error naming it for one that a training could not use either.
void record_image(const Image& stored, const SampleScale& scale, FeaturesOf features, const std::string& file,
                  ImageRecord& record);

}  // namespace torsor
