// Symmetries are what they say they are.
#include "audit/symmetries.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "core/files.h"
#include "planted_material.h"
#include "test_support.h"

namespace torsor::symmetries_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::drawn_images;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestFolder;

AuditImages images_like(at::IntArrayRef shape, double black = -1) {
  at::manual_seed(3);
  AuditImages out;
  out.domain = "a";
  out.values = at::rand(shape) * (1 - black) + black;
  out.ranges.assign(static_cast<std::size_t>(shape[0]), ValueRange{255, black, 0, PixelType::u8});
  return out;
}

std::vector<Symmetry> all_of(const AuditImages& images, const std::string& names = "auto") {
  AuditOptions options;
  options.symmetries = names;
  return symmetries_for(options, images);
}

std::vector<std::string> names_of(const std::vector<Symmetry>& all) {
  std::vector<std::string> out;
  for (const Symmetry& each : all) out.push_back(each.name);
  return out;
}

Symmetry one_of(const AuditImages& images, const std::string& name) { return all_of(images, name).at(0); }

TEST(Symmetries, GoThereAndBackAgain) {
  const AuditImages images = images_like({4, 3, 16, 16});
  const std::vector<Symmetry> all = all_of(images);
  EXPECT_EQ(all.size(), 24u);
  for (const Symmetry& phi : all) {
    const at::Tensor moved = phi.map(images.values);
    EXPECT_EQ(moved.sizes(), images.values.sizes()) << phi.name;
    EXPECT_GT((moved - images.values).abs().mean().item<double>(), 0.01) << phi.name << " does something";
    EXPECT_TRUE(at::allclose(phi.inverse(moved), images.values, 0, 1e-5)) << phi.name;
    EXPECT_TRUE(at::allclose(phi.map(phi.inverse(images.values)), images.values, 0, 1e-5)) << phi.name;
  }
}

TEST(Symmetries, NameTheirInverses) {
  const AuditImages images = images_like({2, 3, 16, 16});
  int named = 0;
  for (const Symmetry& phi : all_of(images)) {
    if (phi.inverse_name.empty()) continue;
    ++named;
    const Symmetry back = one_of(images, phi.inverse_name);
    EXPECT_TRUE(at::allclose(back.map(phi.map(images.values)), images.values, 0, 1e-5)) << phi.name;
  }
  EXPECT_EQ(named, 20) << "all but the shifts, gamma and intensity";
}

TEST(Symmetries, LipschitzConstantsAreThoseOfDifferences) {
  const AuditImages images = images_like({64, 3, 8, 8});
  const at::Tensor x = images.values.to(at::kDouble);
  // Differences in one channel reach the constants of colours.
  at::Tensor step = at::zeros_like(x);
  for (std::int64_t i = 0; i < 64; ++i) step[i].select(0, i % 3) += 1e-3;
  const auto ratio = [&](const TensorMapping& map, auto norm) {
    return (norm(map(x + step) - map(x)) / norm(step)).max().template item<double>();
  };
  const auto l1 = [](const at::Tensor& d) { return d.abs().flatten(1).mean(1); };
  const auto euclidean = [](const at::Tensor& d) { return d.square().flatten(1).sum(1).sqrt(); };
  for (const Symmetry& phi : all_of(images)) {
    if (phi.name == "gamma") continue;
    EXPECT_NEAR(ratio(phi.map, l1), phi.lipschitz.l1, 1e-6) << phi.name;
    EXPECT_NEAR(ratio(phi.inverse, l1), phi.inverse_lipschitz.l1, 1e-6) << phi.name;
    EXPECT_NEAR(ratio(phi.map, euclidean), phi.lipschitz.euclidean, 1e-6) << phi.name;
    EXPECT_NEAR(ratio(phi.inverse, euclidean), phi.inverse_lipschitz.euclidean, 1e-6) << phi.name;
  }
  EXPECT_NEAR(one_of(images, "hue-60").inverse_lipschitz.l1, 5.0 / 3, 1e-12) << "2/3 + 2/3 + 1/3";
  EXPECT_NEAR(one_of(images, "hue-120").inverse_lipschitz.l1, 1, 1e-12) << "red to green to blue";
}

