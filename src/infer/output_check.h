// What of a delivered translation can be measured without knowing the right one: whether it can be brought
// back, and how its discriminator scores it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "infer/generator_runner.h"
#include "loss/gan_loss.h"

namespace torsor {

/// As shares of the range from black to white.
struct CycleErrors {
  double whole = 0;        // the mean of |F(y + noise) - x| over all samples
  double worst_patch = 0;  // its largest mean over a square patch, see image_distances()
};

/// How far a delivered image, brought back by `back`, is from its input. x [1,C,H,W] as the network got it,
/// delivered [1,C',H,W] as its file holds it: what was rounded away is not there to be read back (Chu et al.
/// 2017). Gaussian noise of 1/255 of the range, drawn by `seed`, is added to it for the same reason. `span`:
/// from black to white in the networks' values, see span_of(). Throws Error when `back` makes NaN.
CycleErrors cycle_errors(const at::Tensor& x, const at::Tensor& delivered, const TensorMapping& back,
                         double span, std::uint64_t seed);

/// From black to white in the networks' values: 2, or 1 with a scaling that shifts nothing (percentile_95).
double span_of(const std::string& scaling);

/// A seed for cycle_errors() from what is told apart by its hash (hexadecimal digits).
std::uint64_t noise_seed(const std::string& hash);

struct OutputMeasures {
  std::optional<CycleErrors> cycle;
  std::string no_cycle;  // why there is none
  std::optional<double> discriminator;
  std::string no_discriminator;
};

/// The networks of a model that look at what one of its generators delivers. Const and thread-safe.
class OutputCheck {
 public:
  /// Of the generator of this direction; `options` as of its runner. Throws Error naming the file when
  /// weights do not fit.
  OutputCheck(const WeightSet& set, const Direction& direction, const RunnerOptions& options);

  /// The generator of the opposite direction; null when the model has none.
  const GeneratorRunner* back() const { return back_ ? &*back_ : nullptr; }
  bool measures_something() const { return back_.has_value() || discriminator_ != nullptr; }

  /// x and delivered as for cycle_errors(); `bring_back`, of back(), is used only where there is one.
  /// `whole`: whether the memory holds the discriminator's work on the whole image.
  enum class ScoredAs { whole, too_large };
  OutputMeasures measure(const at::Tensor& x, const at::Tensor& delivered, std::uint64_t seed,
                         const TensorMapping& bring_back, ScoredAs scored) const;

 private:
  std::optional<double> score(const at::Tensor& delivered, std::string& why_not) const;

  std::optional<GeneratorRunner> back_;
  std::shared_ptr<Network> discriminator_;
  Placement placement_;
  double span_ = 2;
  std::string no_back_, no_discriminator_;
};

}  // namespace torsor
