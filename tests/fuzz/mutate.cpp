#include "fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <vector>

#include "core/json.h"

namespace torsor::testing {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHeaderReach = 128;

constexpr std::array<std::uint64_t, 20> kAwkwardNumbers = {0,
                                                           1,
                                                           2,
                                                           0x7F,
                                                           0x80,
                                                           0xFF,
                                                           0x100,
                                                           0x7FFF,
                                                           0x8000,
                                                           0xFFFF,
                                                           0x10000,
                                                           1000000,
                                                           0x7FFFFFFF,
                                                           0x80000000,
                                                           0xFFFFFFFF,
                                                           0x100000000,
                                                           0xFFFFFFFFFFFF,
                                                           0x7FFFFFFFFFFFFFFF,
                                                           0x8000000000000000,
                                                           0xFFFFFFFFFFFFFFFF};

constexpr std::array kAwkwardWords = {"0"sv,
                                      "-1"sv,
                                      "1"sv,
                                      "4096"sv,
                                      "4294967296"sv,
                                      "9223372036854775807"sv,
                                      "-9223372036854775808"sv,
                                      "18446744073709551615"sv,
                                      "1e308"sv,
                                      "-1e308"sv,
                                      "1e999"sv,
                                      "0.5"sv,
                                      "1e-320"sv,
                                      "NaN"sv,
                                      "null"sv,
                                      "true"sv,
                                      "False"sv,
                                      "\"\""sv,
                                      "\"x\""sv,
                                      "{}"sv,
                                      "[]"sv,
                                      "[[[[[[]]]]]]"sv,
                                      "\"\\u0000\""sv,
                                      "\"\\ud800\""sv,
                                      "\"\xc3\xa9\""sv,
                                      "\"\xff\""sv,
                                      "\"a\\nb\""sv,
                                      "()"sv,
                                      "(1,)"sv};

void write_number(std::string& bytes, std::size_t at, Random& random) {
  const std::size_t width = std::min<std::size_t>(std::size_t{1} << random.below(4), bytes.size() - at);
  const std::uint64_t number = kAwkwardNumbers[random.below(kAwkwardNumbers.size())];
  const bool big_endian = random.one_in(2);
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t shift = 8 * (big_endian ? width - 1 - i : i);
    bytes[at + i] = static_cast<char>(number >> shift);
  }
}

void change_bytes(std::string& bytes, std::size_t reach, Random& random) {
  const std::size_t at = random.below(std::min(reach, bytes.size()));
  const std::size_t length = std::min<std::size_t>(1 + random.below(32), bytes.size() - at);
  const auto elsewhere = [&] { return bytes.substr(random.below(bytes.size()), 1 + random.below(32)); };
  switch (random.below(11)) {
    case 0:
    case 1:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 2:
      bytes[at] = static_cast<char>(random.below(256));
      break;
    case 3:
      bytes[at] = static_cast<char>(bytes[at] + (random.one_in(2) ? 1 : -1));
      break;
    case 4:
    case 5:
      write_number(bytes, at, random);
      break;
    case 6:
      bytes.erase(at, length);
      break;
    case 7:
      bytes.insert(at, elsewhere());
      break;
    case 8: {
      const std::string piece = elsewhere();
      bytes.replace(at, std::min(piece.size(), bytes.size() - at), piece);
      break;
    }
    case 9:
      bytes.insert(at, std::string(1 + random.below(64), static_cast<char>(random.below(256))));
      break;
    default:
      if (random.one_in(4)) bytes.resize(at);
  }
}

// Runs of letters and digits, quoted texts, and every other character alone.
std::vector<std::string> tokens_of(std::string_view text) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '+';
  };
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text[at] == '"' || text[at] == '\'') {
      while (end < text.size() && text[end] != text[at]) end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (is_word(text[at])) {
      while (end < text.size() && is_word(text[end])) ++end;
    }
    tokens.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

void change_tokens(std::vector<std::string>& tokens, Random& random) {
  const std::size_t at = random.below(tokens.size());
  const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  const auto rest = tokens.size() - at;
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      *place = kAwkwardWords[random.below(kAwkwardWords.size())];
      break;
    case 3:
      *place = tokens[random.below(tokens.size())];
      break;
    case 4:
      tokens.erase(place, place + static_cast<std::ptrdiff_t>(std::min(rest, 1 + random.below(4))));
      break;
    case 5: {
      const std::vector<std::string> copy(
          place, place + static_cast<std::ptrdiff_t>(std::min(rest, 1 + random.below(8))));
      tokens.insert(place, copy.begin(), copy.end());
      break;
    }
    case 6:
      std::swap(*place, tokens[random.below(tokens.size())]);
      break;
    default:
      if (place->size() > 1) (*place)[random.below(place->size())] = static_cast<char>(random.below(256));
  }
}

// Every value below `json`, itself included.
void collect(Json& json, std::vector<Json*>& out) {
  out.push_back(&json);
  if (json.is_structured())
    for (Json& child : json) collect(child, out);
}

Json awkward_value(Random& random) {
  for (;;) {
    const Json value = Json::parse(kAwkwardWords[random.below(kAwkwardWords.size())], nullptr, false);
    if (!value.is_discarded()) return value;
  }
}

void change_value(Json& json, Random& random) {
  std::vector<Json*> values;
  collect(json, values);
  Json& chosen = *values[random.below(values.size())];
  const Json other = *values[random.below(values.size())];
  switch (random.below(6)) {
    case 0:
      chosen = other;
      break;
    case 1:
      if (chosen.is_structured() && !chosen.empty()) {
        auto child = chosen.begin();
        std::advance(child, random.below(chosen.size()));
        chosen.erase(child);
      }
      break;
    case 2:
      if (chosen.is_array()) chosen.push_back(other);
      if (chosen.is_object()) chosen[other.is_string() ? other.get<std::string>() : "extra"] = other;
      break;
    case 3:
      if (chosen.is_string()) chosen = mutate_text(chosen.get<std::string>(), random);
      if (chosen.is_number()) chosen = chosen.get<double>() * (random.one_in(2) ? -1 : 1.5);
      break;
    default:
      chosen = awkward_value(random);
  }
}

}  // namespace

std::string mutate_json(const std::string& text, Random& random) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return mutate_text(text, random);
  for (std::size_t changes = 1 + random.below(3); changes > 0; --changes) change_value(json, random);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string mutate_bytes(std::string bytes, Random& random) {
  const std::size_t reach = random.one_in(2) ? kHeaderReach : bytes.size();
  for (std::size_t changes = 1 + random.below(4); changes > 0 && !bytes.empty(); --changes)
    change_bytes(bytes, reach, random);
  return bytes;
}

std::string mutate_text(std::string_view text, Random& random) {
  std::vector<std::string> tokens = tokens_of(text);
  for (std::size_t changes = 1 + random.below(3); changes > 0 && !tokens.empty(); --changes)
    change_tokens(tokens, random);
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

}  // namespace torsor::testing
