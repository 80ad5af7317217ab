#include "nn/reach.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "nn/passing_sink.h"

namespace torsor {

namespace {

// What pixel i of a value looks at: the input's pixels from i * scale - before to i * scale + after.
struct View {
  double scale = 1, before = 0, after = 0;
};

class ReachSink : public PassingSink {
 public:
  explicit ReachSink(std::int64_t channels) : input_{"input", channels} { views_[input_.name] = {}; }

  const GraphValue& input() const { return input_; }
  bool sees_everything() const { return sees_everything_; }
  std::int64_t reach_of(const GraphValue& value) const {
    const View& view = views_.at(value.name);
    return static_cast<std::int64_t>(std::ceil(std::max({view.before, view.after, 0.0})));
  }

  GraphValue conv(const GraphValue& x, const at::Tensor& weight, const at::Tensor&, std::int64_t stride,
                  std::int64_t padding) override {
    const View& in = views_.at(x.name);
    const auto pad = static_cast<double>(padding), last = static_cast<double>(weight.size(2) - 1);
    return add_value(weight.size(0), {in.scale * static_cast<double>(stride), in.before + pad * in.scale,
                                      in.after + (last - pad) * in.scale});
  }
  GraphValue conv_transpose(const GraphValue& x, const at::Tensor& weight, const at::Tensor&,
                            std::int64_t stride, std::int64_t padding, std::int64_t,
                            std::int64_t groups) override {
    const View& in = views_.at(x.name);
    const double scale = in.scale / static_cast<double>(stride);
    const auto pad = static_cast<double>(padding), last = static_cast<double>(weight.size(2) - 1);
    return add_value(weight.size(1) * groups,
                     {scale, in.before + (last - pad) * scale, in.after + pad * scale});
  }
  GraphValue instance_norm(const GraphValue& x, const at::Tensor&, const at::Tensor&, double) override {
    sees_everything_ = true;
    return x;
  }
  GraphValue reflection_pad(const GraphValue& x, std::int64_t pad) override { return padded(x, pad); }
  GraphValue replication_pad(const GraphValue& x, std::int64_t pad) override { return padded(x, pad); }
  // Pixel i is pixel i / 2, rounded down.
  GraphValue repeat_pixels(const GraphValue& x) override {
    const View& in = views_.at(x.name);
    return add_value(x.channels, {in.scale / 2, in.before + in.scale / 2, in.after});
  }
  GraphValue add(const GraphValue& x, const GraphValue& y) override { return join(x, y, x.channels); }
  GraphValue append_channel(const GraphValue& x, double) override {
    const View view = views_.at(x.name);
    return add_value(x.channels + 1, view);
  }
  GraphValue concat(const GraphValue& x, const GraphValue& y) override {
    return join(x, y, x.channels + y.channels);
  }

 private:
  // Which pixels are mirrored or repeated at a border lie nearer than those that stand there inside.
  GraphValue padded(const GraphValue& x, std::int64_t pad) {
    const View& in = views_.at(x.name);
    const double moved = static_cast<double>(pad) * in.scale;
    return add_value(x.channels, {in.scale, in.before + moved, in.after - moved});
  }
  GraphValue add_value(std::int64_t channels, const View& view) {
    GraphValue value{std::to_string(views_.size()), channels};
    views_[value.name] = view;
    return value;
  }
  GraphValue join(const GraphValue& x, const GraphValue& y, std::int64_t channels) {
    const View &a = views_.at(x.name), &b = views_.at(y.name);
    return add_value(channels, {a.scale, std::max(a.before, b.before), std::max(a.after, b.after)});
  }

  GraphValue input_;
  std::map<std::string, View> views_;
  bool sees_everything_ = false;
};

}  // namespace

std::optional<std::int64_t> reach_of(const Network& network) {
  for (const auto& module : network.modules(/*include_self=*/false))
    if (const auto* norm = dynamic_cast<const BatchNorm*>(module.get());
        norm != nullptr && norm->evaluation_statistics == NormStatistics::batch)
      return std::nullopt;
  ReachSink sink(1);
  GraphValue out;
  try {
    out = network.describe(sink, sink.input());
  } catch (const Error&) {
    return std::nullopt;  // a network that has no such description
  }
  if (sink.sees_everything()) return std::nullopt;
  return sink.reach_of(out);
}

}  // namespace torsor
