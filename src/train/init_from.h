// Fine-tuning: a new run that begins with the weights of another model.
#pragma once

#include "core/log.h"
#include "model/model.h"
#include "model/model_file.h"

namespace torsor {

/// The options of a training run that give it the networks of the set, as keys of a configuration: net_g,
/// ngf, norm, dropout, output_activation, channels_a, channels_b, scaling, and with a discriminator
/// net_d, ndf, n_layers_d.
Json network_options(const WeightSet& set);

/// Copies the weights that fit into the model's networks, tensor by tensor, and logs for each network what
/// was copied, what was not and why; a network that the set does not have keeps its initialisation. A
/// generator of no known direction becomes that from a to b, or the only one; a discriminator of no known
/// domains the only one. Throws Error when not a single tensor fits. `networks` describes those of the model.
void take_weights(Model& model, const std::vector<NetworkInfo>& networks, const WeightSet& set, LogSink& log);

}  // namespace torsor
