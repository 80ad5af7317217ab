#include "io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"
#include "io/checksum.h"
#include "io/describe.h"
#include "io/raw_tensor.h"

namespace torsor {

namespace {

static_assert(std::endian::native == std::endian::little, "weight files are handled without swapping bytes");

constexpr std::size_t kPrefix = sizeof(std::uint64_t);  // the header's length stands before it
constexpr std::uint64_t kMaxHeader = 100'000'000;       // the limit of the reference implementation
constexpr std::size_t kMaxTensors = 65'536;
constexpr const char* kMetadata = "__metadata__";

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kDtypes = {{{"F64", at::kDouble},
                                                                                  {"F32", at::kFloat},
                                                                                  {"F16", at::kHalf},
                                                                                  {"BF16", at::kBFloat16},
                                                                                  {"I64", at::kLong},
                                                                                  {"I32", at::kInt},
                                                                                  {"I16", at::kShort},
                                                                                  {"I8", at::kChar},
                                                                                  {"U8", at::kByte},
                                                                                  {"BOOL", at::kBool}}};

std::optional<at::ScalarType> dtype_named(std::string_view wanted) {
  for (const auto& [name, dtype] : kDtypes)
    if (name == wanted) return dtype;
  return std::nullopt;
}

const std::string kNoDigits(32, '0');

// Where the digits of the header's checksum stand in its text; npos when it has none. The key cannot occur
// inside a text, where its quotes would be escaped.
std::size_t checksum_place(const std::string& text) {
  const std::string key = fmt::format("\"{}\":\"", kHeaderChecksumKey);
  const std::size_t found = text.find(key);
  if (found == std::string::npos || text.size() - found < key.size() + kNoDigits.size())
    return std::string::npos;
  return found + key.size();
}

std::string header_checksum(std::string text, std::size_t place) {
  text.replace(place, kNoDigits.size(), kNoDigits);
  Checksum checksum;
  checksum.update(text.data(), text.size());
  return checksum.hex();
}

void verify_header(const SafetensorsHeader& header, const std::string& text, const std::string& source) {
  const auto expected = header.metadata.find(kHeaderChecksumKey);
  if (expected == header.metadata.end()) return;
  const std::size_t place = checksum_place(text);
  const std::string actual = place == std::string::npos ? "" : header_checksum(text, place);
  if (actual == expected->second) return;
  fail(
      "{}: is damaged: the checksum of its header, bytes {} to {}, is {}, expected {}; use another copy (if "
      "a "
      "program changed the header on purpose, it has to drop the metadata entry {})",
      source, kPrefix, kPrefix + text.size(), actual.empty() ? "not to be found" : actual,
      printable(expected->second), kHeaderChecksumKey);
}

// The byte of the file where the header mentions a key; of several mentions the last.
std::uint64_t place_of(const std::string& key, const std::string& text) {
  const std::size_t found = text.rfind(Json(key).dump());
  return kPrefix + (found == std::string::npos ? 0 : found);
}

// Refuses what the parser itself lets pass: a key twice, absurd numbers of tensors.
class KeyWatch {
 public:
  KeyWatch(const std::string& text, const std::string& source) : text_(text), source_(source) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    if (event != Json::parse_event_t::key || depth != 1) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    if (!seen_.insert(key).second)
      fail("{}: is damaged: it names '{}' twice, at byte {} again", source_, printable(key),
           place_of(key, text_));
    if (seen_.size() > kMaxTensors + 1) fail("{}: names more than {} tensors", source_, kMaxTensors);
    return true;
  }

 private:
  const std::string& text_;
  const std::string& source_;
  std::set<std::string> seen_;
};

Json parse_header(const std::string& text, const std::string& source) {
  constexpr int kMaxDepth = 4;
  if (const auto at = deeper_than(kMaxDepth, text))
    fail("{}: is damaged: its header is nested too deeply at byte {}", source, kPrefix + *at);
  KeyWatch watch(text, source);
  try {
    Json header = Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) {
      return watch(depth, event, parsed);
    });
    if (header.is_object()) return header;
  } catch (const Json::parse_error& error) {
    fail("{}: is damaged: its header is not JSON at byte {} ({}); copy or download it again", source,
         kPrefix + (error.byte == 0 ? 0 : error.byte - 1), json_reason(error));
  } catch (const Json::exception& error) {  // a number that no double holds
    fail("{}: is damaged: its header, from byte {} on, is not JSON ({}); copy or download it again", source,
         kPrefix, json_reason(error));
  }
  fail("{}: is damaged: its header at byte {} is not a JSON object", source, kPrefix);
}

std::map<std::string, std::string> parse_metadata(const Json& json, const std::string& text,
                                                  const std::string& source) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object())
    fail("{}: is damaged: its metadata at byte {} is not a JSON object", source, place_of(kMetadata, text));
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string())
      fail("{}: its metadata '{}' at byte {} is not text", source, printable(key), place_of(key, text));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Numbers from 0 to 2^63 - 1.
std::vector<std::int64_t> parse_numbers(const Json& entry, const char* key, const std::string& what) {
  std::vector<std::int64_t> numbers;
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) fail("{} is damaged: it has no {}", what, key);
  for (const Json& number : *found) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > std::uint64_t{INT64_MAX})
      fail("{} is damaged: its {} are not numbers from 0 up", what, key);
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

