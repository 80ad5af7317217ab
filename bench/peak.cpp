// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include "bench/peak.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// `rounds` times 12 independent fused multiply-adds of a whole vector; returns the number of floating-point
// operations.
double multiply_and_add(std::int64_t rounds, float* out) {
  constexpr int kChains = 12;
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  const auto x = hn::Set(d, 0.999F), y = hn::Set(d, 0.001F);
  for (std::int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = hn::MulAdd(sums[i], x, y);
  auto all = sums[0];
  for (int i = 1; i < kChains; ++i) all = hn::Add(all, sums[i]);
  hn::StoreU(all, d, out);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/error.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

double operations(Isa isa, Operands operands, std::int64_t rounds, float* out) {
  if (operands == Operands::bf16) return multiply_tiles(rounds);
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::multiply_and_add(rounds, out);
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::multiply_and_add(rounds, out);
#endif
  fail("the peak of {} is not measured", isa_name(isa));
}

}  // namespace

double measured_peak(Isa isa, Operands operands) {
  constexpr std::int64_t kRounds = 4'000'000;
  constexpr int kRepeats = 5;
  const int threads = omp_get_max_threads();
  std::vector<float> sinks(static_cast<std::size_t>(threads) * 64);
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> done(static_cast<std::size_t>(threads));
    const auto start = std::chrono::steady_clock::now();
    for_each_parallel(threads, [&](std::int64_t t) {
      done[static_cast<std::size_t>(t)] = operations(isa, operands, kRounds, sinks.data() + t * 64);
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    double sum = 0;
    for (const double d : done) sum += d;
    best = std::max(best, sum / seconds.count() * 1e-9);
  }
  return best;
}

}  // namespace torsor

#endif
