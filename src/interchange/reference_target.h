// Weights for the reference: files that it loads with strict=True.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/model_file.h"

namespace torsor {

/// What was written, and how the reference is told to use it.
struct ReferenceExport {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> notes;
};

enum class Existing { keep, replace };

/// One generator as a .pth. Throws Error naming the file, UsageError for a direction the set does not have,
/// Error for a network that the reference cannot express (an output that is not tanh). Biases that it has in
/// front of an instance norm and the network has not are written as zeros.
ReferenceExport write_reference_generator(const WeightSet& set, const std::string& direction,
                                          const std::filesystem::path& path);

/// A folder as the reference's checkpoints/<name>/: latest_net_G_A.pth (a_to_b), latest_net_G_B.pth (b_to_a),
/// latest_net_D_A.pth (the discriminator of B: the reference names it by the generator it trains),
/// latest_net_D_B.pth, those that the set has, and train_opt.txt. Where a discriminator sees pairs, pix2pix's
/// latest_net_G.pth and latest_net_D.pth, and where patches' features are projected CUT's, latest_net_F.pth
/// among them. Throws Error; also for a file that exists
/// and is to be kept.
ReferenceExport write_reference_folder(const WeightSet& set, const std::filesystem::path& folder,
                                       Existing existing);

}  // namespace torsor
