// One trained generator, applied to images of any size. Const and thread-safe: one may serve many threads.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/stop.h"
#include "data/prepared_image.h"
#include "data/sample_scale.h"
#include "data/transform.h"
#include "image/image.h"
#include "interchange/weight_choice.h"
#include "model/model_file.h"
#include "model/placement.h"

namespace torsor {

/// The option norm_stats: which statistics batch norm uses. One declaration for the command and the
/// interfaces.
void add_norm_stats(OptionSet& o, std::string& field);
/// "running" or "batch", as add_norm_stats() lets through.
NormStatistics norm_statistics_of(const std::string& norm_stats);

struct RunnerOptions {
  std::string direction;  // a_to_b or b_to_a; "" = a_to_b, or the only one the file has
  NormStatistics norm_statistics = NormStatistics::running;
  Placement placement = {};
  WeightChoice choice = {};  // about weights that do not describe themselves
};

class GeneratorRunner {
 public:
  /// MODEL: whatever open_weights() takes. Throws Error naming the file, UsageError for a direction that it
  /// does not have.
  static GeneratorRunner open(const std::filesystem::path& model, const RunnerOptions& options);

  GeneratorRunner(LoadedGenerator loaded, const RunnerOptions& options);

  /// [N,C,H,W] in the training's range ([-1,1] with --scaling white) -> [N,C',H,W]; throws
  /// Error for another shape or for whole numbers. Sides that do not fit the network are reflect-padded on
  /// the right and bottom (repeatedly where the image is smaller than the pad) and cropped back.
  at::Tensor translate(const at::Tensor& images) const;

  /// The network's output for [N,C,H,W] as it is, neither padded nor cropped: sides that do not fit come out
  /// longer (a ResNet's are rounded up to multiples of 4) or are an Error.
  at::Tensor run_unpadded(const at::Tensor& images) const;

  /// The channels of input and output for an image of `stored` channels: the generator's own, or the image's
  /// where the generator supports any number (identity).
  std::int64_t channels_in(std::int64_t stored) const;
  std::int64_t channels_out(std::int64_t stored) const;

  /// An image of any pixel type as the generator takes it, see prepare(): in channels_in(), with how its
  /// samples enter the network, as in the training (of the image before any resizing). A generator that
  /// copies gets hidden colours too. `note` receives what is worth knowing. Throws Error naming one that
  /// cannot be scaled.
  PreparedImage input(const Image& stored, std::string& note, const std::string& name = "the image",
                      Hidden hidden = Hidden::replaced) const;

  /// What is black and white in the inputs; it may be added to before the first is translated.
  const SampleScale& scale() const { return scale_; }
  SampleScale& scale() { return scale_; }

  /// Any u8/u16/f32 image -> the same size and type with the target domain's channels and no alpha; integers
  /// rounded. `note` receives what is worth knowing.
  Image translate(const Image& image, std::string& note) const;

  const LoadedGenerator& loaded() const { return loaded_; }
  const Placement& placement() const { return placement_; }

  /// [C,H,W] that the generator made of `input` -> samples of this type. Where the target domain has the
  /// type, black and white are its own; where it says nothing of it, they are those of the type, or of an
  /// input that has the type and a scale of its own too; where the generator copies, the input's. With
  /// --scaling percentile_95 a 1 becomes the mean 95th percentile of the target domain's training images, see
  /// percentile_range_as().
  /// Throws Error naming the model when it holds NaN.
  Image picture(const at::Tensor& made, const PreparedImage& input, PixelType type,
                Rounding rounding = Rounding::nearest) const;

  /// What the samples of picture() mean, of an input that entered with the range `input`.
  ValueRange output_range(const ValueRange& input, PixelType type) const;

 private:
  bool copies() const;

  LoadedGenerator loaded_;
  Placement placement_;
  SampleScale scale_;
};

/// Reflect-pads [N,C,H,W] on the right and bottom to width x height, repeatedly where one reflection is not
/// enough; a side of 1 pixel is replicated.
at::Tensor reflect_pad_to(const at::Tensor& images, std::int64_t height, std::int64_t width);

/// What the reference's test.py does to an image with its own options: its resize (as Pillow 13 computes it),
/// no padding, truncation to 8 bits; 1 channel written as RGB. The output has the resized size, a ResNet's
/// rounded up to multiples of 4 (scale_width). test.py runs in training mode: open the runner with the
/// batch's statistics.
Image translate_as_reference(const GeneratorRunner& runner, const TransformOptions& preprocess,
                             const Image& image, const std::string& name = "the image");
/// The same of an image that the runner has prepared, Hidden::kept.
Image translate_as_reference(const GeneratorRunner& runner, const TransformOptions& preprocess,
                             PreparedImage ready, const std::string& name);

}  // namespace torsor
