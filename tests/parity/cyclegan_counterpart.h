// Recorded trainings of the reference's cycle_gan.
#pragma once

#include "model/cyclegan.h"
#include "parity/counterpart.h"

namespace torsor::parity {

struct CycleGanRecording : ReferenceOptions {
  double lambda_a = 10, lambda_b = 10, lambda_identity = 0.5;

  void describe(OptionSet& o) {
    describe_shared(o);
    describe_norm(o);
    o.add("lambda_A", lambda_a, "").at_least(0);
    o.add("lambda_B", lambda_b, "").at_least(0);
    o.add("lambda_identity", lambda_identity, "").at_least(0);
  }
};

/// Plays back what the reference's two buffers drew.
class RecordedDraws : public PoolDraws {
 public:
  explicit RecordedDraws(const fs::path& path) : path_(path) {
    if (fs::exists(path)) draws_ = read_json(path);
    if (!draws_.is_array() && !draws_.is_null()) fail("{}: is not a list of draws", path.string());
  }
  double uniform() override { return next("uniform").get<double>(); }
  std::int64_t index(std::int64_t n) override {
    const auto value = next("index").get<std::int64_t>();
    if (value < 0 || value >= n)
      fail("{}: draw {} is the index {} of {} images", path_.string(), position_, value, n);
    return value;
  }
  std::size_t left() const { return draws_.size() - position_; }

 private:
  const Json& next(const std::string& kind) {
    if (position_ >= draws_.size())
      fail("{}: {} draws are recorded, but the buffers want another ({})", path_.string(), draws_.size(),
           kind);
    const Json& draw = draws_[position_++];
    if (!draw.is_array() || draw.size() != 2 || draw[0] != kind)
      fail("{}: draw {} is {}, but the buffers want a draw of '{}'", path_.string(), position_, draw.dump(),
           kind);
    return draw[1];
  }

  fs::path path_;
  Json draws_;
  std::size_t position_ = 0;
};

class CycleGanCounterpart : public Counterpart {
 public:
  explicit CycleGanCounterpart(const fs::path& folder)
      : folder_(folder), options_(read_recorded_options<CycleGanRecording>(folder / "options.json")) {}

  const ReferenceOptions& options() const override { return options_; }
  /// The reference's netD_A is the discriminator of B: it is our d_b.
  Names network_names() const override {
    return {{"G_A", "g_a_to_b"}, {"G_B", "g_b_to_a"}, {"D_A", "d_b"}, {"D_B", "d_a"}};
  }
  Names loss_names() const override {
    return {{"D_A", "d_b"}, {"G_A", "g_a_to_b"}, {"cycle_A", "cycle_a"}, {"idt_A", "idt_a"},
            {"D_B", "d_a"}, {"G_B", "g_b_to_a"}, {"cycle_B", "cycle_b"}, {"idt_B", "idt_b"}};
  }
  std::set<std::string> files() const override { return {"pool_draws.json"}; }

  std::shared_ptr<Network> network(const std::string& ours) const override {
    const CycleGanSpec of = spec();
    if (ours == "g_a_to_b") return make_generator(of.g_a_to_b);
    if (ours == "g_b_to_a") return make_generator(of.g_b_to_a);
    return make_discriminator(ours == "d_a" ? of.d_a : of.d_b);
  }

  std::unique_ptr<Model> make(const Way& way, const Placement& placement) override {
    CycleGanSpec of = spec();
    of.cyclegan.backward = way.backward;
    auto model = std::make_unique<CycleGan>(of, placement, /*seed=*/0);
    auto draws = std::make_unique<RecordedDraws>(folder_ / "pool_draws.json");
    draws_ = draws.get();
    model->set_pool_draws(std::move(draws));
    return model;
  }

  void check_all_used() const override {
    if (draws_->left() > 0) fail("{}: {} recorded draws were not made", folder_.string(), draws_->left());
  }

 private:
  CycleGanSpec spec() const {
    CycleGanSpec spec;
    spec.g_a_to_b = options_.generator(options_.input_nc, options_.output_nc);
    spec.g_b_to_a = options_.generator(options_.output_nc, options_.input_nc);
    spec.d_b = options_.discriminator(options_.output_nc);
    spec.d_a = options_.discriminator(options_.input_nc);
    spec.cyclegan.lambda_cycle_a = options_.lambda_a;
    spec.cyclegan.lambda_cycle_b = options_.lambda_b;
    spec.cyclegan.lambda_identity = options_.lambda_identity;
    spec.cyclegan.pool_size = options_.pool_size;
    spec.cyclegan.critic_steps = 1;
    spec.gan.gan_mode = options_.gan_mode;
    spec.gan.gp_weight = 0;  // the reference's cycle_gan never calls its gradient penalty
    spec.init = options_.init();
    spec.optimizer = options_.optimizer();
    return spec;
  }

  fs::path folder_;
  CycleGanRecording options_;
  const RecordedDraws* draws_ = nullptr;  // the model's
};

}  // namespace torsor::parity
