// Weights of the reference (pytorch-CycleGAN-and-pix2pix) as torsor's own networks: names crossed, directions
// settled, options inferred.
#pragma once

#include <filesystem>

#include "interchange/weight_choice.h"
#include "model/model_file.h"

namespace torsor {

/// One .pth (a generator or a discriminator) or a whole folder checkpoints/<name>/ of the reference: of the
/// "latest" files, else of the highest epoch. Its G_A becomes g_a_to_b and G_B g_b_to_a; its D_A, the
/// discriminator of B, becomes d_b, D_B d_a; with direction BtoA in train_opt.txt the model's A is the data's
/// B and all names are swapped. A lone G (pix2pix, or copied for testing) is a generator of the direction
/// that train_opt.txt says, else of none. What neither keys nor train_opt.txt tell is assumed and listed in
/// `notes`. Throws Error naming the file, or the folder and what it lacks.
WeightSet read_reference(const std::filesystem::path& path, const WeightChoice& choice = {});

}  // namespace torsor
