// Shared by the tests of kernels: reorders to and from the blocked layout, noise, errors.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <vector>

#include "kernels/blocked.h"
#include "kernels/isa.h"

namespace torsor::testing {

/// Normal noise, the same for the same sequence of calls.
class Noise {
 public:
  at::Tensor operator()(const std::vector<std::int64_t>& sizes, double scale) {
    return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed_++)) * scale;
  }

 private:
  std::uint64_t seed_ = 1;
};

inline const float* in(const at::Tensor& t) { return t.const_data_ptr<float>(); }
inline float* out(const at::Tensor& t) { return t.data_ptr<float>(); }

/// Sizes [N,C,H,W], memory in the blocked layout.
inline at::Tensor blocked(const at::Tensor& planar) {
  at::Tensor result = at::empty_like(planar);
  to_blocked(planar.size(0), planar.size(1), planar.size(2) * planar.size(3), in(planar), out(result));
  return result;
}

inline at::Tensor planar(const at::Tensor& blocked) {
  at::Tensor result = at::empty_like(blocked);
  from_blocked(blocked.size(0), blocked.size(1), blocked.size(2) * blocked.size(3), in(blocked), out(result));
  return result;
}

/// Relative, in L2.
inline double error_of(const at::Tensor& got, const at::Tensor& right) {
  return ((got.to(at::kDouble) - right).norm() / right.norm()).item<double>();
}

/// The supported ones but for plain.
inline std::vector<Isa> fast_isas() {
  std::vector<Isa> all = supported_isas();
  all.erase(all.begin());
  return all;
}

/// The number of threads of both libraries, for its lifetime.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) {
    at::set_num_threads(count);
    EXPECT_EQ(omp_get_max_threads(), count) << "kernels and libtorch do not share their threads";
  }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

/// libtorch's autocast to bfloat16, for its lifetime.
class Autocast {
 public:
  Autocast() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
};

}  // namespace torsor::testing
