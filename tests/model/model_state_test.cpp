// What a model remembers: the image pool, exact continuation, number formats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <set>

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A batch of 1x2x2 images, image i filled with the i-th value.
at::Tensor flat_images(const std::vector<double>& values) {
  std::vector<at::Tensor> images;
  for (const double value : values) images.push_back(at::full({1, 2, 2}, value, at::kFloat));
  return at::stack(images);
}

/// The values of such a batch.
std::vector<double> values_of(const at::Tensor& images) {
  std::vector<double> out;
  for (const at::Tensor& image : images.unbind(0)) out.push_back(image.mean().item<double>());
  return out;
}

/// Hands out what a test wrote down, and notes the order of the calls.
class ScriptedDraws : public PoolDraws {
 public:
  ScriptedDraws(std::deque<double> uniforms, std::deque<std::int64_t> indices)
      : uniforms_(std::move(uniforms)), indices_(std::move(indices)) {}
  double uniform() override {
    const double value = uniforms_.at(0);
    uniforms_.pop_front();
    return value;
  }
  std::int64_t index(std::int64_t n) override {
    asked.push_back(n);
    const std::int64_t value = indices_.at(0);
    indices_.pop_front();
    return value;
  }
  bool used_up() const { return uniforms_.empty() && indices_.empty(); }
  std::vector<std::int64_t> asked;

 private:
  std::deque<double> uniforms_;
  std::deque<std::int64_t> indices_;
};

TEST(ImagePool, OfSizeZeroPassesTheBatchOn) {
  ImagePool pool(0);
  ScriptedDraws none({}, {});
  const at::Tensor images = flat_images({1, 2}).requires_grad_(true);
  const at::Tensor out = pool.query(images, none);
  EXPECT_TRUE(at::equal(out, images));
  EXPECT_FALSE(out.requires_grad());
  EXPECT_EQ(pool.size(), 0u);
}

TEST(ImagePool, FillsBeforeItDrawsThenSwapsByTheDraws) {
  ImagePool pool(3);
  // Full after the first image of the second batch. Above 0.5 swaps, 0.5 itself does not (reference.md,
  // section 2).
  ScriptedDraws draws({0.51, 0.5, 0.9, 0.0}, {1, 1});
  EXPECT_THAT(values_of(pool.query(flat_images({10, 11}), draws)), ElementsAre(10, 11));
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_THAT(values_of(pool.query(flat_images({12, 13, 14}), draws)), ElementsAre(12, 11, 14));
  EXPECT_EQ(pool.size(), 3u);
  EXPECT_THAT(values_of(pool.query(flat_images({15, 16}), draws)), ElementsAre(13, 16));
  EXPECT_TRUE(draws.used_up());
  EXPECT_THAT(draws.asked, ElementsAre(3, 3));
}

TEST(ImagePool, KeepsItsOwnCopies) {
  ImagePool pool(1);
  ScriptedDraws draws({0.9}, {0});
  at::Tensor images = flat_images({10});
  pool.query(images, draws);
  images.fill_(-1);
  EXPECT_THAT(values_of(pool.query(flat_images({11}), draws)), ElementsAre(10));
}

TEST(ImagePool, ReturnsStoredImagesAboutHalfOfTheTime) {
  constexpr int kImages = 4000, kCapacity = 10;
  ImagePool pool(kCapacity);
  Rng stream(1);
  StreamDraws draws(stream);
  std::set<double> stored;
  int old_ones = 0;
  for (int i = 0; i < kImages; ++i) {
    const double value = values_of(pool.query(flat_images({static_cast<double>(i)}), draws)).front();
    if (i < kCapacity) {
      EXPECT_EQ(value, i);
      stored.insert(value);
    } else if (value != i) {
      ++old_ones;
      EXPECT_EQ(stored.erase(value), 1u) << value << " was not in the pool";
      stored.insert(i);
    }
  }
  // Six standard deviations of a fair coin.
  EXPECT_NEAR(old_ones, (kImages - kCapacity) / 2, 6 * std::sqrt(kImages) / 2);
}

TEST(ImagePool, IsSavedAndRestoredBitForBit) {
  ImagePool pool(3), restored(3);
  Rng stream(1);
  StreamDraws draws(stream);
  const auto noise = [](std::uint64_t seed) { return image_noise({2, 3, 4, 4}, seed).to(at::kFloat); };
  for (std::uint64_t i = 0; i < 4; ++i) pool.query(noise(i), draws);
  Archive archive;
  pool.save(archive, "pool");
  restored.load(archive, "pool", 3, at::kFloat);
  EXPECT_EQ(restored.size(), 3u);
  Rng twin(0);
  twin.set_state(stream.state());
  StreamDraws twin_draws(twin);
  for (std::uint64_t i = 4; i < 12; ++i)
    EXPECT_TRUE(at::equal(pool.query(noise(i), draws), restored.query(noise(i), twin_draws))) << i;

  Archive empty;
  ImagePool(3).save(empty, "pool");
  restored.load(empty, "pool", 3, at::kFloat);
  EXPECT_EQ(restored.size(), 0u);
}

