#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "theory/translators.h"

namespace torsor {
namespace {

TEST(Translators, AMoveTakesTheMapBeforeGAndItsInverseAfterF) {
  // On the line: G x = 2x + 1 and its inverse F, phi x = 3x - 5.
  const Translators pair{[](const at::Tensor& x) { return 2 * x + 1; },
                         [](const at::Tensor& y) { return (y - 1) / 2; }};
  const Automorphism phi{[](const at::Tensor& x) { return 3 * x - 5; },
                         [](const at::Tensor& x) { return (x + 5) / 3; }};
  const Translators there = moved(pair, phi);
  const at::Tensor x = at::arange(4, at::kDouble);
  EXPECT_TRUE(at::allclose(there.a_to_b(x), 2 * (3 * x - 5) + 1));
  EXPECT_TRUE(at::allclose(there.b_to_a(x), ((x - 1) / 2 + 5) / 3));
  EXPECT_TRUE(at::allclose(there.b_to_a(there.a_to_b(x)), x)) << "the cycle stays what it was";
  EXPECT_TRUE(at::allclose(moved(there, {phi.inverse, phi.map}).a_to_b(x), pair.a_to_b(x)));
}

}  // namespace
}  // namespace torsor
