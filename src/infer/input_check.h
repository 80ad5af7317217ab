// Detects images that are unlike those that a generator was trained to translate.
#pragma once

#include <optional>
#include <string>

#include "data/fingerprint.h"
#include "model/model_file.h"

namespace torsor {

/// Tells inputs of this generator from others; nothing where its model does not know its training images.
/// Throws Error naming the model's file when its fingerprints are damaged.
std::optional<Recogniser> recogniser_of(const LoadedGenerator& loaded);

/// Compares inputs with the fingerprints in the model. Silent for a model that has none.
class InputCheck {
 public:
  /// Throws Error naming the model's file when its fingerprints are damaged.
  explicit InputCheck(const LoadedGenerator& loaded);

  /// A u8 image in the channels that the generator takes, before any resizing; `name` stands for it in the
  /// warning.
  void add(const std::string& name, const Image& image);

  /// One line about all images so far when more of them are unlike than chance explains (5 % of the right
  /// images may be misclassified), else "".
  std::string warning() const;

 private:
  struct Side {
    std::string letter, name;
    std::string text() const;
  };

  std::optional<Recogniser> recogniser_;
  Direction direction_;
  bool has_opposite_ = false;  // the model translates in the other direction too
  Side own_, other_;
  std::int64_t seen_ = 0, like_other_ = 0, like_neither_ = 0;
  std::string first_;  // the first odd one
};

}  // namespace torsor
