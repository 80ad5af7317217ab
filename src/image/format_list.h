// The formats that are read and written, told from each other. Internal to this layer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "image/formats.h"

namespace torsor::formats {

inline constexpr std::int64_t kAnyChannels = 0;

enum class Profiles { held, none };

struct Format {
  std::string_view title;
  std::vector<std::string> extensions;  // the usual one first
  std::vector<std::int64_t> channels;   // that it can be written with
  std::vector<PixelType> types;
  Profiles profiles;  // whether its files are written with them
  bool (*matches)(std::string_view bytes);
  Header (*read_header)(Source&);
  Decoded (*decode)(Source&);
  std::string (*encode)(const Image&, const std::string& name, const EncodeOptions&);
  // Null for the formats that hold one picture.
  Pages (*find_pages)(Source&) = nullptr;
  std::unique_ptr<PageEncoder> (*make_encoder)(std::int64_t pages, const std::string& name) = nullptr;
};

const std::vector<Format>& all_formats();

/// The format that the bytes begin with; null when it is none of these.
const Format* find_format(std::string_view bytes);

/// The same. Throws Error for an empty file and for what is no image; of other programs' formats with the
/// name and a program that converts it.
const Format& format_of(const Source& source);

/// By extension, without the dot, in any case; null when it is none of these.
const Format* find_format_named(const std::string& extension);

/// "JPEG, PNG, ..."
std::string all_titles();

}  // namespace torsor::formats
