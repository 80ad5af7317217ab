#include "metric/inception_net.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

namespace torsor {

// Named, since a class with a header of its own has members of these types.
namespace inception {

constexpr double kEps = 1e-3;
constexpr std::int64_t kClasses = 1008;

inline at::Tensor max_pool(const at::Tensor& x) { return at::max_pool2d(x, {3, 3}, {2, 2}); }
inline at::Tensor max_pool_same(const at::Tensor& x) { return at::max_pool2d(x, {3, 3}, {1, 1}, {1, 1}); }
// The mean of what lies inside: a window at the border has fewer positions.
inline at::Tensor average_pool(const at::Tensor& x) {
  return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, /*ceil_mode=*/false, /*count_include_pad=*/false);
}

// Convolution, BatchNorm and ReLU.
struct Unit {
  ConvUnit conv;
  at::Tensor operator()(const at::Tensor& x) const { return conv(x).relu_(); }
};

// Units one behind the other.
struct Chain {
  std::vector<Unit> units;
  at::Tensor operator()(at::Tensor x) const {
    for (const Unit& unit : units) x = unit(x);
    return x;
  }
};

// Builds the units of one block (or of the stem), key by key.
struct Builder {
  WeightTable& weights;
  const NetworkPlace& place;
  std::string prefix;

  Unit unit(const std::string& name, ConvSpec spec) const {
    const std::string key = prefix + name;
    return {take_conv_norm(weights, key + ".conv", key + ".bn", kEps, spec, place)};
  }
  // A stride of 1, padded to keep the size.
  Unit same(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t height,
            std::int64_t width) const {
    return unit(name, {in, out, {height, width}, {1, 1}, {height / 2, width / 2}});
  }
  Unit halved(const std::string& name, std::int64_t in, std::int64_t out) const {
    return unit(name, {in, out, {3, 3}, {2, 2}});
  }
};

struct Block {
  virtual ~Block() = default;
  virtual at::Tensor operator()(const at::Tensor& x) const = 0;
};

// Mixed_5b, c, d.
struct BlockA : Block {
  Chain one, five, three, pool;
  BlockA(const Builder& b, std::int64_t in, std::int64_t pooled)
      : one{{b.same("branch1x1", in, 64, 1, 1)}},
        five{{b.same("branch5x5_1", in, 48, 1, 1), b.same("branch5x5_2", 48, 64, 5, 5)}},
        three{{b.same("branch3x3dbl_1", in, 64, 1, 1), b.same("branch3x3dbl_2", 64, 96, 3, 3),
               b.same("branch3x3dbl_3", 96, 96, 3, 3)}},
        pool{{b.same("branch_pool", in, pooled, 1, 1)}} {}
  at::Tensor operator()(const at::Tensor& x) const override {
    return at::cat({one(x), five(x), three(x), pool(average_pool(x))}, 1);
  }
};

// Mixed_6a.
struct BlockB : Block {
  Chain three, doubled;
  explicit BlockB(const Builder& b)
      : three{{b.halved("branch3x3", 288, 384)}},
        doubled{{b.same("branch3x3dbl_1", 288, 64, 1, 1), b.same("branch3x3dbl_2", 64, 96, 3, 3),
                 b.halved("branch3x3dbl_3", 96, 96)}} {}
  at::Tensor operator()(const at::Tensor& x) const override {
    return at::cat({three(x), doubled(x), max_pool(x)}, 1);
  }
};

// Mixed_6b to e.
struct BlockC : Block {
  Chain one, seven, doubled, pool;
  BlockC(const Builder& b, std::int64_t c)
      : one{{b.same("branch1x1", 768, 192, 1, 1)}},
        seven{{b.same("branch7x7_1", 768, c, 1, 1), b.same("branch7x7_2", c, c, 1, 7),
               b.same("branch7x7_3", c, 192, 7, 1)}},
        doubled{{b.same("branch7x7dbl_1", 768, c, 1, 1), b.same("branch7x7dbl_2", c, c, 7, 1),
                 b.same("branch7x7dbl_3", c, c, 1, 7), b.same("branch7x7dbl_4", c, c, 7, 1),
                 b.same("branch7x7dbl_5", c, 192, 1, 7)}},
        pool{{b.same("branch_pool", 768, 192, 1, 1)}} {}
  at::Tensor operator()(const at::Tensor& x) const override {
    return at::cat({one(x), seven(x), doubled(x), pool(average_pool(x))}, 1);
  }
};

// Mixed_7a.
struct BlockD : Block {
  Chain three, seven;
  explicit BlockD(const Builder& b)
      : three{{b.same("branch3x3_1", 768, 192, 1, 1), b.halved("branch3x3_2", 192, 320)}},
        seven{{b.same("branch7x7x3_1", 768, 192, 1, 1), b.same("branch7x7x3_2", 192, 192, 1, 7),
               b.same("branch7x7x3_3", 192, 192, 7, 1), b.halved("branch7x7x3_4", 192, 192)}} {}
  at::Tensor operator()(const at::Tensor& x) const override {
    return at::cat({three(x), seven(x), max_pool(x)}, 1);
  }
};

using Pool = at::Tensor (*)(const at::Tensor&);

// Mixed_7b, c.
struct BlockE : Block {
  Chain one, three, doubled, pool;
  Unit three_a, three_b, doubled_a, doubled_b;
  Pool pooling;
  BlockE(const Builder& b, std::int64_t in, Pool pooling)
      : one{{b.same("branch1x1", in, 320, 1, 1)}},
        three{{b.same("branch3x3_1", in, 384, 1, 1)}},
        doubled{{b.same("branch3x3dbl_1", in, 448, 1, 1), b.same("branch3x3dbl_2", 448, 384, 3, 3)}},
        pool{{b.same("branch_pool", in, 192, 1, 1)}},
        three_a(b.same("branch3x3_2a", 384, 384, 1, 3)),
        three_b(b.same("branch3x3_2b", 384, 384, 3, 1)),
        doubled_a(b.same("branch3x3dbl_3a", 384, 384, 1, 3)),
        doubled_b(b.same("branch3x3dbl_3b", 384, 384, 3, 1)),
        pooling(pooling) {}
  at::Tensor operator()(const at::Tensor& x) const override {
    const at::Tensor t = three(x), d = doubled(x);
    return at::cat({one(x), three_a(t), three_b(t), doubled_a(d), doubled_b(d), pool(pooling(x))}, 1);
  }
};

}  // namespace inception

