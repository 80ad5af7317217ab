// The transport costs of the objective's table by hand, on maps that are no networks; the residuals that
// pictures keep for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_test_support.h"
#include "model/objective.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum Picture;

std::vector<LossTerm> terms_with(const TransportCostOptions& cost) {
  CycleGanOptions o;
  o.transport = cost;
  std::string notice;
  return generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 3, 3, notice));
}

TransportCostOptions cost_of(const std::string& cost, double weight) {
  TransportCostOptions o;
  o.lambda_transport = weight;
  o.transport_cost = cost;
  if (o.by_features()) o.transport_encoder = o.transport_hash = "0";
  return o;
}

/// G doubles, in two blocks of different sizes; F adds one, in one block that says that it adds 3; what an
/// encoder sees is the sum of a sample.
class TransportByHand : public ::testing::Test {
 protected:
  static Tensor two(const std::vector<double>& values, at::IntArrayRef sizes = {2, 1, 2, 2}) {
    return at::tensor(values, at::kDouble).view(sizes);
  }
  // By sample as written, and their mean; the weight is not in them.
  void expect(const std::string& cost, const std::string& name, const std::vector<double>& each) {
    const std::vector<LossTerm> terms = terms_with(cost_of(cost, 3));
    Pictures pictures(a_, b_);
    pictures.keep_residuals(residuals_for(terms));
    for (const Picture which : {fake_b, fake_a}) pictures.make(which, maps_);
    for (const LossTerm& term : terms) {
      if (term.name != name) continue;
      const Tensor found = term.per_sample(pictures, maps_);
      ASSERT_EQ(found.sizes(), at::IntArrayRef({2})) << name;
      for (std::int64_t i = 0; i < 2; ++i)
        EXPECT_NEAR(found[i].item<double>(), each[static_cast<std::size_t>(i)], kTolerance)
            << name << ' ' << i;
      EXPECT_NEAR(term.mean(pictures, maps_).item<double>(), (each[0] + each[1]) / 2, kTolerance) << name;
      return;
    }
    ADD_FAILURE() << "no term " << name;
  }

  const Tensor a_ = two({0, 1, 2, 3, -1, 0, 1, 0.5}), b_ = two({1, 1, 0, 0, 2, -2, 4, 1});
  CycleMaps maps_ = [] {
    CycleMaps out;
    out.a_to_b = [](const Tensor& x) { return 2 * x; };
    out.b_to_a = [](const Tensor& y) { return y + 1; };
    out.transport_encoder = [](const Tensor& x) { return x.flatten(1).sum(1, /*keepdim=*/true); };
    out.a_to_b_in_blocks = [](const Tensor& x, std::vector<Tensor>& residuals) {
      residuals = {x, two({1, 2, -1, 2}, {2, 2, 1, 1})};
      return 2 * x;
    };
    out.b_to_a_in_blocks = [](const Tensor& y, std::vector<Tensor>& residuals) {
      residuals = {at::full_like(y, 3)};
      return y + 1;
    };
    return out;
  }();
};

TEST_F(TransportByHand, Pixels) {
  // G(a) - a = a; F(b) - b = 1.
  expect(kPixelCost, "transport_a", {14 / 4.0, 2.25 / 4});
  expect(kPixelCost, "transport_b", {1, 1});
}

TEST_F(TransportByHand, Features) {
  // Sums of a are 6 and 0.5, doubled by G; F adds 4 to a sum.
  expect(kFeatureCost, "transport_a", {36, 0.25});
  expect(kFeatureCost, "transport_b", {16, 16});
}

TEST_F(TransportByHand, Blocks) {
  expect(kBlockCost, "transport_a", {2 * (14 / 4.0 + 2.5), 2 * (2.25 / 4 + 2.5)});
  expect(kBlockCost, "transport_b", {9, 9});
}

TEST_F(TransportByHand, ResidualsAreOfThePassesThatKeepThem) {
  int calls = 0;
  maps_.a_to_b_in_blocks = [&](const Tensor& x, std::vector<Tensor>& residuals) {
    ++calls;
    residuals.push_back(x);
    return 2 * x;
  };
  Pictures pictures(a_, b_);
  pictures.keep_residuals({fake_b});
  for (int again = 0; again < 2; ++again)
    for (const Picture which : passes_to({fake_b, rec_b})) pictures.make(which, maps_);
  EXPECT_EQ(calls, 2) << "rec_b, by the same map, keeps none";
  EXPECT_EQ(pictures.residuals(fake_b).size(), 1U) << "those of the last pass";
  EXPECT_THROW(pictures.residuals(rec_b), std::logic_error);
  pictures.release({fake_b});
  EXPECT_TRUE(at::equal(pictures[fake_b], 2 * a_));
  EXPECT_THROW(pictures.residuals(fake_b), std::logic_error) << "they hold the graph";
}

TEST(TransportTerms, AreListedWhereTheyAreOnAndKeepResidualsOfTranslationsAlone) {
  for (const char* cost : {kPixelCost, kFeatureCost, kBlockCost}) {
    EXPECT_EQ(terms_with(cost_of(cost, 0)).size(), 6U) << cost;
    EXPECT_THAT(residuals_for(terms_with(cost_of(cost, 0))), IsEmpty());
    const std::vector<LossTerm> terms = terms_with(cost_of(cost, 0.5));
    ASSERT_EQ(terms.size(), 8U) << cost;
    EXPECT_EQ(terms[6].name, "transport_a");
    EXPECT_EQ(terms[7].name, "transport_b");
    for (const std::size_t i : {6U, 7U}) {
      EXPECT_EQ(terms[i].kind, TermKind::transport);
      EXPECT_EQ(terms[i].weight, 0.5);
    }
    if (std::string(cost) == kBlockCost)
      EXPECT_THAT(residuals_for(terms), ElementsAre(fake_b, fake_a));
    else
      EXPECT_THAT(residuals_for(terms), IsEmpty());
  }
}

TEST(TransportTerms, OfATranslatorByItselfAreTheLossOfTheSlides) {
  const std::vector<LossTerm> terms =
      one_way_terms(transport_term(cost_of(kBlockCost, 0)), gan_loss("lsgan"));
  ASSERT_EQ(terms.size(), 2U);
  EXPECT_EQ(terms[0].name, "g_a_to_b");
  EXPECT_EQ(terms[0].weight, 1);
  EXPECT_EQ(terms[1].name, "transport_a");
  EXPECT_EQ(terms[1].weight, 0);
  EXPECT_THAT(residuals_for(terms), ElementsAre(fake_b)) << "measured where nothing weighs it";
}

}  // namespace
}  // namespace torsor::testing
