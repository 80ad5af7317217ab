// The objective of a pair at rest, and the bound on it under a symmetry.
#include "audit/loss_parts.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/pair_psnr.h"
#include "audit/symmetry_bound.h"
#include "planted_material.h"

namespace torsor::loss_parts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<LossTerm> objective(double alpha_id, const std::string& norm = "l1") {
  CycleGanOptions o;
  o.lambda_cycle_a = 10;
  o.lambda_cycle_b = 5;
  o.cycle_norm = norm;
  o.alpha_id = alpha_id;
  std::string notice;
  return generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 1, 1, notice));
}

std::vector<LossTerm> target_objective() {
  CycleGanOptions o;
  std::string notice;
  return generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 1, 1, notice));
}

at::Tensor mean_score(const at::Tensor& x) { return x.flatten(1).mean(1, true); }
at::Tensor one(const at::Tensor& x) { return at::ones({x.size(0), 1}); }

double number(const Json& j, const char* key) { return j.at(key).get<double>(); }

TEST(LossParts, AreTheTermsByHand) {
  const CycleMaps maps{[](const at::Tensor& x) { return 2 * x; }, [](const at::Tensor& y) { return y + 1; },
                       mean_score, one};
  const at::Tensor a = at::full({2, 1, 1, 2}, 3.0F), b = at::full({5, 1, 1, 2}, -1.0F);
  const MeasuredPair measured = measure_pair(objective(4), maps, a, b);
  const Json& terms = measured.loss.at("terms");
  EXPECT_EQ(number(terms, "g_a_to_b"), 0) << "D_B takes everything for real";
  EXPECT_EQ(number(terms, "g_b_to_a"), 1) << "D_A of -1 + 1 is 0";
  EXPECT_EQ(number(terms, "cycle_a"), 10 * 4) << "2 * 3 + 1 - 3";
  EXPECT_EQ(number(terms, "cycle_b"), 5 * 1) << "2 * 0 - -1";
  EXPECT_EQ(number(terms, "idt_a"), 4 * 3);
  EXPECT_EQ(number(terms, "idt_b"), 4 * 1);
  EXPECT_EQ(number(measured.loss, "gan"), 1);
  EXPECT_EQ(number(measured.loss, "cycle"), 45);
  EXPECT_EQ(number(measured.loss, "identity"), 16);
  EXPECT_EQ(number(measured.loss, "loss"), 62);
  EXPECT_TRUE(at::equal(measured.fake_b, 2 * a));
  EXPECT_TRUE(at::equal(measured.fake_a, b + 1));
}

TEST(LossParts, TransportCostsAreAPartOfTheirOwn) {
  CycleGanOptions o;
  o.transport.lambda_transport = 2;
  std::string notice;
  const auto terms = generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 1, 1, notice));
  const CycleMaps maps{[](const at::Tensor& x) { return 2 * x; }, [](const at::Tensor& y) { return y + 1; },
                       mean_score, one};
  const at::Tensor a = at::full({2, 1, 1, 2}, 3.0F), b = at::full({5, 1, 1, 2}, -1.0F);
  const Json loss = measure_pair(terms, maps, a, b).loss;
  EXPECT_EQ(number(loss.at("terms"), "transport_a"), 2 * 9);
  EXPECT_EQ(number(loss.at("terms"), "transport_b"), 2 * 1);
  EXPECT_EQ(number(loss, "transport"), 20);
  EXPECT_EQ(number(loss, "loss"),
            number(loss, "gan") + number(loss, "cycle") + number(loss, "identity") + 20);
  EXPECT_FALSE(measure_pair(objective(1), maps, a, b).loss.contains("transport")) << "where there are none";
}

TEST(LossParts, ManyImagesInBatchesAreAsAllAtOnce) {
  at::manual_seed(2);
  const at::Tensor a = at::rand({50, 1, 4, 4}), b = at::rand({37, 1, 4, 4});
  const CycleMaps maps{[](const at::Tensor& x) { return x * x; },
                       [](const at::Tensor& y) { return y.sqrt(); }, mean_score, mean_score};
  for (const auto& terms : {objective(3), target_objective()}) {
    const Json loss = measure_pair(terms, maps, a, b).loss;
    Pictures pictures(a.to(at::kDouble), b.to(at::kDouble));
    std::vector<Picture> wanted;
    for (const LossTerm& term : terms) wanted.insert(wanted.end(), term.needs.begin(), term.needs.end());
    for (const Picture which : passes_to(wanted)) pictures.make(which, maps);
    for (const LossTerm& term : terms)
      EXPECT_NEAR(number(loss.at("terms"), term.name.c_str()),
                  term.weight * term.mean(pictures, maps).item<double>(), 1e-6)
          << term.name;
  }
}

TEST(LossParts, WithoutTermsOrAWayBackThereAreTranslationsAlone) {
  const at::Tensor x = at::rand({3, 1, 2, 2});
  const MeasuredPair measured = measure_pair({}, {[](const at::Tensor& v) { return -v; }, {}, {}, {}}, x, x);
  EXPECT_TRUE(measured.loss.is_null());
  EXPECT_TRUE(at::equal(measured.fake_b, -x));
  EXPECT_FALSE(measured.fake_a.defined());
}

