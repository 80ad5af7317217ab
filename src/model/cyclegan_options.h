// The options of CycleGAN's objective, and the identity term that follows from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/options.h"
#include "model/cure_options.h"
#include "model/transport_cost_options.h"

namespace torsor {

struct CycleGanOptions {
  double lambda_cycle_a = 10;
  double lambda_cycle_b = 10;
  double lambda_gan = 1;
  std::optional<double> lambda_gan_a, lambda_gan_b;
  std::optional<double> lambda_d_a, lambda_d_b;
  double lambda_gan_cycle = 0;
  double lambda_feature_cycle = 0;
  double lambda_feature_identity = 0;
  std::string cycle_norm = "l1";
  std::optional<double> lambda_identity;
  std::optional<double> alpha_id;
  std::int64_t pool_size = 50;
  std::string backward = "grouped";
  std::optional<std::int64_t> critic_steps;
  TransportCostOptions transport;
  CureOptions cures;

  void describe(OptionSet& o);
  void validate() const;

  /// Weights of the generators' adversarial losses: of A to B, by the discriminator of B, and of B to A.
  double gan_a_to_b() const { return lambda_gan_a.value_or(lambda_gan); }
  double gan_b_to_a() const { return lambda_gan_b.value_or(lambda_gan); }

 private:
  void describe_adversarial(OptionSet& o);
};

/// How the identity term is computed once the options are resolved.
struct IdentityTerm {
  double weight_a_to_b = 0;  // of idt_a, made by G_A->B
  double weight_b_to_a = 0;  // of idt_b, made by G_B->A
  bool source = false;  // true: G is fed its own input domain (S0-Q3); false: its target domain (Zhu et al.)
  bool on() const { return weight_a_to_b > 0 || weight_b_to_a > 0; }
};

/// The reference's form by default: target mode, lambda_identity 0.5 times lambda_cycle_b (for G_A->B) and
/// lambda_cycle_a (for G_B->A). alpha_id switches to the seed paper's: source mode, absolute weight. With
/// unequal channel counts the default is off (a line goes to `notice`); asking for it, or giving both, throws
/// UsageError.
IdentityTerm resolve_identity(const CycleGanOptions& options, std::int64_t channels_a,
                              std::int64_t channels_b, std::string& notice);

}  // namespace torsor
