// Recorded trainings of the reference's pix2pix. Dropout is its default; one that says nothing of no_dropout
// is refused, since masks are not recorded.
#pragma once

#include "io/npz.h"
#include "model/pix2pix.h"
#include "nn/state_dict.h"
#include "parity/counterpart.h"

namespace torsor::parity {

struct Pix2PixRecording : ReferenceOptions {
  double lambda_l1 = 100;

  Pix2PixRecording() {
    model = "pix2pix";
    net_g = "unet_256";
    norm = "batch";
    gan_mode = "vanilla";
    no_dropout = false;
    pool_size = 0;  // without effect, whatever it is: this model has no buffer
  }
  void describe(OptionSet& o) {
    describe_shared(o);
    describe_norm(o);
    o.add("lambda_L1", lambda_l1, "").at_least(0);
  }
};

class Pix2PixCounterpart : public Counterpart {
 public:
  explicit Pix2PixCounterpart(const fs::path& folder)
      : folder_(folder), options_(read_recorded_options<Pix2PixRecording>(folder / "options.json")) {}

  const ReferenceOptions& options() const override { return options_; }
  Names network_names() const override { return {{"G", generator_name()}, {"D", kPairDiscriminator}}; }
  Names loss_names() const override {
    return {{"G_GAN", generator_name()}, {"G_L1", "l1"}, {"D_real", "d_real"}, {"D_fake", "d_fake"}};
  }
  std::set<std::string> files() const override { return {kDebugFile}; }
  std::vector<Way> ways() const override {
    return {{.engine = Engine::automatic}, {.engine = Engine::fast}, {.engine = Engine::torch}};
  }

  std::shared_ptr<Network> network(const std::string& ours) const override {
    if (ours == kPairDiscriminator) return make_discriminator(spec().discriminator);
    return make_generator(spec().generator);
  }
  std::unique_ptr<Model> make(const Way& way, const Placement& placement) override {
    placement_ = placement;
    return std::make_unique<Pix2Pix>(spec(), placement, /*seed=*/0);
  }

  /// As given: our direction is an option of the model.
  Batch batch(const at::Tensor& a, const at::Tensor& b) const override {
    Batch out;
    out.tensors = {{"real_a", a}, {"real_b", b}};
    return out;
  }

  /// The first generated image, by a copy of the generator: each pass moves batch norm's running statistics.
  void compare_start(const Model& model, const Batch& first, Comparison& comparison) const override {
    const fs::path path = folder_ / kDebugFile;
    if (!fs::exists(path)) return;
    const auto copy = network(generator_name());
    set_placement(*copy, placement_);
    load_state_dict(*copy, state_dict(*network_of(model, generator_name())), generator_name());
    copy->train();
    const at::NoGradGuard no_grad;
    const at::Tensor input = placed(first, options_.swapped() ? "real_b" : "real_a", placement_);
    for (const auto& [name, recorded] : read_npz(path)) {
      if (name != "fake_B") fail("{}: has an array {}, but only fake_B is known", path.string(), name);
      comparison.elements("fake_B of step 1", run_network(*copy, input, placement_), recorded,
                          options_.strict() ? kStrictTolerance : kFirstStepTolerance);
    }
  }

 private:
  static constexpr const char* kDebugFile = "step1_debug.npz";

  std::string generator_name() const { return spec().pix2pix.generator_name(); }

  Pix2PixSpec spec() const {
    Pix2PixSpec spec;
    spec.pix2pix.lambda_l1 = options_.lambda_l1;
    spec.pix2pix.direction = options_.swapped() ? "b_to_a" : "a_to_b";
    spec.gan.gan_mode = options_.gan_mode;
    spec.gan.gp_weight = 0;  // nor does the reference's pix2pix add its gradient penalty
    spec.generator = options_.generator(options_.input_nc, options_.output_nc);
    spec.discriminator = options_.discriminator(options_.input_nc + options_.output_nc);
    spec.init = options_.init();
    spec.optimizer = options_.optimizer();
    return spec;
  }

  fs::path folder_;
  Pix2PixRecording options_;
  Placement placement_;
};

}  // namespace torsor::parity