TEST(LossParts, TermsOfScoresNeedDiscriminators) {
  const auto same = [](const at::Tensor& v) { return v; };
  const MeasurableTerms without = measurable_terms(objective(1), {same, same, {}, {}});
  EXPECT_THAT(without.left_out, ElementsAre("g_a_to_b", "g_b_to_a"));
  EXPECT_EQ(without.terms.size(), 4u);
  EXPECT_THAT(measurable_terms(objective(1), {same, same, one, one}).left_out, IsEmpty());
  EXPECT_THAT(measurable_terms(objective(1), {same, {}, one, one}).terms, IsEmpty())
      << "no pair, no objective";
}

TEST(RememberedMap, AnswersFromMemoryWhatIsEqualButForRounding) {
  int calls = 0;
  RememberedMap map([&](const at::Tensor& x) {
    ++calls;
    return 2 * x;
  });
  const at::Tensor x = at::rand({4, 1, 2, 2});
  map.record(x);
  map.record(x);
  EXPECT_TRUE(at::equal(map(x + 1e-7), 2 * x));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(at::allclose(map(x + 0.01), 2 * (x + 0.01)));
  map(x.slice(0, 0, 2));
  EXPECT_EQ(calls, 3) << "another image, another batch";
}

// ---- the bound ----

Symmetry named(const std::string& name, std::int64_t channels) {
  AuditImages images;
  images.values = at::zeros({1, channels, 2, 2});
  images.ranges.emplace_back();
  AuditOptions options;
  options.symmetries = name;
  return symmetries_for(options, images).at(0);
}

// All images that phi's powers make of them: phi keeps this sample's distribution exactly.
at::Tensor orbit(at::Tensor x, const Symmetry& phi, int order) {
  std::vector<at::Tensor> all;
  for (int k = 0; k < order; ++k, x = phi.map(x)) all.push_back(x);
  return at::cat(all);
}

TensorMapping linear(const at::Tensor& matrix) {
  return [matrix](const at::Tensor& x) { return at::matmul(x.flatten(1), matrix.t()).view(x.sizes()); };
}

struct BoundCase {
  CycleMaps maps;
  at::Tensor a, b;
};

// The loss, the moved loss and the bound of phi, an automorphism of `domain`'s sample.
struct BoundResult {
  Json plain, moved, bound;
};

BoundResult bounded(const BoundCase& c, const Symmetry& phi, const std::string& domain,
                    const std::vector<LossTerm>& terms, const std::string& norm = "l1") {
  const MeasuredPair plain = measure_pair(terms, c.maps, c.a, c.b);
  const auto far = [&](const TensorMapping& map, const at::Tensor& x) {
    const at::Tensor apart = (map(x) - x).to(at::kDouble).flatten(1);
    return (norm == "l1" ? apart.abs().mean(1) : apart.square().sum(1).sqrt()).mean().item<double>();
  };
  const bool of_a = domain == "a";
  const BoundInputs in{domain, (of_a ? phi.inverse_lipschitz : phi.lipschitz).of(norm),
                       of_a ? far(phi.map, c.a) : far(phi.inverse, c.b),
                       of_a ? far(phi.inverse, plain.fake_a) : far(phi.map, plain.fake_b)};
  return {plain.loss, measure_pair(terms, moved_maps(c.maps, phi, domain), c.a, c.b).loss,
          corrected_bound(terms, plain.loss, norm, in)};
}

TEST(CorrectedBound, HoldsTermByTermForRandomLinearMaps) {
  at::manual_seed(8);
  for (const auto& [name, order] : {std::pair{"hflip", 2}, {"rot90", 4}, {"hue-60", 6}, {"hue-120", 3}})
    for (const std::string norm : {"l1", "euclidean"})
      for (int i = 0; i < 10; ++i) {
        const Symmetry phi = named(name, 3);
        const BoundCase c{{linear(at::randn({12, 12})), linear(at::randn({12, 12})), one, one},
                          orbit(at::randn({5, 3, 2, 2}), phi, order),
                          orbit(at::randn({4, 3, 2, 2}), phi, order)};
        for (const std::string domain : {"a", "b"}) {
          const BoundResult r = bounded(c, phi, domain, objective(2, norm), norm);
          for (const auto& [term, bound] : r.bound.at("terms").items())
            EXPECT_LE(r.moved.at("terms").at(term).get<double>(), bound.get<double>() * (1 + 1e-5) + 1e-5)
                << name << " " << norm << " " << domain << " " << term;
          EXPECT_LE(number(r.moved, "loss"), number(r.bound, "loss") * (1 + 1e-5));
        }
      }
}

