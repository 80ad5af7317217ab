// Shared by the tests of the losses: scores, means element by element, and the f-divergences as they are
// printed.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "loss/gan_loss.h"

namespace torsor {

inline constexpr double kTolerance = 1e-12;

/// Seeded N(0, 2) scores in double precision.
inline at::Tensor scores(at::IntArrayRef shape, std::uint64_t seed) {
  return at::empty(shape, at::kDouble).normal_(0, 2, at::make_generator<at::CPUGeneratorImpl>(seed));
}

/// The mean of f over all elements.
inline double mean_of(const at::Tensor& x, const std::function<double(double)>& f) {
  const at::Tensor flat = x.detach().contiguous().view(-1);
  double sum = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) sum += f(flat.const_data_ptr<double>()[i]);
  return sum / static_cast<double>(flat.numel());
}

inline double sigmoid(double s) { return 1 / (1 + std::exp(-s)); }
inline double square(double s) { return s * s; }

/// Nowozin et al. 2016, tables 1, 2 and 6: the function f, its conjugate and the output activation.
struct Divergence {
  std::function<double(double)> f, conjugate, activation;
};

inline const std::map<std::string, Divergence>& divergences() {
  static const std::map<std::string, Divergence> table = {
      {"kl",
       {[](double u) { return u * std::log(u); }, [](double t) { return std::exp(t - 1); },
        [](double v) { return v; }}},
      {"reverse_kl",
       {[](double u) { return -std::log(u); }, [](double t) { return -1 - std::log(-t); },
        [](double v) { return -std::exp(-v); }}},
      {"jensen_shannon",
       {[](double u) { return -(u + 1) * std::log((1 + u) / 2) + u * std::log(u); },
        [](double t) { return -std::log(2 - std::exp(t)); },
        [](double v) { return std::log(2) - std::log(1 + std::exp(-v)); }}},
      {"squared_hellinger",
       {[](double u) { return square(std::sqrt(u) - 1); }, [](double t) { return t / (1 - t); },
        [](double v) { return 1 - std::exp(-v); }}},
      {"pearson",
       {[](double u) { return square(u - 1); }, [](double t) { return t * t / 4 + t; },
        [](double v) { return v; }}},
  };
  return table;
}

}  // namespace torsor
