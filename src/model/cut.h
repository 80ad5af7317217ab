// CUT and FastCUT (Park, Efros, Zhang, Zhu, "Contrastive Learning for Unpaired Image-to-Image Translation",
// ECCV 2020): one generator from A to B, whose translation preserves content by a patchwise contrastive loss
// (PatchNCE): by features of the generator's own first layers, each patch is matched with its source patch
// among others of the source image. The update order and the sums are those of the authors' program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loss/gan_loss.h"
#include "model/model.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"
#include "nn/patch_features.h"

namespace torsor {

struct CutOptions {
  double lambda_gan = 1;
  double lambda_nce = 1;
  bool nce_idt = true;
  bool flip_equivariance = false;
  std::string nce_layers = "0,4,8,12,16";
  std::int64_t nce_width = 256;
  std::int64_t num_patches = 256;
  double nce_t = 0.07;
  std::string nce_negatives = "image";

  /// What the paper calls FastCUT: no identity term, a heavier contrastive one, mirrored images.
  static CutOptions fast();

  void describe(OptionSet& o);
};

/// Everything that builds a Cut.
struct CutSpec {
  CutOptions cut;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b;  // as many channels out as in, since its layers see translations too
  DiscriminatorOptions d_b;   // of images of B
  InitOptions init = {"xavier", 0.02};
  OptimizerOptions optimizer;

  /// The projection of the layers that are compared. Throws UsageError when the generator has no such layers,
  /// is no plain list of layers, or has other channels out than in.
  PatchFeatureOptions features() const;
};

/// Where a step's random numbers come from: named streams, or a recorded list in a test.
class CutDraws {
 public:
  virtual ~CutDraws() = default;
  /// [0, 1): below 1/2 the images are mirrored.
  virtual double mirror() = 0;
  /// `count` different ones of 0 .. n-1, in any order; count <= n.
  virtual std::vector<std::int64_t> patches(std::int64_t n, std::int64_t count) = 0;
};

class StreamCutDraws : public CutDraws {
 public:
  explicit StreamCutDraws(RngStreams& streams) : streams_(streams) {}
  double mirror() override { return streams_["mirror"].uniform(); }
  std::vector<std::int64_t> patches(std::int64_t n, std::int64_t count) override;

 private:
  RngStreams& streams_;
};

class Cut : public Model {
 public:
  /// Builds the networks g_a_to_b, d_b and f_a_to_b and initialises each from (seed, "init.", its name).
  /// Throws UsageError for unusable options.
  Cut(const CutSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,C,H,W] and real_b [N,C,H,W], scaled as --scaling says. The discriminator steps
  /// first; then generator and projection step together, whose loss uses the updated discriminator. With
  /// flip_equivariance the generator sees both images mirrored every second time; what it made is compared
  /// with the source as it is, the features mirrored back. Losses: g_a_to_b (adversarial), d_real and d_fake
  /// (of whose sum the discriminator descends half), g (all that the generator descends), nce (between A and
  /// its translation) and, with nce_idt, nce_y (between B and what the generator makes of it; g has half of
  /// each); with wgangp's penalty also gradient_penalty, a third addend of the discriminator's sum. Weights
  /// included. Those that are off are 0.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// One row: real_a, fake_b, real_b and, with nce_idt, idt_b.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;

  const CutSpec& spec() const { return spec_; }
  /// Replaces the streams (a recorded trace).
  void set_draws(std::unique_ptr<CutDraws> draws) { draws_ = std::move(draws); }

  /// Receives the intermediate values of a step: "fake", what the generator made of all its images;
  /// "q_nce_<i>", "k_nce_<i>" and "loss_nce_<i>" of layer number i, projections of target and source and the
  /// loss of each patch, and the same of nce_y.
  using Watch = std::function<void(const std::string& name, const at::Tensor& value)>;
  void set_watch(Watch watch) { watch_ = std::move(watch); }

  /// Replaces pixels_at() by another implementation, whose gradient has another memory layout.
  using PickPixels = at::Tensor (*)(const at::Tensor& feature, const at::Tensor& positions);
  void set_pick(PickPixels pick) { pick_ = pick; }

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  enum class Mirrored { no, yes };
  struct Images {
    at::Tensor real_a, real_b, fake_b, idt_b;  // the last two as generated
    Mirrored mirrored = Mirrored::no;
  };

  bool has_penalty() const;
  at::Tensor run(Network& network, const at::Tensor& x) const;
  void translate(Images& images, CutDraws& draws);
  void update_discriminator(const Images& images, LossTensors& losses, StepContext& context);
  void update_generator(const Images& images, LossTensors& losses, CutDraws& draws, GradientSync& sync);
  std::vector<at::Tensor> encode(const at::Tensor& images);
  at::Tensor nce(const std::string& name, const at::Tensor& source, const at::Tensor& target,
                 Mirrored mirrored, CutDraws& draws);
  at::Tensor nce_of_layer(const std::string& name, std::size_t layer, const at::Tensor& source,
                          const at::Tensor& target, Mirrored mirrored, CutDraws& draws);
  void tell(const std::string& name, const at::Tensor& value) const;

  CutSpec spec_;
  Placement placement_;
  std::vector<std::int64_t> layers_;
  const GanLoss& gan_;
  std::shared_ptr<Generator> g_a_to_b_;
  std::shared_ptr<Network> d_b_;
  std::shared_ptr<PatchFeatures> f_a_to_b_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_, opt_f_;
  std::unique_ptr<CutDraws> draws_;
  Watch watch_;
  PickPixels pick_ = pixels_at;
};

}  // namespace torsor
