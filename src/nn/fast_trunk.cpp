#include "nn/fast_trunk.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>

#include "kernels/bf16_conv3x3.h"
#include "kernels/residual_trunk.h"
#include "kernels/winograd.h"
#include "nn/fast_tensors.h"
#include "nn/layers.h"
#include "nn/weight_version.h"

namespace torsor {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

const float* in(const Tensor& t) { return t.const_data_ptr<float>(); }
float* out(const Tensor& t) { return t.data_ptr<float>(); }

TrunkShape shape_of(const Tensor& x, std::size_t convolutions) {
  const ImageSizes s = sizes_of(x);
  return {s.batch, s.channels, s.height, s.width, static_cast<std::int64_t>(convolutions / 2)};
}

// The blocks by libtorch, from x, the weights, and gain and shift of each affine norm: the sum, then every
// block's residual, all blocked.
variable_list trunk_by_libtorch(const variable_list& inputs, std::size_t convolutions) {
  const std::vector<std::int64_t> one = {1, 1, 1, 1};
  const auto half = [&](const Tensor& v, std::size_t conv) {
    const std::size_t norm = 1 + convolutions + 2 * conv;
    const NormTensors parameters =
        norm < inputs.size() ? NormTensors{inputs[norm], inputs[norm + 1]} : NormTensors();
    return normed_by_libtorch(at::conv2d(at::reflection_pad2d(v, one), inputs[1 + conv]), parameters);
  };
  Tensor sum = to_planar_tensor(inputs[0]);
  variable_list outputs(1);
  for (std::size_t conv = 0; conv < convolutions; conv += 2) {
    const Tensor residual = half(at::relu(half(sum, conv)), conv + 1);
    outputs.push_back(to_blocked_tensor(residual));
    sum = sum + residual;
  }
  outputs[0] = to_blocked_tensor(sum);
  return outputs;
}

}  // namespace

struct FastTrunk::State {
  struct KernelKind {
    TrunkShape shape;
    Operands operands;
    bool operator==(const KernelKind&) const = default;
  };

  std::vector<Tensor> weights, biases;
  std::vector<NormTensors> norms;  // of each convolution, or none
  Isa isa;
  std::mutex mutex;
  std::array<std::vector<KeptWeight>, 2> transformed;                       // for each operand type
  std::vector<std::pair<KernelKind, std::unique_ptr<ResidualTrunk>>> idle;  // not in use

  // A kernel of this kind for exclusive use.
  std::unique_ptr<ResidualTrunk> borrow(const KernelKind& kind) {
    const std::lock_guard lock(mutex);
    const auto found =
        std::find_if(idle.begin(), idle.end(), [&](const auto& entry) { return entry.first == kind; });
    if (found == idle.end()) {
      idle.clear();  // of another kind: their memory matters more than the time to allocate it again
      return std::make_unique<ResidualTrunk>(kind.shape, isa, kind.operands);
    }
    std::unique_ptr<ResidualTrunk> kernel = std::move(found->second);
    idle.erase(found);
    return kernel;
  }

  void give_back(const KernelKind& kind, std::unique_ptr<ResidualTrunk> kernel) {
    const std::lock_guard lock(mutex);
    idle.emplace_back(kind, std::move(kernel));
  }

  std::vector<NormParameters> norm_parameters() const {
    std::vector<NormParameters> all;
    for (const NormTensors& norm : norms) all.push_back(norm.pointers());
    return all;
  }

  // Gain and shift of each.
  std::vector<Tensor> norm_tensors() const {
    std::vector<Tensor> all;
    for (const NormTensors& norm : norms) all.insert(all.end(), {norm.gain, norm.shift});
    return all;
  }

