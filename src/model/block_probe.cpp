#include "model/block_probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "nn/engine.h"
#include "nn/flow.h"

namespace torsor {

namespace {

constexpr std::int64_t kProbeWidth = 4;
constexpr std::uint64_t kProbeSeed = 1;
// A norm's eps of 1e-5 beside variances of about 1; a residual that is free comes this near by chance once in
// thousands, and all of a generator's do not.
constexpr double kProbeTolerance = 1e-3;

// Gains and shifts too: those that an initialisation sets to 1 and 0 would hide that there are any.
void randomise(torch::nn::Module& module, at::Generator random) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : module.parameters()) parameter.normal_(0, 1, random);
}

std::optional<std::vector<at::Tensor>> residuals_of(Generator& generator, const at::Tensor& x) {
  std::vector<at::Tensor> residuals;
  try {
    generator.forward_with_residuals(x, residuals);
  } catch (const Error&) {
    return std::nullopt;  // its word for having none
  }
  return residuals;
}

}  // namespace

BlockKind probe_blocks(const GeneratorOptions& options) {
  // A flow has no norm, and one with random weights can be too stiff for its solver.
  if (is_invertible(options)) return BlockKind::free;
  GeneratorOptions narrow = options;
  narrow.ngf = std::min(options.ngf, kProbeWidth);
  const std::shared_ptr<Generator> generator = make_generator(narrow);
  auto random = at::make_generator<at::CPUGeneratorImpl>(kProbeSeed);
  randomise(*generator, random);
  generator->to(at::kDouble);
  generator->eval();
  const std::int64_t side = generator->size_rule().minimum;
  const at::Tensor x = at::empty({1, narrow.in_channels, side, side}, at::kDouble).uniform_(-1, 1, random);
  const at::NoGradGuard no_grad;
  const auto residuals = residuals_of(*generator, x);
  if (!residuals || residuals->empty()) return BlockKind::none;
  const bool normed = std::all_of(residuals->begin(), residuals->end(), [](const at::Tensor& r) {
    return std::abs(r.square().mean().item<double>() - 1) < kProbeTolerance;
  });
  return normed ? BlockKind::normed : BlockKind::free;
}

}  // namespace torsor
