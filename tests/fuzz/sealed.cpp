#include "fuzz/sealed.h"

#include <zip.h>
#include <zlib.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/json.h"
#include "io/checksum.h"
#include "io/safetensors.h"
#include "io/safetensors_header.h"

namespace torsor::testing {

namespace {

// --- zip -------------------------------------------------------------------------------------------------

struct Entry {
  std::string name, content;
  std::int32_t method = ZIP_CM_STORE;
};

using Source = std::unique_ptr<zip_source_t, decltype(&zip_source_free)>;

void require(bool good) {
  if (!good) throw std::runtime_error("a zip archive cannot be packed");
}

// The entries that can be unpacked; none when that is no archive.
std::vector<Entry> unpacked(const std::string& bytes) {
  constexpr zip_uint64_t kMostBytes = 1 << 20;
  std::vector<Entry> entries;
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr);
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, nullptr);
  if (archive == nullptr) {
    zip_source_free(source);
    return entries;
  }
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(zip_get_num_entries(archive, 0)); ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive, i, 0, &stat) != 0 || stat.size > kMostBytes) continue;
    Entry entry{stat.name, std::string(stat.size, '\0'), stat.comp_method};
    if (entry.method != ZIP_CM_STORE) entry.method = ZIP_CM_DEFLATE;
    zip_file_t* file = zip_fopen_index(archive, i, 0);
    if (file == nullptr) continue;
    const zip_int64_t read = zip_fread(file, entry.content.data(), stat.size);
    zip_fclose(file);
    if (read == static_cast<zip_int64_t>(stat.size)) entries.push_back(std::move(entry));
  }
  zip_discard(archive);
  return entries;
}

std::string packed(const std::vector<Entry>& entries) {
  if (entries.empty()) return "PK\x05\x06" + std::string(18, '\0');  // libzip removes such a file
  const Source source(zip_source_buffer_create(nullptr, 0, 0, nullptr), zip_source_free);
  zip_source_keep(source.get());
  zip_t* archive = zip_open_from_source(source.get(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  require(archive != nullptr);
  for (const Entry& entry : entries) {
    zip_source_t* content = zip_source_buffer(archive, entry.content.data(), entry.content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, entry.name.c_str(), content, ZIP_FL_OVERWRITE);
    if (index < 0) {  // a name that libzip does not write
      zip_source_free(content);
      continue;
    }
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), entry.method, 1);
    // Otherwise the clock would be in the bytes.
    zip_file_set_mtime(archive, static_cast<zip_uint64_t>(index), 1'600'000'000, 0);
  }
  require(zip_close(archive) == 0 && zip_source_open(source.get()) == 0);
  require(zip_source_seek(source.get(), 0, SEEK_END) == 0);
  std::string out(static_cast<std::size_t>(zip_source_tell(source.get())), '\0');
  require(zip_source_seek(source.get(), 0, SEEK_SET) == 0);
  require(zip_source_read(source.get(), out.data(), out.size()) == static_cast<zip_int64_t>(out.size()));
  zip_source_close(source.get());
  return out;
}

void change_entries(std::vector<Entry>& entries, Random& random) {
  Entry& entry = entries[random.below(entries.size())];
  switch (random.below(12)) {
    case 0:
      entry.name = mutate_bytes(entry.name, random);
      break;
    case 1:
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(random.below(entries.size())));
      break;
    case 2:
      entry.content = entries[random.below(entries.size())].content;
      break;
    default:
      entry.content = mutate_bytes(entry.content, random);
  }
}

// --- safetensors -----------------------------------------------------------------------------------------

constexpr std::size_t kPrefix = sizeof(std::uint64_t);

std::string checksum_of(std::string_view bytes) {
  Checksum checksum;
  checksum.update(bytes.data(), bytes.size());
  return checksum.hex();
}

