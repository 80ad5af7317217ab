// How good a discriminator is, whatever the GAN mode.
#pragma once

#include <optional>
#include <string>

namespace torsor {

/// Two values of GanLoss::discriminator().
struct DiscriminatorScale {
  double chance = 0;   // of the best that gives every image the same score: it tells nothing apart
  double perfect = 0;  // what the loss tends to as every image is told apart with certainty

  /// 1 by chance, towards 0 as all are told apart.
  double share(double loss) const { return (loss - perfect) / (chance - perfect); }
};

/// None for wgangp, kl, reverse_kl and pearson, whose losses have no lower bound. Throws UsageError for an
/// unknown mode.
std::optional<DiscriminatorScale> discriminator_scale(const std::string& gan_mode);

}  // namespace torsor
