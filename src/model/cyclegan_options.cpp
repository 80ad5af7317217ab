#include "model/cyclegan_options.h"

#include "core/error.h"
#include "loss/distance.h"
#include "model/critic_steps.h"

namespace torsor {

namespace {

constexpr double kDefaultLambdaIdentity = 0.5;

}  // namespace

void CycleGanOptions::describe(OptionSet& o) {
  o.add("lambda_cycle_a", lambda_cycle_a, "weight of the cycle A to B to A; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("lambda_cycle_b", lambda_cycle_b, "weight of the cycle B to A to B; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  describe_adversarial(o);
  o.add("cycle_norm", cycle_norm,
        "cycle and identity losses; l1: mean |x - y|; l2: mean (x - y)^2; euclidean: the root of the sum of "
        "(x - y)^2 of each image. The papers' bounds hold for norms, as l1 and euclidean are and l2 is not; "
        "euclidean grows with the root of the number of samples in an image and wants smaller weights")
      .choices(distance_norms());
  o.add("lambda_feature_cycle", lambda_feature_cycle,
        "weight of both cycles compared by features, which are what the last layer of that domain's "
        "discriminator sees; 0 = off")
      .at_least(0)
      .changeable();
  o.add("lambda_feature_identity", lambda_feature_identity,
        "weight of the identity losses compared by those features; 0 = off")
      .at_least(0)
      .changeable();
  o.add("lambda_identity", lambda_identity,
        "identity loss as in the reference: each generator fed its target domain, weight relative to the "
        "cycle's; 0.5 unless --alpha-id is given; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("alpha_id", alpha_id,
        "identity loss as in Moriakov et al.: each generator fed its own input domain, absolute weight; "
        "switches --lambda-identity off")
      .at_least(0)
      .changeable();
  o.add("pool_size", pool_size, "generated images kept to show the discriminators again; 0 = off")
      .at_least(0);
  o.add("backward", backward,
        "grouped: losses that share no pass through a generator go backward one after the other, so that two "
        "passes are kept at a time, not six; joint: all in one, in the reference's order; equal but for "
        "rounding")
      .choices({"grouped", "joint"})
      .changeable();
  describe_critic_steps(o, critic_steps);
  transport.describe(o);
  cures.describe(o);
}

void CycleGanOptions::describe_adversarial(OptionSet& o) {
  o.add("lambda_gan", lambda_gan, "weight of the adversarial losses of both directions; 0 = off")
      .at_least(0)
      .changeable();
  const auto add = [&](const char* name, std::optional<double>& weight, const std::string& help) {
    o.add(name, weight, help).at_least(0).changeable();
  };
  add("lambda_gan_a", lambda_gan_a,
      "that of A to B alone: of g_a_to_b against d_b; 0 = neither is computed [lambda_gan]");
  add("lambda_gan_b", lambda_gan_b,
      "that of B to A alone: of g_b_to_a against d_a; 0 = neither is computed [lambda_gan]");
  add("lambda_d_a", lambda_d_a,
      "weight of d_a, the loss of the discriminator of A; 0 = it stays as it begins [as the "
      "adversarial losses that the generators learn from it]");
  add("lambda_d_b", lambda_d_b, "weight of d_b, the loss of the discriminator of B, likewise");
  o.add("lambda_gan_cycle", lambda_gan_cycle,
        "weight of an adversarial loss of both cycles: the discriminators score the reconstructions too; 0 = "
        "off")
      .at_least(0)
      .changeable();
}

void CycleGanOptions::validate() const {
  transport.validate();
  cures.validate();
  if (lambda_identity && alpha_id)
    fail_usage("--lambda-identity and --alpha-id are two forms of the identity loss; give one of them");
  const bool cycles = lambda_cycle_a > 0 || lambda_cycle_b > 0 || lambda_feature_cycle > 0;
  const bool adversaries = gan_a_to_b() > 0 || gan_b_to_a() > 0 || lambda_gan_cycle > 0;
  if (!cycles && !adversaries && cures.anchor_weight() == 0)
    fail_usage("--lambda-gan, --lambda-cycle-a and --lambda-cycle-b are all 0: nothing would be learnt");
}

IdentityTerm resolve_identity(const CycleGanOptions& o, std::int64_t channels_a, std::int64_t channels_b,
                              std::string& notice) {
  o.validate();
  const bool by_features = o.lambda_feature_identity > 0;
  const bool asked = o.lambda_identity.value_or(0) > 0 || o.alpha_id.value_or(0) > 0 || by_features;
  if (channels_a != channels_b) {
    if (asked)
      fail_usage(
          "{}: the identity loss compares input and output, which here have {} and {} channels; set it to 0",
          by_features  ? "--lambda-feature-identity"
          : o.alpha_id ? "--alpha-id"
                       : "--lambda-identity",
          channels_a, channels_b);
    if (!o.lambda_identity && !o.alpha_id)
      notice =
          fmt::format("the identity loss is off: A has {} channels and B has {}", channels_a, channels_b);
    return {};
  }
  if (o.alpha_id) return {*o.alpha_id, *o.alpha_id, /*source=*/true};
  const double relative = o.lambda_identity.value_or(kDefaultLambdaIdentity);
  return {o.lambda_cycle_b * relative, o.lambda_cycle_a * relative, /*source=*/false};
}

}  // namespace torsor
