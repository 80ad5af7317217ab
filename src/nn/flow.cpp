#include "nn/flow.h"

#include <ATen/ATen.h>

#include <optional>
#include <stdexcept>

#include "core/error.h"
#include "nn/velocity.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostFlowBlocks = 64;

// Values of a graph, and their velocities.
struct GraphAlgebra {
  const Velocity& velocity;
  GraphSink& sink;

  GraphValue field(const GraphValue& x, double t) const { return velocity.describe(sink, x, t); }
  GraphValue sum(const std::vector<std::pair<double, GraphValue>>& terms) const {
    GraphValue out = sink.scale(terms.front().second, terms.front().first);
    for (std::size_t i = 1; i < terms.size(); ++i)
      out = sink.add(out, sink.scale(terms[i].second, terms[i].first));
    return out;
  }
  GraphValue add(const GraphValue& x, const GraphValue& y) const { return sink.add(x, y); }
};

// K steps of 1/K; a solver that adapts its own takes as many as it needs within each. The residuals r_k are
// what each of the K moves x by, so that v_k = K r_k and (1/K) sum |v_k|^2 = K sum |r_k|^2.
struct FlowGenerator : InvertibleGenerator {
  FlowGenerator(const GeneratorOptions& o, std::int64_t blocks)
      : method_(runge_kutta(o.flow_solver)), steps_(o.flow_steps), tolerance_(o.flow_tolerance) {
    const VelocityShape shape{o.in_channels, o.ngf, blocks};
    const bool own = o.flow_blocks == "own";
    for (std::int64_t k = 0; k < (own ? steps_ : 1); ++k)
      velocities_.push_back(register_module(own ? fmt::format("velocity_{}", k) : "velocity",
                                            std::make_shared<Velocity>(shape)));
  }

  at::Tensor travel(const at::Tensor& x, Course course, std::vector<at::Tensor>* residuals) override {
    at::Tensor state = x;
    for (std::int64_t i = 0; i < steps_; ++i) {
      const at::Tensor residual = moved_by(state, place_of(i, course));
      if (residuals != nullptr) residuals->push_back(residual);
      state = state + residual;
    }
    return state;
  }

  GraphValue describe_travel(GraphSink& sink, const GraphValue& x, Course course) const override {
    if (method_.adapts())
      fail(
          "a flow with the solver dopri5 chooses its steps for each image, which no graph of fixed "
          "operations "
          "does; export one of fixed steps (--flow-solver euler, midpoint or rk4)");
    GraphValue state = x;
    for (std::int64_t i = 0; i < steps_; ++i) {
      const Place place = place_of(i, course);
      GraphAlgebra algebra{*place.velocity, sink};
      state = sink.add(state, ode_increment(method_, algebra, state, place.step));
    }
    return state;
  }

  // Reflection pads of 1.
  SizeRule size_rule() const override { return {1, 2, /*takes_others=*/true}; }

 private:
  struct Place {
    std::shared_ptr<Velocity> velocity;
    OdeStep step;
  };

  // Of the i-th step on the way.
  Place place_of(std::int64_t i, Course course) const {
    const bool back = course == Course::backwards;
    const std::int64_t k = back ? steps_ - 1 - i : i;
    const auto count = static_cast<double>(steps_);
    return {velocities_[velocities_.size() == 1 ? 0 : static_cast<std::size_t>(k)],
            {static_cast<double>(back ? k + 1 : k) / count, (back ? -1 : 1) / count}};
  }

  at::Tensor moved_by(const at::Tensor& x, const Place& place) const {
    if (!method_.adapts()) return checkpointed_increment(method_, place.velocity, x, place.step);
    std::vector<at::Tensor> out;
    for (const at::Tensor& image : x.split(1)) out.push_back(moved_adaptively(image, place));
    return at::cat(out);
  }

  // Of one image, since the steps of several would depend on each other.
  at::Tensor moved_adaptively(const at::Tensor& image, const Place& place) const {
    const auto field = [&](const at::Tensor& y, double t) { return place.velocity->forward(y, t); };
    at::Tensor state = image, moved;
    for (const auto& [step, increment] : adaptive_steps(method_, field, image, place.step, tolerance_)) {
      const at::Tensor by = checkpointed_increment(method_, place.velocity, state, step, increment);
      moved = moved.defined() ? moved + by : by;
      state = state + by;
    }
    return moved;
  }

  const RungeKutta& method_;
  std::int64_t steps_;
  double tolerance_;
  std::vector<std::shared_ptr<Velocity>> velocities_;
};

struct InverseGenerator : InvertibleGenerator {
  explicit InverseGenerator(std::shared_ptr<InvertibleGenerator> of)
      : of_(register_module("flow", std::move(of))) {}
  at::Tensor travel(const at::Tensor& x, Course course, std::vector<at::Tensor>* residuals) override {
    return of_->travel(x, opposite(course), residuals);
  }
  GraphValue describe_travel(GraphSink& sink, const GraphValue& x, Course course) const override {
    return of_->describe_travel(sink, x, opposite(course));
  }
  SizeRule size_rule() const override { return of_->size_rule(); }

 private:
  static Course opposite(Course course) {
    return course == Course::forwards ? Course::backwards : Course::forwards;
  }
  std::shared_ptr<InvertibleGenerator> of_;
};

}  // namespace

std::shared_ptr<Generator> make_flow(const GeneratorOptions& options, std::int64_t blocks) {
  if (blocks < 1 || blocks > kMostFlowBlocks)
    fail_usage("generator flow_{}: the number is that of its velocity's residual blocks: from 1 to {}",
               blocks, kMostFlowBlocks);
  if (options.in_channels != options.out_channels)
    fail_usage(
        "generator {}: a flow moves images among those of as many channels, but here are {} and {}; give "
        "--channels-a and --channels-b the same number, or take another --net-g",
        options.net_g, options.in_channels, options.out_channels);
  if (options.dropout)
    fail_usage("generator {}: a flow has no dropout, with which it would not be one; give --no-dropout",
               options.net_g);
  return std::make_shared<FlowGenerator>(options, blocks);
}

bool is_invertible(const GeneratorOptions& options) { return options.net_g.starts_with("flow_"); }

std::shared_ptr<Generator> inverse_of(const std::shared_ptr<Generator>& generator) {
  auto invertible = std::dynamic_pointer_cast<InvertibleGenerator>(generator);
  if (invertible == nullptr) throw std::logic_error("this generator has no inverse");
  auto out = std::make_shared<InverseGenerator>(std::move(invertible));
  out->train(generator->is_training());
  return out;
}

std::optional<double> return_error(Generator& generator, const at::Tensor& x) {
  auto* const invertible = dynamic_cast<InvertibleGenerator*>(&generator);
  if (invertible == nullptr) return std::nullopt;
  const at::NoGradGuard no_grad;
  return (invertible->inverse(invertible->forward(x)) - x).abs().mean().item<double>();
}

}  // namespace torsor