TEST(ImagePool, RefusesWhatIsNoHistory) {
  const auto message = [](const Json& size, const at::Tensor& images) {
    Archive archive;
    archive.put("pool/size", size);
    archive.put("pool/images", images);
    return error_of([&] { ImagePool(3).load(archive, "pool", 3, at::kFloat); });
  };
  EXPECT_THAT(message(-1, at::zeros({1, 3, 4, 4})),
              AllOf(HasSubstr("'pool/size'"), HasSubstr("whole number")));
  for (const at::Tensor& images : {at::zeros({2, 3, 4, 4}), at::zeros({1, 2, 4, 4}), at::zeros({1, 3, 4})})
    EXPECT_THAT(message(1, images), AllOf(HasSubstr("'pool/images' is damaged"), HasSubstr("of 3 channels")));
  EXPECT_THAT(message(4, at::zeros({4, 3, 4, 4})), AllOf(HasSubstr("'pool/size'"), HasSubstr("at most 3")));
}

TEST(ImagePool, OfImagesOfSeveralSizesIsSavedAndRestored) {
  ImagePool pool(3), restored(3);
  Rng stream(1);
  StreamDraws draws(stream);
  const std::vector<at::Tensor> images = {image_noise({1, 3, 4, 4}, 1), image_noise({1, 3, 8, 4}, 2),
                                          image_noise({1, 3, 4, 6}, 3)};
  for (const at::Tensor& image : images) pool.query(image, draws);
  Archive archive;
  pool.save(archive, "pool");
  restored.load(archive, "pool", 3, at::kDouble);
  EXPECT_EQ(restored.size(), 3u);
  Archive again;
  restored.save(again, "pool");
  for (int i = 0; i < 3; ++i) {
    const std::string name = fmt::format("pool/image/{}", i);
    EXPECT_TRUE(at::equal(again.tensor(name), images[static_cast<std::size_t>(i)][0])) << name;
  }
}

TEST(PoolDraws, AreReplacedByAScriptAndShowTheDiscriminatorAStoredFake) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.pool_size = 1;
  Rig rig(spec, cpu(at::kDouble));
  auto script = std::make_unique<ScriptedDraws>(std::deque<double>{0.9, 0.1}, std::deque<std::int64_t>{0});
  const ScriptedDraws& draws = *script;
  rig.model.set_pool_draws(std::move(script));
  const auto run = [&](const char* name, const at::Tensor& x) {
    at::NoGradGuard no_grad;
    return network(rig.model, name)->forward(x);
  };
  const auto real = [&](const char* name, std::int64_t i) {
    return rig.batches.at_index(i).at(name).to(at::kDouble);
  };
  const at::Tensor stored_b = run("g_a_to_b", real("real_a", 0));
  rig.step();
  // At the second step B draws first and shows the stored fake, A shows the new one.
  const at::Tensor new_a = run("g_b_to_a", real("real_b", 1));
  const auto halved = [&](const char* discriminator, const at::Tensor& real, const at::Tensor& fake) {
    return 0.5 * ((run(discriminator, real) - 1).pow(2).mean() + run(discriminator, fake).pow(2).mean())
                     .item<double>();
  };
  const double d_b = halved("d_b", real("real_b", 1), stored_b),
               d_a = halved("d_a", real("real_a", 1), new_a);
  const StepReport report = rig.step();
  EXPECT_NEAR(report.loss("d_b"), d_b, 1e-12);
  EXPECT_NEAR(report.loss("d_a"), d_a, 1e-12);
  EXPECT_TRUE(draws.used_up());
  EXPECT_THAT(draws.asked, ElementsAre(1));
}

struct Continuation {
  std::string name;
  std::function<void(CycleGanSpec&)> set;
  Placement placement = cpu();
};
void PrintTo(const Continuation& c, std::ostream* out) { *out << c.name; }

class Continuations : public ::testing::TestWithParam<Continuation> {};

TEST_P(Continuations, TwoStepsAndTwoStepsAreFour) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.pool_size = 2;
  GetParam().set(spec);
  Rig whole(spec, GetParam().placement, /*seed=*/1), rest(spec, GetParam().placement, /*seed=*/99);
  whole.batches.batch_size = 2;
  expect_continues_from_a_file(whole, rest);
  Archive one, other;
  whole.model.save(one);
  rest.model.save(other);
  EXPECT_FALSE(one.tensors_under("opt_g").empty());
  EXPECT_FALSE(one.tensors_under("pool_b").empty());
  for (const std::string part : {"opt_g", "opt_d", "pool_a", "pool_b"}) {
    const TensorMap tensors = one.tensors_under(part);
    EXPECT_EQ(tensors.size(), other.tensors_under(part).size()) << part;
    for (const auto& [name, tensor] : tensors)
      EXPECT_TRUE(at::equal(tensor, other.tensor(part + "/" + name))) << part << ' ' << name;
  }
}

