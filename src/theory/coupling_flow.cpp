#include "theory/coupling_flow.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kLogScale = 0.7;  // |log| of a coordinate's scale at most

}  // namespace

CouplingFlow::CouplingFlow(std::int64_t d, Rng& rng) : half_(d / 2) {
  if (d < 2 || d % 2 != 0) fail("a coupling flow needs an even number of coordinates, and has {}", d);
  const double gain = 1.5 / std::sqrt(static_cast<double>(half_));
  for (Coupling& c : couplings_)
    for (at::Tensor* w : {&c.scale_in, &c.scale_out, &c.shift_in, &c.shift_out})
      *w = gain * random_normal(half_, half_, rng);
}

at::Tensor CouplingFlow::log_scale(const Coupling& c, const at::Tensor& other) {
  return kLogScale * at::tanh(at::matmul(at::tanh(at::matmul(other, c.scale_in)), c.scale_out));
}

at::Tensor CouplingFlow::shift(const Coupling& c, const at::Tensor& other) {
  return at::matmul(at::tanh(at::matmul(other, c.shift_in)), c.shift_out);
}

at::Tensor CouplingFlow::forward(const at::Tensor& z) const {
  at::Tensor first = z.narrow(1, 0, half_), second = z.narrow(1, half_, half_);
  second = second * at::exp(log_scale(couplings_[0], first)) + shift(couplings_[0], first);
  first = first * at::exp(log_scale(couplings_[1], second)) + shift(couplings_[1], second);
  return at::cat({first, second}, 1);
}

at::Tensor CouplingFlow::inverse(const at::Tensor& x) const {
  at::Tensor first = x.narrow(1, 0, half_), second = x.narrow(1, half_, half_);
  first = (first - shift(couplings_[1], second)) * at::exp(-log_scale(couplings_[1], second));
  second = (second - shift(couplings_[0], first)) * at::exp(-log_scale(couplings_[0], first));
  return at::cat({first, second}, 1);
}

at::Tensor CouplingFlow::log_det(const at::Tensor& z) const {
  const at::Tensor first = z.narrow(1, 0, half_);
  const at::Tensor second = forward(z).narrow(1, half_, half_);
  return log_scale(couplings_[0], first).sum(1) + log_scale(couplings_[1], second).sum(1);
}

at::Tensor random_normal(std::int64_t rows, std::int64_t columns, Rng& rng) {
  at::Tensor out = at::empty({rows, columns}, at::kDouble);
  double* v = out.data_ptr<double>();
  for (std::int64_t i = 0; i < rows * columns; ++i) v[i] = rng.normal();
  return out;
}

// Q of a normal matrix, with R's diagonal made positive, is uniform on O(d) (Mezzadri, 2007).
at::Tensor random_rotation(std::int64_t d, Rng& rng) {
  const auto [q, r] = at::linalg_qr(random_normal(d, d, rng));
  at::Tensor out = q * at::sign(at::diagonal(r)).unsqueeze(0);
  if (at::linalg_det(out).item<double>() < 0) out.select(1, 0).neg_();
  return out;
}

}  // namespace torsor