TEST(CorrectedBound, IsAttainedByTheIdentity) {
  const auto same = [](const at::Tensor& x) { return x; };
  const Symmetry flip = named("hflip", 1);
  const at::Tensor x = orbit(at::rand({6, 1, 2, 2}), flip, 2);
  for (const std::string domain : {"a", "b"}) {
    const BoundResult r = bounded({{same, same, one, one}, x, x}, flip, domain, objective(2));
    EXPECT_GT(number(r.moved, "loss"), 0.1);
    EXPECT_NEAR(number(r.moved, "loss"), number(r.bound, "loss"), 1e-9) << domain;
    EXPECT_NEAR(number(r.bound, "loss"), number(r.bound, "printed"), 1e-9) << "here F_* nu = mu";
  }
}

// S0-C4: X = U[0,1], Y = U[10,11], F = G = id, phi = id near X and t + 1 near Y.
TEST(CorrectedBound, TheCounterexampleExceedsThePrintedOneAndAttainsThis) {
  const auto same = [](const at::Tensor& x) { return x; };
  Symmetry phi;
  phi.name = "counterexample";
  phi.map = [](const at::Tensor& x) { return x + (x > 5).to(x.scalar_type()); };
  phi.inverse = [](const at::Tensor& x) { return x - (x > 5).to(x.scalar_type()); };
  const at::Tensor x = at::linspace(0, 1, 32).view({32, 1, 1, 1});
  const BoundResult r = bounded({{same, same, one, one}, x, x + 10}, phi, "a", objective(10));
  EXPECT_NEAR(number(r.moved, "loss") - number(r.bound, "printed"), 10, 1e-5) << "by alpha";
  EXPECT_NEAR(number(r.moved, "loss"), number(r.bound, "loss"), 1e-5);
}

TEST(CorrectedBound, SaysWhyThereIsNone) {
  const auto same = [](const at::Tensor& x) { return x; };
  const at::Tensor x = at::rand({4, 1, 2, 2});
  const BoundCase c{{same, same, one, one}, x, x};
  const Json squared = bounded(c, named("hflip", 1), "a", objective(1, "l2"), "l2").bound;
  EXPECT_THAT(squared.at("why_none").get<std::string>(), HasSubstr("squared"));
  EXPECT_TRUE(squared.at("terms").at("cycle_a").is_null());
  EXPECT_TRUE(squared.at("loss").is_null());
  const Json gamma = bounded(c, named("gamma", 1), "a", objective(1)).bound;
  EXPECT_THAT(gamma.at("why_none").get<std::string>(), HasSubstr("Lipschitz"));
  std::vector<LossTerm> moving = objective(1);
  CycleGanOptions o;
  o.transport.lambda_transport = 1;
  std::string notice;
  const auto terms = generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 1, 1, notice));
  moving.insert(moving.end(), terms.end() - 2, terms.end());
  const Json transport = bounded(c, named("hflip", 1), "a", moving).bound;
  EXPECT_THAT(transport.at("why_none").get<std::string>(), HasSubstr("transport cost"));
  EXPECT_TRUE(transport.at("terms").at("idt_a").is_number());
  EXPECT_TRUE(transport.at("terms").at("transport_a").is_null());
  EXPECT_TRUE(transport.at("loss").is_null());
  const Json target = bounded(c, named("hflip", 1), "a", target_objective()).bound;
  EXPECT_THAT(target.at("why_none").get<std::string>(), HasSubstr("target"));
  EXPECT_TRUE(target.at("terms").at("cycle_a").is_number()) << "the cycle's part is bounded";
  EXPECT_TRUE(target.at("terms").at("idt_a").is_null());
  EXPECT_TRUE(target.at("printed").is_null());
}

TEST(MovedMaps, WithoutAWayBackLeaveOutWhatNeedsIt) {
  Symmetry phi = named("hflip", 1);
  phi.inverse = nullptr;
  const auto same = [](const at::Tensor& x) { return x; };
  for (const std::string domain : {"a", "b"}) {
    const CycleMaps moved = moved_maps({same, same, one, one}, phi, domain);
    EXPECT_TRUE(moved.a_to_b) << domain;
    EXPECT_FALSE(moved.b_to_a) << domain;
  }
}

TEST(PairPsnr, IsInSamplesOfEightBitsOfTheTruthsOwnWhite) {
  const std::vector<ValueRange> own = {{100, 0, 0, PixelType::u8}, {200, 0, 0, PixelType::u8}};
  const at::Tensor whites = eight_bit_whites(own);
  const at::Tensor samples = eight_bit_samples(at::full({2, 1, 1, 1}, 1.5F), 0, whites);
  EXPECT_EQ(samples[0].item<float>(), 150);
  EXPECT_EQ(samples[1].item<float>(), 255) << "clamped as when written";
  const at::Tensor shifted = eight_bit_samples(at::zeros({1, 1, 1, 1}), -1, eight_bit_whites({ValueRange()}));
  EXPECT_EQ(shifted.item<float>(), 127.5);
  const at::Tensor truth = at::full({2, 1, 2, 2}, 100.0F);
  at::Tensor made = truth.clone();
  made[1] += 25.5;
  EXPECT_EQ(pair_psnr(made, truth)[0].item<double>(), 100) << "exact";
  EXPECT_NEAR(pair_psnr(made, truth)[1].item<double>(), 20, 1e-5) << "a tenth of the peak";
}

}  // namespace
}  // namespace torsor::loss_parts_test