// Puts 32 digits behind the key, where the text has it.
void set_digits(std::string& text, const std::string& key, const std::string& digits) {
  const std::string start = "\"" + key + "\":\"";
  const std::size_t found = text.find(start);
  if (found == std::string::npos || text.size() - found < start.size() + digits.size()) return;
  text.replace(found + start.size(), digits.size(), digits);
}

struct Parts {
  std::string header, data;
};

Parts split(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() >= kPrefix) std::memcpy(&length, bytes.data(), kPrefix);
  if (bytes.size() < kPrefix || length > bytes.size() - kPrefix) return {"", bytes};
  return {bytes.substr(kPrefix, length), bytes.substr(kPrefix + length)};
}

std::string joined(Parts parts) {
  set_digits(parts.header, kChecksumKey, checksum_of(parts.data));
  set_digits(parts.header, kHeaderChecksumKey, std::string(32, '0'));
  set_digits(parts.header, kHeaderChecksumKey, checksum_of(parts.header));
  const std::uint64_t length = parts.header.size();
  return std::string(reinterpret_cast<const char*>(&length), kPrefix) + parts.header + parts.data;
}

// A text within the metadata that is JSON itself: the model's description, a checkpoint's state.
std::string mutate_metadata(const std::string& header, Random& random) {
  Json json = Json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("__metadata__")) return mutate_text(header, random);
  Json& metadata = json["__metadata__"];
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata.items())
    if (value.is_string() && key.starts_with("torsor.") && (key != "torsor.format" || random.one_in(8)))
      keys.push_back(key);
  if (keys.empty()) return mutate_text(header, random);
  Json& chosen = metadata[keys[random.below(keys.size())]];
  const std::string inner = chosen.get<std::string>();
  chosen = random.one_in(4) ? mutate_text(inner, random) : mutate_json(inner, random);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// --- images ----------------------------------------------------------------------------------------------

constexpr std::size_t kPngStart = 8;

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

std::string mutate_zip(const std::string& bytes, Random& random) {
  std::vector<Entry> entries;
  if (!random.one_in(4)) entries = unpacked(bytes);
  if (entries.empty()) return mutate_bytes(bytes, random);
  for (std::size_t changes = 1 + random.below(2); changes > 0 && !entries.empty(); --changes)
    change_entries(entries, random);
  return packed(entries);
}

std::string seal_safetensors(std::string bytes) {
  Parts parts = split(bytes);
  return parts.header.empty() ? bytes : joined(std::move(parts));
}

std::string mutate_safetensors(const std::string& bytes, Random& random) {
  Parts parts = split(bytes);
  switch (random.below(8)) {
    case 0:
      return mutate_bytes(bytes, random);  // unsealed
    case 1:
      parts.header = mutate_bytes(parts.header, random);
      break;
    case 2:
      parts.data = mutate_bytes(parts.data, random);
      break;
    case 3:
      parts.header = mutate_text(parts.header, random);
      break;
    case 4:
      parts.header = mutate_json(parts.header, random);
      break;
    default:
      parts.header = mutate_metadata(parts.header, random);
  }
  return joined(std::move(parts));
}

std::string seal_png(std::string bytes) {
  for (std::size_t at = kPngStart; at + 12 <= bytes.size();) {
    const std::uint32_t size = big_endian(bytes, at);
    if (size > bytes.size() - at - 12) break;
    const auto crc =
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()) + at + 4, size + 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + size + i] = static_cast<char>(crc >> (24 - 8 * i));
    at += 12 + size;
  }
  return bytes;
}

std::string mutate_png(const std::string& bytes, Random& random) {
  std::string out = mutate_bytes(bytes, random);
  return random.one_in(4) ? out : seal_png(std::move(out));
}

std::string mutate_webp(const std::string& bytes, Random& random) {
  std::string out = mutate_bytes(bytes, random);
  const auto size = static_cast<std::uint32_t>(out.size() - std::min<std::size_t>(8, out.size()));
  if (out.size() >= 8 && !random.one_in(4)) std::memcpy(out.data() + 4, &size, 4);
  return out;
}

}  // namespace torsor::testing
