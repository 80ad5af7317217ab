// Translates the images of a plan: reads ahead, gathers batches, writes behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "data/folder_source.h"
#include "data/transform.h"
#include "infer/generator_runner.h"
#include "infer/input_check.h"
#include "infer/translation_plan.h"

namespace torsor {

/// How each image is taken.
struct Treatment {
  std::optional<Size> resize;                 // translated at this size
  std::optional<TransformOptions> reference;  // or as translate_as_reference() does
  std::int64_t batch_size = 1;                // images of equal size that are translated together
  BadFiles bad_files = BadFiles::refuse;      // what cannot be read or scaled
};

/// Hears how it goes, from the thread that called run().
class TranslationListener {
 public:
  virtual ~TranslationListener() = default;
  /// `file` was not taken as it is.
  virtual void note(const std::string& file, const std::string& what) = 0;
  /// An image that is left out, and why; only with BadFiles::skip.
  virtual void skipped(const std::string& reason) = 0;
  /// After each image; those that were skipped count.
  virtual void progress(std::int64_t done, std::int64_t total) = 0;
};

class FolderTranslation {
 public:
  /// The runner and the listener must outlive it. Throws as InputCheck does.
  FolderTranslation(const GeneratorRunner& runner, std::vector<TranslationJob> jobs, Treatment treatment,
                    TranslationListener& listener);

  /// Until all is written, or `stop` is requested: what was begun is written then. Throws Error naming a file
  /// that cannot be read, scaled or written.
  void run(const StopFlag& stop);

  std::int64_t written() const { return written_; }
  std::int64_t skipped() const { return skipped_; }
  /// InputCheck::warning() about the images so far.
  std::string doubt() const { return check_.warning(); }

 private:
  const GeneratorRunner& runner_;
  std::vector<TranslationJob> jobs_;
  Treatment treatment_;
  TranslationListener& listener_;
  InputCheck check_;
  std::int64_t written_ = 0, skipped_ = 0;
};

}  // namespace torsor