  std::vector<const float*> transformed_weights(const PlaneConv& conv, Operands operands) {
    const std::lock_guard lock(mutex);
    std::vector<KeptWeight>& kept = transformed[static_cast<std::size_t>(operands)];
    kept.resize(weights.size());
    std::vector<const float*> all;
    for (std::size_t i = 0; i < weights.size(); ++i)
      all.push_back(kept[i].current(weights[i], conv.weight_floats(), [&](const float* weight, float* form) {
        conv.transform_weights(weight, form);
      }));
    return all;
  }
};

namespace {

using State = FastTrunk::State;

// A borrowed kernel.
class Loan {
 public:
  Loan(State& state, const State::KernelKind& kind)
      : state_(state), kind_(kind), kernel_(state.borrow(kind)) {}
  ~Loan() { state_.give_back(kind_, std::move(kernel_)); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ResidualTrunk* operator->() const { return kernel_.get(); }
  std::vector<const float*> weights() const {
    return state_.transformed_weights(kernel_->convolution(), kind_.operands);
  }

 private:
  State& state_;
  State::KernelKind kind_;
  std::unique_ptr<ResidualTrunk> kernel_;
};

// What a forward pass saves: blocked images, the inputs of all blocks but the first, then the output of each
// norm; and the norms' scales.
struct Kept {
  variable_list inputs, normalised, scales;

  static Kept of(const Tensor& x, std::size_t convolutions) {
    Kept kept;
    const ImageSizes sizes = sizes_of(x);
    for (std::size_t i = 2; i < convolutions; i += 2)
      kept.inputs.push_back(at::empty(x.sizes(), x.options()));
    for (std::size_t i = 0; i < convolutions; ++i) {
      kept.normalised.push_back(at::empty(x.sizes(), x.options()));
      kept.scales.push_back(at::empty({sizes.batch, sizes.channels}, x.options()));
    }
    return kept;
  }

  void append_residuals(const std::vector<NormTensors>& norms, variable_list& list) const {
    const auto of_blocks = [](const Tensor& values) { return values.reshape({1, -1, 1, 1, kBlock}); };
    for (std::size_t i = 1; i < normalised.size(); i += 2)
      list.push_back(norms.empty()
                         ? normalised[i]
                         : at::addcmul(of_blocks(norms[i].shift), normalised[i], of_blocks(norms[i].gain)));
  }

