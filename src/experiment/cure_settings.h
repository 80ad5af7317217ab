// How the runs of cure_runs.h are configured.
#pragma once

#include <cstdint>
#include <filesystem>

#include "experiment/cure_runs.h"
#include "train/config.h"

namespace torsor {

/// The training of a case with this seed; what its files name has to be written.
TrainConfig cure_config(const CureCase& one, std::uint64_t seed, const CureScale& scale,
                        const std::filesystem::path& out);

}  // namespace torsor
