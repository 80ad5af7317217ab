// LPIPS: how unlike two images look to a network (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep
// Features as a Perceptual Metric").
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <span>
#include <string>

#include "core/json.h"
#include "core/options.h"
#include "image/image.h"
#include "metric/plain_cnn.h"

namespace torsor {

struct LpipsOptions {
  std::string lpips_net = "alex";   // alex or vgg
  std::string lpips_backbone = "";  // torchvision's file, or the state dict of the package's whole module
  std::string lpips_linear = "";    // the package's linear layers; "" where the backbone's file has them too

  void describe(OptionSet& o);
};

/// Version 0.1 of the package lpips, with linear layers.
class Lpips {
 public:
  /// `net`: alex or vgg. `backbone` has the keys of torchvision (features.<n>.*) or of the package
  /// (net.slice<k>.<n>.*), `linear` the package's (lin<k>.model.1.weight); what else they have is left alone.
  /// Throws UsageError for another net, Error naming the table's source and the key.
  Lpips(const std::string& net, WeightTable& backbone, WeightTable& linear, const NetworkPlace& place);

  struct Distances {
    at::Tensor values;  // [N] float64, 0 for equal images
    at::Tensor layers;  // [N,5] float64, the summands of each
  };

  /// Of x[i] and y[i]: u8, or f32 with samples 0 to 255, of 1 to 4 channels (grey is repeated, alpha
  /// dropped). Throws Error naming the pair: another number of images, sizes that differ, a side below 31
  /// (alex) or 16 (vgg), 16 bits.
  Distances distances(std::span<const Image> x, std::span<const Image> y) const;

  /// {"name": "lpips-alex", "version": "0.1", "hash", "weights"}
  Json protocol() const { return protocol_; }

  /// [N,3,H,W] in [-1,1] -> what the layers see.
  std::vector<at::Tensor> taps(const at::Tensor& x) const;

 private:
  std::vector<at::Tensor> unit_taps(const Image& image) const;
  at::Tensor layer_distances(const Image& x, const Image& y) const;  // [5]

  NetworkPlace place_;
  std::int64_t smallest_side_;
  std::vector<at::Tensor> linear_;  // [1,C,1,1] each
  std::unique_ptr<PlainCnn> network_;
  at::Tensor shift_, scale_;  // [1,3,1,1]
  Json protocol_;
};

/// From the user's files; where they are not given, from those in feature_folder(): torchvision's
/// (alexnet-owt-7be5be79.pth, vgg16-397923af.pth) with lpips_lin_<net>.pth, or lpips-<net>.pth with both.
/// Throws UsageError naming the option for a file that is not there, Error for one that is of something else.
std::shared_ptr<const Lpips> make_lpips(const LpipsOptions& options, c10::Device device);

}  // namespace torsor