TEST(Symmetries, TheWayBackFromGammaHasNoConstant) {
  const Symmetry gamma = one_of(images_like({1, 3, 8, 8}), "gamma");
  EXPECT_TRUE(std::isinf(gamma.inverse_lipschitz.l1));
  const at::Tensor black = at::full({1, 1, 1, 1}, -1.0, at::kDouble);
  EXPECT_GT((gamma.inverse(black + 1e-9) - gamma.inverse(black)).item<double>(), 100e-9);
  EXPECT_NEAR(gamma.map(at::zeros({1, 1, 1, 1}, at::kDouble)).item<double>(), 2 * std::pow(0.5, 1.5) - 1,
              1e-12);
  EXPECT_EQ(LipschitzConstants().of("l2"), std::numeric_limits<double>::infinity()) << "no norm";
}

TEST(Symmetries, AHueRotationIsExactOnDrawnImages) {
  const std::string task = "circles-squares";
  for (const Domain domain : {Domain::a, Domain::b}) {
    const SceneTruth truth = generated_truth(task, domain, Split::test, 5, 2);
    SceneTruth turned = truth;
    turned.hue += 30.0 / 360;
    const at::Tensor x = to_tensor(render_scene(task, domain, truth, 32), ValueRange()).unsqueeze(0),
                     expected = to_tensor(render_scene(task, domain, turned, 32), ValueRange()).unsqueeze(0);
    const at::Tensor made = one_of(drawn_images(task, "a", 1, 32), "hue-30").map(x);
    EXPECT_LT((made - expected).abs().max().item<double>(), 2.5 / 127.5) << "rounding of both to 8 bits";
    EXPECT_GT((x - expected).abs().max().item<double>(), 0.2) << "the hue is another";
  }
}

TEST(Symmetries, QuarterTurnsTurnTheWayTheySay) {
  at::Tensor corner = at::zeros({1, 1, 4, 4});
  corner[0][0][0][3] = 1;  // upper right
  AuditImages images = images_like({1, 1, 4, 4});
  EXPECT_EQ(one_of(images, "rot90").map(corner)[0][0][0][0].item<float>(), 1) << "to the left: upper left";
  EXPECT_EQ(one_of(images, "rot270").map(corner)[0][0][3][3].item<float>(), 1) << "to the right: lower right";
}

TEST(Symmetries, ShiftsAreCircularAndByAnEighth) {
  at::Tensor dot = at::zeros({1, 1, 16, 16});
  dot[0][0][15][15] = 1;
  const AuditImages images = images_like({1, 1, 16, 16});
  EXPECT_EQ(one_of(images, "shift-x").map(dot)[0][0][15][1].item<float>(), 1);
  EXPECT_EQ(one_of(images, "shift-y").map(dot)[0][0][1][15].item<float>(), 1);
}

TEST(Symmetries, AutoTakesThoseThatFit) {
  const auto grey = names_of(all_of(images_like({2, 1, 8, 8})));
  EXPECT_THAT(grey, AllOf(Contains("rot90"), Contains("negative"), Not(Contains("swap-rg")),
                          Not(Contains("hue-30"))));
  const auto wide = names_of(all_of(images_like({2, 3, 8, 12})));
  EXPECT_THAT(wide, AllOf(Not(Contains("rot90")), Contains("rot180"), Contains("hue-330")));
  const auto own_white = names_of(all_of(images_like({2, 1, 8, 8}, 0)));
  EXPECT_THAT(own_white, AllOf(Not(Contains("negative")), Not(Contains("gamma")), Contains("intensity")));
}

TEST(Symmetries, IntensitiesActOnSharesOfWhite) {
  const AuditImages own_white = images_like({1, 1, 4, 4}, 0), shifted = images_like({1, 1, 4, 4});
  EXPECT_TRUE(at::allclose(one_of(own_white, "intensity").map(own_white.values), own_white.values * 0.8));
  EXPECT_NEAR(one_of(shifted, "intensity").map(at::full({1, 1, 1, 1}, -1.0)).item<double>(), -1, 1e-6)
      << "black stays black";
  EXPECT_TRUE(at::allclose(one_of(shifted, "negative").map(shifted.values), -shifted.values));
}

