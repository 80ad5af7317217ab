#include "report/embed.h"

#include <algorithm>

#include "image/codec.h"

namespace torsor {

namespace {

/// RFC 4648, section 4.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= left ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string data_uri(std::string_view type, std::string_view bytes) {
  return "data:" + std::string(type) + ";base64," + base64(bytes);
}

Embedded embed(const Image& image, int quality) { return embed(image, encode_image("png", image), quality); }

Embedded embed(const Image& image, std::string_view png, int quality) {
  EncodeOptions options;
  options.jpeg_quality = quality;
  const std::string jpeg = encode_image("jpg", image, options);
  const bool as_jpeg = 2 * jpeg.size() < png.size();
  return {as_jpeg ? data_uri("image/jpeg", jpeg) : data_uri("image/png", png), image.width, image.height};
}

// JSON may write / as \/.
std::string script_json(const Json& data) {
  std::string text = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t at = 0; (at = text.find("</", at)) != std::string::npos; at += 3)
    text.replace(at, 2, "<\\/");
  return text;
}

}  // namespace torsor
