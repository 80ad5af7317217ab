// What keys leave open, decided by the user, by train_opt.txt, or by what is likelier.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "interchange/network_keys.h"
#include "interchange/train_opt.h"
#include "interchange/weight_choice.h"

namespace torsor {

/// What decides where the keys of a network leave something open. The user's choice takes precedence over the
/// recorded one; both must be compatible with the keys.
struct NetworkHints {
  WeightChoice choice;                       // the user's
  std::optional<ReferenceOptions> recorded;  // train_opt.txt beside the weights
};

struct NormDecision {
  std::string norm, conv_bias;  // as in GeneratorOptions
  std::string doubt;            // where nothing decided; begins with "warning:" if translations differ; or ""
};

/// The norm of a generator. Keys without any of it fit a network without norms, and one with instance norm,
/// of which the reference's have biased convolutions and those of others need not. Throws UsageError when the
/// user's choice, Error when the recorded one contradicts the keys.
NormDecision decide_norm(const NormKeys& keys, const NetworkHints& hints, const std::string& source);

/// The same of a discriminator, whose norm the user's choice need not be.
NormDecision decide_discriminator_norm(const NormKeys& keys, const NetworkHints& hints,
                                       const std::string& source);

/// Throws UsageError, or Error of what was recorded, where that is another generator than the keys' `net_g`
/// or another width.
void require_same_generator(const std::string& net_g, std::int64_t ngf, const NetworkHints& hints,
                            const std::string& source);

/// Whether there was dropout; `by_keys` is empty where they do not show it. Throws as decide_norm() does.
/// Where nothing decides, none is assumed, and a line of `notes` says so.
bool decide_dropout(std::optional<bool> by_keys, const NetworkHints& hints, const std::string& source,
                    std::vector<std::string>& notes);

}  // namespace torsor
