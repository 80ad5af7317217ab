#include "data/note_count.h"

#include <fmt/format.h>

#include <cctype>

namespace torsor {

namespace {

// A number may have a point inside.
std::string without_numbers(const std::string& note) {
  const auto is_digit = [&](std::size_t at) {
    return at < note.size() && std::isdigit(static_cast<unsigned char>(note[at])) != 0;
  };
  std::string out;
  for (std::size_t at = 0; at < note.size(); ++at) {
    if (!is_digit(at)) {
      out += note[at];
      continue;
    }
    out += '#';
    while (is_digit(at + 1) || (at + 1 < note.size() && note[at + 1] == '.' && is_digit(at + 2))) ++at;
  }
  return out;
}

}  // namespace

void NoteCount::add(const Kind& kind) {
  const auto [at, fresh] = places_.emplace(without_numbers(kind.first_note), kinds_.size());
  if (fresh)
    kinds_.push_back(kind);
  else
    kinds_[at->second].count += kind.count;
}

void NoteCount::add(const std::string& file, const std::string& note) { add({file, note, 1}); }

void NoteCount::add(const NoteCount& others) {
  for (const Kind& kind : others.kinds_) add(kind);
}

std::vector<std::string> NoteCount::lines() const {
  std::vector<std::string> out;
  for (const Kind& kind : kinds_)
    out.push_back(kind.count == 1 ? kind.first_file + ": " + kind.first_note
                                  : fmt::format("{} images: {} (the first: {})", kind.count, kind.first_note,
                                                kind.first_file));
  return out;
}

}  // namespace torsor
