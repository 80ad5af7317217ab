#include "model/critic_steps.h"

namespace torsor {

namespace {

constexpr std::int64_t kDefaultWassersteinCriticSteps = 5;  // Gulrajani et al. 2017

}  // namespace

std::int64_t critic_steps(const GanLoss& gan, std::optional<std::int64_t> asked) {
  return asked.value_or(gan.needs_penalty ? kDefaultWassersteinCriticSteps : 1);
}

void describe_critic_steps(OptionSet& o, std::optional<std::int64_t>& asked) {
  o.add("critic_steps", asked, "discriminator updates per generator update; 5 for wgangp, else 1")
      .range(1, 1000);
}

}  // namespace torsor