  ResidualTrunk::Record record() const {
    const auto places = [](const variable_list& tensors) {
      std::vector<float*> all;
      for (const Tensor& t : tensors) all.push_back(out(t));
      return all;
    };
    return {places(inputs), places(normalised), places(scales)};
  }
};

// x, blocked -> the blocks' sum; fills `kept` unless it is null.
Tensor compute(State& state, const Tensor& x, Operands operands, const Kept* kept) {
  const Tensor image = aligned_contiguous(x);
  Tensor sum = at::empty(x.sizes(), x.options());
  const Loan kernel(state, {shape_of(x, state.weights.size()), operands});
  const std::vector<const float*> weights = kernel.weights();
  if (kept == nullptr) {
    kernel->forward(in(image), weights, state.norm_parameters(), nullptr, out(sum));
  } else {
    const ResidualTrunk::Record record = kept->record();
    kernel->forward(in(image), weights, state.norm_parameters(), &record, out(sum));
  }
  return sum;
}

// Whether each block's residual is an output too.
enum class Outputs { sum, sum_and_residuals };

class TrunkFunction : public torch::autograd::Function<TrunkFunction> {
 public:
  // Outputs: the sum, then every block's residual where wanted.
  static variable_list forward(AutogradContext* ctx, const Tensor& x, at::TensorList weights,
                               at::TensorList biases, at::TensorList norms,
                               const std::shared_ptr<State>& state, Operands operands, Outputs wanted) {
    const Kept kept = Kept::of(x, weights.size());
    variable_list outputs = {compute(*state, x, operands, &kept)}, saved = {x};
    if (wanted == Outputs::sum_and_residuals) kept.append_residuals(state->norms, outputs);
    for (const at::TensorList more : {weights, norms, at::TensorList(kept.inputs),
                                      at::TensorList(kept.normalised), at::TensorList(kept.scales)})
      saved.insert(saved.end(), more.begin(), more.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["convolutions"] = static_cast<std::int64_t>(weights.size());
    ctx->saved_data["biases"] = static_cast<std::int64_t>(biases.size());
    ctx->saved_data["norms"] = static_cast<std::int64_t>(norms.size());
    ctx->saved_data["operands"] = static_cast<std::int64_t>(operands);
    ctx->saved_data["state"] = held(state);
    ctx->set_materialize_grads(false);
    return outputs;
  }

  // Gradients of x, of the weights, of the biases, of the norms' parameters; other inputs have none.
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto convolutions = static_cast<std::size_t>(ctx->saved_data["convolutions"].toInt());
    const variable_list saved = ctx->get_saved_variables();  // throws where a weight was modified in place
    const auto with_gradients =
        static_cast<std::ptrdiff_t>(1 + convolutions) + ctx->saved_data["norms"].toInt();
    variable_list results =
        at::GradMode::is_enabled()
            ? gradients_by_libtorch(
                  {saved.begin(), saved.begin() + with_gradients},
                  [&](const variable_list& inputs) { return trunk_by_libtorch(inputs, convolutions); },
                  gradients)
            : by_kernel(ctx, saved, convolutions, gradients);
    const auto biases = static_cast<std::size_t>(ctx->saved_data["biases"].toInt());
    variable_list of_biases;
    for (std::size_t i = 0; i < biases; ++i)
      of_biases.push_back(ctx->needs_input_grad(1 + convolutions + i)
                              ? at::zeros({sizes_of(saved[0]).channels}, saved[0].options())
                              : Tensor());
    results.insert(results.begin() + static_cast<std::ptrdiff_t>(1 + convolutions), of_biases.begin(),
                   of_biases.end());
    results.insert(results.end(), 3, Tensor());
    return results;
  }

 private:
  static variable_list by_kernel(AutogradContext* ctx, const variable_list& saved, std::size_t convolutions,
                                 const variable_list& gradients) {
    const std::shared_ptr<State> state = state_held<State>(ctx->saved_data["state"]);
    const Tensor x = aligned_contiguous(saved[0]);
    const auto norms = static_cast<std::size_t>(ctx->saved_data["norms"].toInt());
    const Kept kept = kept_in(saved, convolutions, norms);
    variable_list results(1), of_residuals;
    std::vector<const float*> residual_places;
    for (std::size_t b = 0; b + 1 < gradients.size(); ++b) {
      const Tensor& gradient = gradients[b + 1];
      of_residuals.push_back(gradient.defined() ? aligned_contiguous(gradient) : Tensor());
      residual_places.push_back(gradient.defined() ? in(of_residuals.back()) : nullptr);
    }
    std::vector<float*> weight_places;
    for (std::size_t i = 0; i < convolutions; ++i) {
      const bool wanted = ctx->needs_input_grad(i + 1);
      results.push_back(wanted ? at::empty(saved[i + 1].sizes(), saved[i + 1].options()) : Tensor());
      weight_places.push_back(wanted ? out(results.back()) : nullptr);
    }
    const Tensor dy = gradients[0].defined() ? aligned_contiguous(gradients[0]) : at::zeros_like(x);
    const Tensor dx = at::empty(x.sizes(), x.options());
    const auto operands = static_cast<Operands>(ctx->saved_data["operands"].toInt());
    const Loan kernel(*state, {shape_of(x, convolutions), operands});
    variable_list sums;
    std::vector<float*> sum_places;
    for (std::size_t i = 0; 2 * i < norms; ++i) {
      sums.push_back(empty_norm_sums(x));
      sum_places.push_back(out(sums.back()));
    }
    kernel->backward(in(x), kept.record(), kernel.weights(), state->norm_parameters(), in(dy),
                     residual_places, out(dx), weight_places, sum_places);
    results[0] = dx;
    for (const Tensor& sum : sums) {
      const NormTensors of_norm = norm_gradients(sum);
      results.insert(results.end(), {of_norm.gain, of_norm.shift});
    }
    return results;
  }

