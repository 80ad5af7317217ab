// What the readers of many images had to say, summed up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/note_count.h"
#include "image/codec.h"

namespace torsor {

/// Collects the notes of one image after another, by kinds.
class ImageNotes {
 public:
  /// `name` is what the user knows the image by; an image without notes counts too.
  void add(const std::string& name, const Notes& notes);

  /// A line for each kind, in the order of their first image: "a.jpg: the end mark is missing" for one image,
  /// "12 of 300 images: the end mark is missing (the first: a.jpg)" for several. More than ten kinds are cut.
  std::vector<std::string> lines() const;

 private:
  NoteCount count_;
  std::int64_t images_ = 0;
};

}  // namespace torsor
