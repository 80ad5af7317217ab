// How the images of a translation are processed, and the listener of its progress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/folder_source.h"
#include "data/transform.h"
#include "image/codec.h"
#include "infer/output_form.h"

namespace torsor {

/// Memory that an image may use: what is available, or any amount.
enum class MemoryUse { that_there_is, any };

/// What is written beside each output: a file of evidence takes one output of one page.
enum class Companions { none, evidence };

struct Treatment {
  std::optional<Size> resize = std::nullopt;  // translated at this size
  /// Or as translate_as_reference() does.
  std::optional<TransformOptions> reference = std::nullopt;
  std::int64_t batch_size = 1;            // images of equal size that are translated together
  BadFiles bad_files = BadFiles::refuse;  // what cannot be read or scaled
  EncodeOptions encode = {};
  BitDepth bit_depth = BitDepth::as_input;
  OutputColours colours = OutputColours::srgb;
  std::optional<PageUse> pages = std::nullopt;  // else as the model says
  MemoryUse memory = MemoryUse::that_there_is;
  Companions companions = Companions::none;
};

/// The size at which an image of the size `own` enters the network.
Size size_used(const Treatment& treatment, Size own);

enum class Stage { checking, translating };

/// Receives the progress of a translation: from several threads, one call at a time.
class TranslationListener {
 public:
  virtual ~TranslationListener() = default;
  /// An image that is left out, and why; only with BadFiles::skip.
  virtual void skipped(const std::string& reason) = 0;
  /// What is worth knowing before an image is translated.
  virtual void notice(const std::string& line) = 0;
  /// After each image, those that were skipped too; the pages of a file count by themselves.
  virtual void progress(Stage stage, std::int64_t done, std::int64_t total, const std::string& file) = 0;
};

}  // namespace torsor
