// Translates images with a trained model, inside your own program: the same bytes as `torsor translate`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "torsor/error.h"

namespace at {
class Tensor;
}

namespace torsor {

/// The options of `torsor translate` of the same names.
struct TranslatorOptions {
  std::string direction;           // a_to_b or b_to_a; "" = a_to_b, or the only one the file has
  std::string device = "auto";     // auto, cpu or cuda
  std::string precision = "fp32";  // fp32, bf16 or fp64
  std::string norm_stats =
      "running";                // running, or batch: batch norm uses each image's own, as the reference
  std::string engine = "auto";  // auto, torch or fast, on a CPU in fp32: see docs/performance.md
  bool evidence = false;  // keep what translate_with_evidence() measures with: the way back, a discriminator
};

/// One sample of one channel.
enum class SampleType {
  u8,   // 0 to 255
  u16,  // 0 to 65535; black and white as the model's images of 16 bits have them, else these
  f32,  // -1 to 1, what the network itself computes with: -1 black, 1 white; nothing is rounded. Of a model
        // with --scaling percentile_95 an output only: 0 black, 1 the 95th percentile
};

/// Where the samples of an image lie. Channels are grey, RGB or, as input, grey and alpha or RGBA (alpha is
/// dropped, and colours under an alpha of 0 reach no network).
struct PixelLayout {
  std::int64_t width = 0;   // pixels
  std::int64_t height = 0;  // pixels
  std::int64_t channels = 3;
  SampleType type = SampleType::u8;
  // Bytes from one pixel, row or channel to the next; they may be negative. 0 stands for interleaved
  // channels, pixels and rows without gaps: the sample's size, channels * the sample's size, width *
  // x_stride.
  std::ptrdiff_t x_stride = 0, y_stride = 0, channel_stride = 0;
};

struct EvidenceOptions;

/// A trained generator, ready to run. All const functions may be called from any number of threads at once;
/// they share libtorch's threads, see set_threads(). Copies share the weights.
class TORSOR_API Translator {
 public:
  /// Loads what `torsor translate` accepts as MODEL: a run directory, a torsor model file or checkpoint, a
  /// .pth of the reference, its folder checkpoints/<name>/, or the word "identity" (copies). Throws Error
  /// naming the file, UsageError for an option's value that is unknown or a direction that the file does not
  /// have.
  explicit Translator(const std::filesystem::path& model, const TranslatorOptions& options = {});

  /// Channels of the network's input and output images: 1 or 3 for models of torsor. "identity" reports 3 and
  /// returns as many as its input has, see output_layout().
  std::int64_t in_channels() const;
  std::int64_t out_channels() const;

  /// The layout translate() writes when you have no wish of your own: the input's size, out_channels(),
  /// interleaved rows without gaps, and its type.
  PixelLayout output_layout(const PixelLayout& in) const;

  /// Translates one image of any size; `out` has the same width and height, out_channels() channels, and any
  /// type. Integer samples are brought to in_channels() as `torsor translate` does it (grey replicated,
  /// RGB to grey by Rec. 601 weights); f32 samples must have them already. `in` is read whole before `out`
  /// is written, so they may be the same memory. Throws Error for a layout that cannot be, samples beyond
  /// [-1, 1], or an image that the network cannot take; `out` is then untouched. A model trained with
  /// `--scaling percentile_95` scales u8 and u16 images by itself and takes no f32 ones.
  void translate(const void* in, const PixelLayout& in_layout, void* out,
                 const PixelLayout& out_layout) const;

  /// The same for tensors: [N,C,H,W] of floats in [-1, 1] (as `--scaling` says), on any device ->
  /// [N,C',H,W] float32 on the translator's device, without a gradient. Include <ATen/ATen.h> or
  /// <torch/torch.h> to call it; the package's target torsor::tensor brings them. Throws Error for another
  /// shape or dtype.
  at::Tensor translate(const at::Tensor& images) const;

  /// One line when the image looks unlike the images that this generator was trained to translate, as `torsor
  /// translate` warns of it; "" when it does not, or when the model does not know its training images
  /// (imported weights). About one right image in fifty is doubted; docs/recognition.md has what is missed.
  /// Throws as translate() does.
  std::string doubt(const void* in, const PixelLayout& in_layout) const;

  /// As translate(), and returns the evidence as JSON text: what `torsor translate --evidence` writes beside
  /// an output, measured from the samples that `out` receives. See docs/translating.md; hashes are of the
  /// samples, channels interleaved and rows without gaps. Throws as translate() does, Error when the
  /// translator was made without TranslatorOptions::evidence or a translator of `also` does not fit,
  /// UsageError for an option that cannot be.
  std::string translate_with_evidence(const void* in, const PixelLayout& in_layout, void* out,
                                      const PixelLayout& out_layout, const EvidenceOptions& options) const;

  /// JSON text: all that `torsor inspect --json` says of the file, and the direction in use.
  const std::string& describe() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// How translate_with_evidence() judges; the options of `torsor translate` of the same names.
struct EvidenceOptions {
  std::string name;                // what the evidence calls the input
  std::vector<Translator> also;    // models beside which this one stands; any translators of this direction
  std::string ensemble = "first";  // what `out` receives: first, mean or median of all
  double doubt_percentile = 99;    // 50 to 100
  double doubt_spread = 0.1;       // share of the range from black to white
  bool refuse_doubtful = false;    // leave `out` untouched where the evidence says doubtful
};

/// Threads that one translation may use; 0 = as many as this process has CPUs (fewer than the machine where
/// an affinity or a container's quota says so). A setting of the whole process, libtorch's own, to be made
/// before the first translation.
TORSOR_API void set_threads(int threads);

}  // namespace torsor
