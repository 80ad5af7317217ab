#include "nn/moved.h"

#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

namespace torsor {

namespace {

constexpr std::int64_t kShiftShare = 8;
const std::string kBefore = "before_", kAfter = "after_";

at::Tensor shifted(const at::Tensor& x, std::int64_t dim, std::int64_t sign) {
  return at::roll(x, {sign * std::max<std::int64_t>(1, x.size(dim) / kShiftShare)}, {dim});
}

at::Tensor turned(const at::Tensor& x, std::int64_t quarters) {
  if (x.size(2) != x.size(3))
    fail("this generator turns images by a quarter, which have to be square; the image is {}x{}", x.size(3),
         x.size(2));
  return at::rot90(x, quarters, {2, 3});
}

struct NamedMap {
  const char* name;
  at::Tensor (*map)(const at::Tensor&);
};

const NamedMap kSpatialMaps[] = {
    {"hflip", [](const at::Tensor& x) { return x.flip({3}); }},
    {"vflip", [](const at::Tensor& x) { return x.flip({2}); }},
    {"rot90", [](const at::Tensor& x) { return turned(x, 1); }},
    {"rot180",
     [](const at::Tensor& x) {
       return x.flip({2, 3});
     }},
    {"rot270", [](const at::Tensor& x) { return turned(x, 3); }},
    {"shiftright", [](const at::Tensor& x) { return shifted(x, 3, 1); }},
    {"shiftleft", [](const at::Tensor& x) { return shifted(x, 3, -1); }},
    {"shiftdown", [](const at::Tensor& x) { return shifted(x, 2, 1); }},
    {"shiftup", [](const at::Tensor& x) { return shifted(x, 2, -1); }},
};

// By at most what one reflection gives at a time.
at::Tensor padded_to(at::Tensor x, std::int64_t height, std::int64_t width) {
  while (x.size(2) < height || x.size(3) < width) {
    const auto missing = [&](std::int64_t side, std::int64_t wanted) {
      return std::min(std::max<std::int64_t>(0, wanted - side), std::max<std::int64_t>(1, side - 1));
    };
    const std::vector<std::int64_t> pad = {0, missing(x.size(3), width), 0, missing(x.size(2), height)};
    x = std::min(x.size(2), x.size(3)) == 1 ? at::replication_pad2d(x, pad) : at::reflection_pad2d(x, pad);
  }
  return x;
}

at::Tensor run_padded(Generator& net, const at::Tensor& x) {
  const SizeRule rule = net.size_rule();
  const auto fitting = [&](std::int64_t side) {
    return std::max(rule.minimum, (side + rule.multiple - 1) / rule.multiple * rule.multiple);
  };
  const at::Tensor out = net.forward(padded_to(x, fitting(x.size(2)), fitting(x.size(3))));
  return out.slice(2, 0, x.size(2)).slice(3, 0, x.size(3)).contiguous();
}

struct SpatiallyMoved : Generator {
  SpatiallyMoved(const GeneratorOptions& options, MovedName name) : name_(std::move(name)) {
    net_ = register_module("net", make_generator(options));
  }
  at::Tensor forward(const at::Tensor& x) override {
    if (name_.place == MapPlace::before) return run_padded(*net_, spatial_map(name_.map, x).contiguous());
    return spatial_map(name_.map, run_padded(*net_, x)).contiguous();
  }
  // Padding by others would be moved with the image.
  SizeRule size_rule() const override { return {}; }
  GraphValue describe(GraphSink&, const GraphValue&) const override {
    fail("a generator with {} {} it cannot be described layer by layer; export the model that it was made of",
         name_.map, name_.place == MapPlace::before ? "before" : "after");
  }

 private:
  MovedName name_;
  std::shared_ptr<Generator> net_;
};

struct ColourMoved : Generator {
  ColourMoved(const GeneratorOptions& options, MapPlace place) : place_(place) {
    net_ = register_module("net", make_generator(options));
    const std::int64_t channels = place == MapPlace::before ? options.in_channels : options.out_channels;
    colour_ =
        register_module("colour", std::make_shared<Conv>(ConvShape{channels, channels, 1, 1, 0, Bias::yes}));
  }
  at::Tensor forward(const at::Tensor& x) override {
    return place_ == MapPlace::before ? net_->forward(colour_->forward(x))
                                      : colour_->forward(net_->forward(x));
  }
  SizeRule size_rule() const override { return net_->size_rule(); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    if (place_ == MapPlace::before) return net_->describe(sink, colour_->describe(sink, x));
    return colour_->describe(sink, net_->describe(sink, x));
  }

 private:
  MapPlace place_;
  std::shared_ptr<Generator> net_;
  std::shared_ptr<Conv> colour_;
};

}  // namespace

std::vector<std::string> spatial_map_names() {
  std::vector<std::string> out;
  for (const NamedMap& each : kSpatialMaps) out.emplace_back(each.name);
  return out;
}

at::Tensor spatial_map(const std::string& name, const at::Tensor& x) {
  for (const NamedMap& each : kSpatialMaps)
    if (name == each.name) return each.map(x);
  throw std::logic_error("no spatial map of the name " + name);
}

std::optional<MovedName> moved_name(const std::string& net_g) {
  const bool before = net_g.starts_with(kBefore);
  if (!before && !net_g.starts_with(kAfter)) return std::nullopt;
  const std::size_t begin = (before ? kBefore : kAfter).size(), end = net_g.find('_', begin);
  if (end == std::string::npos) return std::nullopt;
  return MovedName{before ? MapPlace::before : MapPlace::after, net_g.substr(begin, end - begin),
                   net_g.substr(end + 1)};
}

std::string name_of_moved(const MovedName& name) {
  return (name.place == MapPlace::before ? kBefore : kAfter) + name.map + "_" + name.net;
}

std::shared_ptr<Generator> make_moved_generator(const GeneratorOptions& options, const MovedName& name) {
  GeneratorOptions inner = options;
  inner.net_g = name.net;
  if (name.map == kColourMap) return std::make_shared<ColourMoved>(inner, name.place);
  std::vector<std::string> known = spatial_map_names();
  if (std::find(known.begin(), known.end(), name.map) != known.end())
    return std::make_shared<SpatiallyMoved>(inner, name);
  known.emplace_back(kColourMap);
  fail_usage("generator '{}': there is no map '{}' (one of {})", options.net_g, name.map, join(known));
}

}  // namespace torsor
