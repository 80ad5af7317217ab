#include "kernels/conv3x3.h"

namespace torsor {

const float* Conv3x3::transformed_input(const float* x) {
  float* in = input_.at_least(winograd_.in_floats());
  winograd_.for_each_plane(winograd_.in_blocks(),
                           [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
                             winograd_.input_plane(n, block, x + plane * winograd_.plane_floats(), in);
                           });
  return in;
}

const float* Conv3x3::transformed_gradient(const float* dy) {
  float* out = gradient_.at_least(winograd_.out_floats());
  winograd_.for_each_plane(
      winograd_.out_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
        winograd_.output_gradient_plane(n, block, dy + plane * winograd_.plane_floats(), out);
      });
  return out;
}

void Conv3x3::forward(const float* x, const float* transformed, float* y) {
  const float* in = transformed_input(x);
  float* out = product_.at_least(winograd_.out_floats());
  winograd_.multiply(in, transformed, out);
  winograd_.for_each_plane(winograd_.out_blocks(),
                           [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
                             winograd_.output_plane(n, block, out, y + plane * winograd_.plane_floats());
                           });
}

void Conv3x3::fold(const float* gradient, const float* transformed, float* dx) {
  float* in = product_.at_least(winograd_.in_floats());
  winograd_.multiply_backward(gradient, transformed, in);
  winograd_.for_each_plane(
      winograd_.in_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
        thread_local FloatBuffer scratch;
        winograd_.input_gradient_plane(n, block, in, scratch.at_least(winograd_.scratch_floats()),
                                       dx + plane * winograd_.plane_floats());
      });
}

void Conv3x3::input_gradient(const float* dy, const float* transformed, float* dx) {
  fold(transformed_gradient(dy), transformed, dx);
}

void Conv3x3::weight_gradient(const float* x, const float* dy, float* dw) {
  const float *in = transformed_input(x), *out = transformed_gradient(dy);
  winograd_.multiply_weights(in, out, weights_.at_least(winograd_.weight_floats()), dw);
}

void Conv3x3::gradients(const float* x, const float* dy, const float* transformed, float* dx, float* dw) {
  weight_gradient(x, dy, dw);
  fold(gradient_.at_least(0), transformed, dx);
}

}  // namespace torsor
