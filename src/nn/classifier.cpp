#include "nn/classifier.h"

#include <torch/types.h>

#include <stdexcept>

namespace torsor {

namespace {

// Two pairs of convolutions, each of which halves the sides, and two fully connected layers (convolutions as
// large as the maps) with dropout between.
struct ClassifierNetwork : Network {
  explicit ClassifierNetwork(const ClassifierOptions& o) : side_(o.side) {
    register_module("model", model_);
    const std::int64_t w = o.width, map = o.side / 4;
    conv(o, {o.in_channels, w, 3, 1, 1});
    conv(o, {w, w, 4, 2, 1});
    conv(o, {w, 2 * w, 3, 1, 1});
    conv(o, {2 * w, 2 * w, 4, 2, 1});
    conv(o, {2 * w, 4 * w, map, 1, 0});
    model_->append(std::make_shared<Dropout>());
    model_->append(std::make_shared<Conv>(ConvShape{4 * w, o.classes, 1, 1, 0, Bias::yes}));
  }
  at::Tensor forward(const at::Tensor& x) override { return model_->forward(x); }
  SizeRule size_rule() const override { return {side_, side_}; }

  // [N,4*width,1,1]
  at::Tensor before_last(const at::Tensor& x) const { return model_->before_last(x); }

 private:
  void conv(const ClassifierOptions& o, ConvShape shape) {
    shape.bias = o.norm == "batch" ? Bias::no : Bias::yes;
    model_->append(std::make_shared<Conv>(shape));
    model_->append(make_norm(o.norm, shape.out));
    model_->append(std::make_shared<Relu>());
  }

  std::int64_t side_;
  std::shared_ptr<LayerList> model_ = std::make_shared<LayerList>();
};

}  // namespace

void ClassifierOptions::describe(OptionSet& o) {
  o.add("in_channels", in_channels, "channels of the images").range(1, 4096);
  o.add("side", side, "side of the images: a multiple of 4").range(8, 1024);
  o.add("classes", classes, "how many classes").range(2, 4096);
  o.add("width", width, "filters of the first layers").range(1, 4096);
  o.add("norm", norm, "normalisation").choices({"batch", "none"});
}

void ClassifierOptions::validate() const {
  if (side % 4 != 0) fail_usage("side {}: a classifier's images have sides that are multiples of 4", side);
}

std::shared_ptr<Network> make_classifier(const ClassifierOptions& options) {
  options.validate();
  return std::make_shared<ClassifierNetwork>(options);
}

at::Tensor classifier_features(Network& classifier, const at::Tensor& images) {
  const auto* network = dynamic_cast<const ClassifierNetwork*>(&classifier);
  if (network == nullptr) throw std::logic_error("classifier_features: not a classifier");
  return network->before_last(images).flatten(1);
}

}  // namespace torsor
