// Where the images of one domain come from: a folder, a generator.
#pragma once

#include <cstdint>
#include <string>

#include "image/image.h"

namespace torsor {

enum class Domain { a, b };
enum class Split { train, test };

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::int64_t size() const = 0;
  /// Image `index` in 0..size()-1 as stored (any pixel type and channel count). Thread-safe. Throws Error
  /// naming it.
  virtual Image read(std::int64_t index) const = 0;
  /// A file name, relative to the source, for messages and outputs.
  virtual std::string name(std::int64_t index) const = 0;
};

/// Images whose class is known.
class LabelledSource : public ImageSource {
 public:
  /// The class, from 0 up.
  virtual std::int64_t label(std::int64_t index) const = 0;
};

}  // namespace torsor