SafetensorsEntry parse_entry(const std::string& name, const Json& json, const std::string& header,
                             const std::string& source) {
  const std::string what =
      fmt::format("{}: tensor '{}' (at byte {})", source, printable(name), place_of(name, header));
  if (!json.is_object()) fail("{} is damaged: its description is not a JSON object", what);
  const auto dtype_name = json.find("dtype");
  if (dtype_name == json.end() || !dtype_name->is_string()) fail("{} is damaged: it has no dtype", what);
  const std::string& text = dtype_name->get_ref<const std::string&>();
  const std::optional<at::ScalarType> dtype = dtype_named(text);
  if (!dtype)
    fail("{} has the dtype '{}', expected F64 F32 F16 BF16 I64 I32 I16 I8 U8 or BOOL", what, printable(text));

  SafetensorsEntry entry{name, *dtype, parse_numbers(json, "shape", what)};
  const std::vector<std::int64_t> offsets = parse_numbers(json, "data_offsets", what);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) fail("{} is damaged: its data_offsets are wrong", what);
  entry.begin = static_cast<std::uint64_t>(offsets[0]);
  entry.end = static_cast<std::uint64_t>(offsets[1]);
  const std::optional<std::int64_t> count = count_elements(entry.shape);
  if (!count) fail("{} is damaged: its shape {} is impossible", what, shape_text(entry.shape));
  const std::uint64_t size = static_cast<std::uint64_t>(*count) * c10::elementSize(*dtype);
  if (entry.end - entry.begin != size)
    fail("{} is damaged: it has {} bytes, expected {}", what, entry.end - entry.begin, size);
  return entry;
}

// As the reference implementation does: every byte belongs to exactly one tensor.
void check_cover(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_at, std::uint64_t file_size,
                 const std::string& source) {
  std::vector<const SafetensorsEntry*> sorted;
  for (const SafetensorsEntry& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;  // in the data
  for (const SafetensorsEntry* entry : sorted) {
    if (entry->begin != at)
      fail("{}: is damaged: tensor '{}' starts at byte {}, expected {}", source, printable(entry->name),
           data_at + entry->begin, data_at + at);
    at = entry->end;
  }
  if (data_at + at > file_size)
    fail("{}: is truncated: it ends at byte {}, expected {}; copy or download it again", source, file_size,
         data_at + at);
  if (data_at + at < file_size)
    fail("{}: is damaged: what it holds from byte {} on belongs to no tensor", source, data_at + at);
}

std::string read_header_text(std::istream& file, std::uint64_t file_size, const std::string& source) {
  char head[512] = {};
  const auto wanted = static_cast<std::streamsize>(std::min<std::uint64_t>(file_size, sizeof head));
  if (!file.read(head, wanted)) fail("{}: cannot be read", source);
  const std::string_view start(head, static_cast<std::size_t>(wanted));
  std::uint64_t length = 0;
  if (start.size() > kPrefix) std::memcpy(&length, start.data(), kPrefix);
  if (start.size() <= kPrefix || start[kPrefix] != '{' || length < 2 || length > kMaxHeader)
    fail("{}: is not a safetensors file ({})", source, describe_content(start));
  if (length > file_size - kPrefix)
    fail("{}: is truncated at byte {}, inside its header of {}; copy or download it again", source, file_size,
         length);
  std::string text(length, '\0');
  file.seekg(kPrefix);
  if (!file.read(text.data(), static_cast<std::streamsize>(length))) fail("{}: cannot be read", source);
  return text;
}

}  // namespace

std::string safetensors_dtype_name(at::ScalarType dtype) {
  for (const auto& [name, known] : kDtypes)
    if (known == dtype) return std::string(name);
  return "";
}

std::string encode_safetensors_header(const SafetensorsHeader& header, const std::string& source) {
  Json json = Json::object();
  json[kMetadata] = header.metadata;
  json[kMetadata][kHeaderChecksumKey] = kNoDigits;
  for (const SafetensorsEntry& entry : header.entries)
    json[entry.name] = {{"dtype", safetensors_dtype_name(entry.dtype)},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::exception&) {
    fail("{}: cannot be written: a tensor's name or the metadata is not UTF-8 text", source);
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::size_t place = checksum_place(text);
  text.replace(place, kNoDigits.size(), header_checksum(text, place));
  const std::uint64_t length = text.size();
  if (length > kMaxHeader)
    fail("{}: cannot be written: its header would have {} bytes, the limit is {}", source, length,
         kMaxHeader);
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  return out + text;
}

SafetensorsHeader decode_safetensors_header(std::istream& file, std::uint64_t file_size,
                                            const std::string& source) {
  const std::string text = read_header_text(file, file_size, source);
  const Json json = parse_header(text, source);
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadata)
      header.metadata = parse_metadata(value, text, source);
    else
      header.entries.push_back(parse_entry(name, value, text, source));
  }
  verify_header(header, text, source);
  check_cover(header.entries, kPrefix + text.size(), file_size, source);
  return header;
}

}  // namespace torsor
