#include "audit/generator_blocks.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kBlockBatch = 8;  // images whose residuals are held together

}  // namespace

GeneratorBlocks generator_blocks(Generator& generator, const at::Tensor& images, const SampleUnits& units,
                                 const Placement& placement, const StopFlag& stop) {
  const at::NoGradGuard no_grad;
  std::vector<BlockEnergy> batches;
  try {
    for (const at::Tensor& batch : images.split(kBlockBatch)) {
      check_stop(stop);
      std::vector<at::Tensor> residuals;
      const AutocastScope autocast(placement);
      generator.forward_with_residuals(batch.to(placement.device, placement.dtype), residuals);
      batches.push_back(block_energy(residuals));
    }
  } catch (const StoppedError&) {
    throw;
  } catch (const Error& error) {  // how a generator says that it has no such blocks
    return {std::nullopt, error.what()};
  }
  return {block_measures(joined(batches), units)};
}

}  // namespace torsor
