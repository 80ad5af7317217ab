// How often a discriminator steps for each step of the generators.
#pragma once

#include <cstdint>
#include <optional>

#include "core/options.h"
#include "loss/gan_loss.h"

namespace torsor {

/// Batches of discriminator updates per generator update: `asked`, else 5 for a loss with a gradient penalty
/// (Gulrajani et al. 2017) and 1 for others.
std::int64_t critic_steps(const GanLoss& gan, std::optional<std::int64_t> asked);

/// Declares what is asked of it.
void describe_critic_steps(OptionSet& o, std::optional<std::int64_t>& asked);

}  // namespace torsor