TEST(Symmetries, WhatDoesNotFitOrIsUnknownIsNamed) {
  const auto refused = [](const AuditImages& images, const std::string& names) {
    return error_of<UsageError>([&] { all_of(images, names); });
  };
  EXPECT_THAT(refused(images_like({1, 1, 8, 8}), "hflip, hue-30"),
              AllOf(HasSubstr("hue-30"), HasSubstr("domain a"), HasSubstr("1 channels")));
  EXPECT_THAT(refused(images_like({1, 3, 8, 12}), "rot90"), HasSubstr("12x8 pixels, not square"));
  EXPECT_THAT(refused(images_like({1, 1, 8, 8}, 0), "gamma"), HasSubstr("white of their own"));
  EXPECT_THAT(refused(images_like({1, 3, 8, 8}), "hflp"),
              AllOf(HasSubstr("hflp"), HasSubstr("mean 'hflip'")));
  EXPECT_THAT(refused(images_like({1, 3, 8, 8}), "own"), HasSubstr("--symmetry-forward"));
}

class OwnSymmetry : public ::testing::Test {
 protected:
  std::string program(const std::string& name, const std::string& script) {
    const fs::path file = folder_ / name;
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(file, fs::perms::owner_all);
    return file.string();
  }
  Symmetry own(const std::string& forward, const AuditImages& images, const std::string& back = "") {
    AuditOptions options;
    options.symmetries = "own";
    options.symmetry_forward = forward;
    options.symmetry_back = back;
    return symmetries_for(options, images, folder_ / "scratch").at(0);
  }
  bool scratch_is_empty() { return fs::is_empty(folder_ / "scratch"); }
  TestFolder folder_;
};

TEST_F(OwnSymmetry, IsRunOnceForAFolderAndKeepsValuesToEightBits) {
  const std::string copy = program("copy me.sh", "echo run >> \"$0.runs\"; cp \"$1\"/*.png \"$2\"");
  for (const double black : {-1.0, 0.0}) {
    AuditImages images = images_like({20, 3, 8, 8}, black);
    if (black == 0) images.values *= 2.5;  // above a white of their own
    const Symmetry phi = own(copy, images, copy);
    const at::Tensor made = phi.map(images.values);
    const double step = black == 0 ? 2.5 / 255 : 2.0 / 255;
    EXPECT_LE((made - images.values).abs().max().item<double>(), step / 2 + 1e-6) << black;
    EXPECT_TRUE(phi.inverse);
    EXPECT_FALSE(own(copy, images).inverse) << "no way back was given";
  }
  std::ifstream runs(copy + ".runs");
  EXPECT_EQ(std::count(std::istreambuf_iterator<char>(runs), {}, '\n'), 2) << "one for each folder";
  EXPECT_TRUE(scratch_is_empty());
}

TEST_F(OwnSymmetry, FailuresNameTheProgramAndTheImage) {
  const AuditImages images = images_like({3, 1, 8, 8});
  const auto failure = [&](const std::string& name, const std::string& script) {
    const Symmetry phi = own(program(name, script), images);
    return error_of([&] { phi.map(images.values); });
  };
  EXPECT_THAT(failure("breaks.sh", "echo first; echo 'no licence' >&2; exit 3"),
              AllOf(HasSubstr("breaks.sh"), HasSubstr("exit code 3"), HasSubstr("no licence")));
  EXPECT_THAT(failure("forgets.sh", "cp \"$1\"/000000.png \"$2\""),
              AllOf(HasSubstr("forgets.sh"), HasSubstr("made no image 000001.png")));
  EXPECT_THAT(failure("killed.sh", "kill -9 $$"), HasSubstr("signal 9"));
  EXPECT_THAT(error_of([&] { own((folder_ / "absent").string(), images).map(images.values); }),
              AllOf(HasSubstr("absent"), HasSubstr("cannot be started")));
  EXPECT_TRUE(scratch_is_empty());
}

}  // namespace
}  // namespace torsor::symmetries_test