struct InceptionNet::Layers {
  inception::Chain stem_a, stem_b;
  std::vector<std::unique_ptr<inception::Block>> fifth_and_sixth, seventh;
  at::Tensor classes, class_biases;  // [1008,2048], [1008]
};

InceptionNet::InceptionNet(WeightTable& weights, const NetworkPlace& place)
    : layers_(std::make_unique<Layers>()) {
  const auto block = [&](const std::string& prefix) { return inception::Builder{weights, place, prefix}; };
  Layers& l = *layers_;
  const inception::Builder stem = block("");
  l.stem_a = {{stem.halved("Conv2d_1a_3x3", 3, 32), stem.unit("Conv2d_2a_3x3", {32, 32, {3, 3}}),
               stem.same("Conv2d_2b_3x3", 32, 64, 3, 3)}};
  l.stem_b = {{stem.same("Conv2d_3b_1x1", 64, 80, 1, 1), stem.unit("Conv2d_4a_3x3", {80, 192, {3, 3}})}};
  auto& middle = l.fifth_and_sixth;
  middle.push_back(std::make_unique<inception::BlockA>(block("Mixed_5b."), 192, 32));
  middle.push_back(std::make_unique<inception::BlockA>(block("Mixed_5c."), 256, 64));
  middle.push_back(std::make_unique<inception::BlockA>(block("Mixed_5d."), 288, 64));
  middle.push_back(std::make_unique<inception::BlockB>(block("Mixed_6a.")));
  const std::pair<const char*, std::int64_t> sevens[] = {
      {"Mixed_6b.", 128}, {"Mixed_6c.", 160}, {"Mixed_6d.", 160}, {"Mixed_6e.", 192}};
  for (const auto& [name, channels] : sevens)
    middle.push_back(std::make_unique<inception::BlockC>(block(name), channels));
  l.seventh.push_back(std::make_unique<inception::BlockD>(block("Mixed_7a.")));
  l.seventh.push_back(std::make_unique<inception::BlockE>(block("Mixed_7b."), 1280, inception::average_pool));
  l.seventh.push_back(
      std::make_unique<inception::BlockE>(block("Mixed_7c."), 2048, inception::max_pool_same));
  l.classes = weights.take("fc.weight", {inception::kClasses, 2048}).to(place.device, place.dtype);
  l.class_biases = weights.take("fc.bias", {inception::kClasses}).to(place.device, place.dtype);
  weights.expect_all_taken();
}

InceptionNet::~InceptionNet() = default;
InceptionNet::InceptionNet(InceptionNet&&) noexcept = default;

std::map<std::int64_t, at::Tensor> InceptionNet::features(const at::Tensor& input,
                                                          std::int64_t widest) const {
  std::map<std::int64_t, at::Tensor> out;
  const auto tap = [&](const at::Tensor& x) {
    out[x.size(1)] = x.mean({2, 3});
    return x.size(1) >= widest;
  };
  at::Tensor x = inception::max_pool(layers_->stem_a(input.contiguous(at::MemoryFormat::ChannelsLast)));
  if (tap(x)) return out;
  x = inception::max_pool(layers_->stem_b(x));
  if (tap(x)) return out;
  for (const auto& block : layers_->fifth_and_sixth) x = (*block)(x);
  if (tap(x)) return out;
  for (const auto& block : layers_->seventh) x = (*block)(x);
  tap(x);
  return out;
}

at::Tensor InceptionNet::logits(const at::Tensor& features) const {
  return logits_unbiased(features) + layers_->class_biases;
}

at::Tensor InceptionNet::logits_unbiased(const at::Tensor& features) const {
  return features.matmul(layers_->classes.t());
}

}  // namespace torsor