Placement bf16() {
  Placement placement;
  placement.autocast = true;
  return placement;
}

INSTANTIATE_TEST_SUITE_P(
    CycleGan, Continuations,
    ::testing::Values(Continuation{"adam", [](CycleGanSpec&) {}},
                      Continuation{"sgd", [](CycleGanSpec& s) { s.optimizer.optimizer = "sgd"; }},
                      Continuation{"dropout_and_batch_norm",
                                   [](CycleGanSpec& s) {
                                     s.g_a_to_b.dropout = s.g_b_to_a.dropout = true;
                                     s.g_a_to_b.norm = s.g_b_to_a.norm = s.d_a.norm = s.d_b.norm = "batch";
                                   }},
                      Continuation{"wgangp", [](CycleGanSpec& s) { s.gan.gan_mode = "wgangp"; }},
                      Continuation{"one_adversary", [](CycleGanSpec& s) { s.cyclegan.lambda_gan_b = 0; }},
                      Continuation{"every_term",
                                   [](CycleGanSpec& s) {
                                     s.cyclegan.lambda_gan_cycle = s.cyclegan.lambda_feature_cycle = 1;
                                     s.cyclegan.lambda_feature_identity = 1;
                                     s.cyclegan.cycle_norm = "euclidean";
                                   }},
                      Continuation{"fp64", [](CycleGanSpec&) {}, cpu(at::kDouble)},
                      Continuation{"bf16", [](CycleGanSpec&) {}, bf16()}),
    [](const auto& test) { return test.param.name; });

TEST(Continuation, OfAnotherNetworkIsRefused) {
  CycleGanSpec wider = tiny_spec();
  wider.g_a_to_b.ngf = 6;
  Archive archive;
  Rig(tiny_spec()).model.save(archive);
  EXPECT_THAT(error_of([&] { Rig(wider).model.load(archive); }), HasSubstr("g_a_to_b"));
}

TEST(Precision, DoublesComputeWhatFloatsDo) {
  Rig floats(tiny_spec()), doubles(tiny_spec(), cpu(at::kDouble));
  for (const auto& [name, weight] : weights_of(doubles.model))
    EXPECT_EQ(weight.scalar_type(), at::kDouble) << name;
  const StepReport coarse = floats.step(), fine = doubles.step();
  for (const auto& [name, value] : fine.losses) {
    EXPECT_NEAR(coarse.loss(name), value, 1e-4 * std::max(1.0, std::abs(value))) << name;
    EXPECT_NE(coarse.loss(name), value) << name;
  }
}

TEST(Precision, Bf16RoundsInTheConvolutionsAndKeepsFloatWeights) {
  Rig floats(tiny_spec()), rounded(tiny_spec(), bf16());
  const StepReport exact = floats.step(), coarse = rounded.step();
  for (const auto& [name, value] : exact.losses) {
    EXPECT_NEAR(coarse.loss(name), value, 0.05 * std::max(1.0, std::abs(value))) << name;
    EXPECT_NE(coarse.loss(name), value) << name;
  }
  for (int step = 0; step < 2; ++step)
    for (const auto& [name, value] : rounded.step().losses) EXPECT_TRUE(std::isfinite(value)) << name;
  for (const auto& [name, weight] : weights_of(rounded.model))
    EXPECT_EQ(weight.scalar_type(), at::kFloat) << name;
  EXPECT_EQ(non_finite_weight(rounded.model), "");
}

TEST(Precision, OptionsBecomeAPlacement) {
  PlacementOptions options;
  options.device = "cpu";
  EXPECT_EQ(resolve_placement(options).dtype, at::kFloat);
  EXPECT_FALSE(resolve_placement(options).autocast);
  options.precision = "fp64";
  EXPECT_EQ(resolve_placement(options).dtype, at::kDouble);
  options.precision = "bf16";
  EXPECT_EQ(resolve_placement(options).dtype, at::kFloat);
  EXPECT_TRUE(resolve_placement(options).autocast);
  EXPECT_TRUE(resolve_placement(options).device.is_cpu());
}

TEST(NonFiniteWeight, IsNamed) {
  const Rig rig(tiny_spec());
  EXPECT_EQ(non_finite_weight(rig.model), "");
  at::NoGradGuard no_grad;
  state_dict(*network(rig.model, "d_a")).front().second.view(-1)[3].fill_(std::nan(""));
  EXPECT_EQ(non_finite_weight(rig.model), "d_a model.0.weight");
}

/// A model written as training writes it.

}  // namespace
}  // namespace torsor::testing
