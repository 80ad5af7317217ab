// The samples of an output: their depth, and what goes into it round the network.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/prepared_image.h"

namespace torsor {

/// What --bit-depth says.
enum class BitDepth { as_input, eight, sixteen, floats };

/// The option format: the extension of a format that is written, "" where the input decides. `help` is what
/// it is for.
void add_output_format(OptionSet& o, std::string& field, const std::string& help);

/// The option bit_depth, and what its value means.
void add_bit_depth(OptionSet& o, std::string& field);
BitDepth bit_depth_named(const std::string& name);

enum class OutputAlpha { none, of_input };

/// The colours in which the translation of an input with an ICC profile is written.
enum class OutputColours { srgb, of_input };

/// How a translation is stored.
struct OutputForm {
  PixelType type = PixelType::u8;
  OutputAlpha alpha = OutputAlpha::none;
  NoDataTag no_data = NoDataTag::lost;
  std::int64_t channels = 3;     // with alpha
  IccProfile profile = nullptr;  // to embed
};

/// The form of a translation of `channels` channels in the format of `out`. as_input stands for the input's
/// depth where the format holds it, else for 8 bits. An alpha comes back where the format holds it with 1 or
/// 3 channels. `notes` hears of what is lost. Throws Error that says which formats can when the format cannot
/// hold the depth asked for, or so many channels.
OutputForm output_form(const std::filesystem::path& out, BitDepth depth, const SetAside& aside,
                       std::int64_t channels, std::vector<std::string>& notes);

/// The profile of a translation with `channels` channels (alpha included) in the format of `out`: none where
/// the input had none; of sRGB, where the format holds one; or the input's. Throws Error that begins with
/// `out` when the input's cannot be kept: by the format, by this number of channels, or as it describes only
/// how colours look.
IccProfile output_profile(const std::filesystem::path& out, OutputColours colours, const SetAside& aside,
                          std::int64_t channels);

/// What the network made, of the form's type, with what was set aside.
Image finished(Image made, const SetAside& aside, const OutputForm& form);

}  // namespace torsor
