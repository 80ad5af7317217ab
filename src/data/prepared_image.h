// From a stored image to what a network sees of it, and to what goes round the network into its translation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/sample_scale.h"
#include "image/image.h"

namespace torsor {

/// What of a stored image no network sees, and its translation has again.
struct SetAside {
  PixelType type = PixelType::u8;          // of the stored image
  Image alpha;                             // [H,W,1] of that type; no samples where there is none
  std::vector<std::uint8_t> without_data;  // 1 for each such pixel; empty where there is none
  std::optional<double> no_data;           // what the file stores for them; none: NaN
  std::int64_t width = 0, height = 0;      // of the stored image
  IccProfile profile;                      // of the stored image
};

/// A stored image made ready for a transform.
struct PreparedImage {
  Image image;       // u8 as stored, or f32 in the units of the stored samples; its domain's channels
  ValueRange range;  // of the stored samples, before any resizing
  SetAside aside;
  std::int64_t clipped = 0;  // samples outside of black to white
};

/// Whether the colours of fully transparent pixels are replaced: a network never sees them, a copy keeps
/// them.
enum class Hidden { replaced, kept };

/// A stored image of any pixel type with `channels`: 1, 3 or its own. 8-bit samples stay as they are, 16-bit
/// and float ones become f32 without rounding. Pixels that show nothing (fully transparent, or without data)
/// have the mean colour of the others, so that what is stored there reaches no network. `note` receives what
/// is worth knowing. Throws Error naming the image, also for infinite samples and where no pixel shows
/// anything.
PreparedImage prepare(const Image& stored, std::int64_t channels, const SampleScale& scale, std::string& note,
                      const std::string& name = "the image", Hidden hidden = Hidden::replaced);

/// Whether something that an alpha hides comes to be seen without it.
bool hides_something(const Image& alpha);

/// Puts alpha behind the colours of `made`, resized to its size; of floats 1 is opaque.
Image with_alpha(const Image& made, const Image& alpha);

/// Whether a file can say which sample stands for none.
enum class NoDataTag { kept, lost };

/// Whether samples of this type can say which pixels have no data: floats by NaN, others by the stored
/// image's no_data value where the file keeps the tag and the type has the value.
bool can_mark_without_data(PixelType type, const SetAside& aside, NoDataTag tag);

/// Marks pixels without data so, by the no_data value where that is possible; where nothing is, they become
/// black (0).
void mark_without_data(Image& made, const SetAside& aside, NoDataTag tag);

}  // namespace torsor
