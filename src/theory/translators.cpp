#include "theory/translators.h"

#include <ATen/core/Tensor.h>

namespace torsor {

Translators moved(const Translators& pair, const Automorphism& phi) {
  return {[g = pair.a_to_b, map = phi.map](const at::Tensor& x) { return g(map(x)); },
          [f = pair.b_to_a, inverse = phi.inverse](const at::Tensor& y) { return inverse(f(y)); }};
}

}  // namespace torsor