  static Kept kept_in(const variable_list& saved, std::size_t convolutions, std::size_t norms) {
    auto at = saved.begin() + static_cast<std::ptrdiff_t>(1 + convolutions + norms);
    const auto take = [&](std::size_t count) {
      const auto first = at;
      at += static_cast<std::ptrdiff_t>(count);
      return variable_list(first, at);
    };
    Kept kept;
    kept.inputs = take(convolutions / 2 - 1);
    kept.normalised = take(convolutions);
    kept.scales = take(convolutions);
    return kept;
  }
};

}  // namespace

FastTrunk::FastTrunk(variable_list weights, variable_list biases, Isa isa, std::vector<NormTensors> norms)
    : state_(std::make_shared<State>()) {
  state_->norms = std::move(norms);
  state_->weights = std::move(weights);
  state_->biases = std::move(biases);
  state_->isa = isa;
}

FastTrunk::~FastTrunk() = default;

bool FastTrunk::supports(const Tensor& x) const {
  if ((x.dim() != 4 && !is_blocked(x)) || !is_cpu_float(x) || !wanted_operands(state_->isa)) return false;
  const TrunkShape shape = shape_of(x, state_->weights.size());
  const std::vector<std::int64_t> wanted = {shape.channels, shape.channels, 3, 3};
  return !state_->weights.empty() && is_supported(shape.convolution()) &&
         std::all_of(state_->norms.begin(), state_->norms.end(),
                     [&](const NormTensors& norm) { return is_supported(norm, shape.channels); }) &&
         std::all_of(state_->weights.begin(), state_->weights.end(), [&](const Tensor& w) {
           return is_cpu_float(w) && w.is_contiguous() && w.sizes() == at::IntArrayRef(wanted);
         });
}

Tensor FastTrunk::forward(const Tensor& x, variable_list* residuals) const {
  if (!supports(x)) throw std::logic_error("FastTrunk: unsupported tensor");
  const Tensor image = to_blocked_tensor(x);
  const Operands operands = is_supported_in_bf16(shape_of(x, state_->weights.size()).convolution())
                                ? *wanted_operands(state_->isa)
                                : Operands::fp32;
  variable_list made;  // residuals, blocked
  Tensor sum;
  variable_list inputs = {image};
  const variable_list norms = state_->norm_tensors();
  for (const variable_list* more :
       std::initializer_list<const variable_list*>{&state_->weights, &state_->biases, &norms})
    inputs.insert(inputs.end(), more->begin(), more->end());
  if (wants_gradient(inputs)) {
    made = TrunkFunction::apply(image, at::TensorList(state_->weights), at::TensorList(state_->biases),
                                at::TensorList(norms), state_, operands,
                                residuals == nullptr ? Outputs::sum : Outputs::sum_and_residuals);
    sum = made.front();
    made.erase(made.begin());
  } else if (residuals == nullptr) {
    sum = compute(*state_, image, operands, nullptr);
  } else {
    const Kept kept = Kept::of(image, state_->weights.size());
    sum = compute(*state_, image, operands, &kept);
    kept.append_residuals(state_->norms, made);
  }
  if (residuals != nullptr)
    for (const Tensor& residual : made) residuals->push_back(to_planar_tensor(residual));
  return is_blocked(x) ? sum : to_planar_tensor(sum);
}

void FastTrunk::invalidate() {
  const std::lock_guard lock(state_->mutex);
  for (std::vector<KeptWeight>& of_operands : state_->transformed)
    for (KeptWeight& weight : of_operands) weight.forget();
}

}  // namespace torsor
