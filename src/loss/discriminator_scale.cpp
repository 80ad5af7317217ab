#include "loss/discriminator_scale.h"

#include <map>
#include <numbers>

#include "loss/gan_loss.h"

namespace torsor {

std::optional<DiscriminatorScale> discriminator_scale(const std::string& gan_mode) {
  gan_loss(gan_mode);  // refuses an unknown one
  constexpr double kLogFour = 2 * std::numbers::ln2;
  static const std::map<std::string, DiscriminatorScale> scales = {
      {"lsgan", {0.5, 0}},         // every score 1/2
      {"vanilla", {kLogFour, 0}},  // every score 0, as with all that follow
      {"minimax", {kLogFour, 0}},
      {"hinge", {2, 0}},
      // The best loss of an f-GAN is minus its divergence, whose largest values are 2 log 2 and 2.
      {"jensen_shannon", {0, -kLogFour}},
      {"squared_hellinger", {0, -2}}};
  const auto found = scales.find(gan_mode);
  if (found == scales.end()) return std::nullopt;
  return found->second;
}

}  // namespace torsor
