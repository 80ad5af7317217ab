// The measuring of the T1-FLAIR experiment, with translators whose answers are planted.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/audit_material.h"
#include "audit/symmetry_battery.h"
#include "core/files.h"
#include "data/phantom.h"
#include "data/tensor_image.h"
#include "experiment/contrast_runs.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

ContrastScale scale() { return contrast_scale(Scale::smoke); }

const ContrastSlices& slices() {
  static const ContrastSlices made = test_slices(open_contrasts("", scale()), scale());
  return made;
}

at::Tensor same(const at::Tensor& x) { return x; }
at::Tensor mirrored(const at::Tensor& x) { return x.flip({3}); }
at::Tensor ones(const at::Tensor& x) { return at::ones({x.size(0), 1, 2, 2}); }
at::Tensor black(const at::Tensor& x) { return at::zeros_like(x); }

// Looks the true other contrast up of slices of `from` and their mirror images; others stay as they are.
TensorMapping truth(const at::Tensor& from, const at::Tensor& to) {
  return [from, to](const at::Tensor& x) {
    std::vector<at::Tensor> out;
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      out.push_back(x[i]);
      for (std::int64_t k = 0; k < from.size(0); ++k) {
        if (at::equal(x[i], from[k])) out.back() = to[k];
        if (at::equal(x[i], from[k].flip({2}))) out.back() = to[k].flip({2});
      }
    }
    return at::stack(out);
  };
}

ContrastNetworks networks(const TensorMapping& there, const TensorMapping& back) {
  return {there, back, ones, ones};
}

double part(const Json& measured, const char* key) { return measured.at(key).get<double>(); }

Json plain(const ContrastNetworks& n, double alpha = 10) { return measure_contrasts(n, slices(), alpha); }
Json flipped(const ContrastNetworks& n, double alpha = 10) { return plain(composed_with_flip(n), alpha); }

double flip_distance() {
  const Json flip = measure_flip(slices());
  return (part(flip, "a") + part(flip, "b")) / 2;
}

TEST(ContrastMeasuring, TheIdentityIsACopyAndItsSlopeIsTheFlipsDistance) {
  const ContrastNetworks copy = networks(same, same);
  const Json p = plain(copy), f = flipped(copy);
  EXPECT_EQ(part(p, "gan"), 0) << "the discriminators take everything for real";
  EXPECT_EQ(part(p, "cycle"), 0);
  EXPECT_EQ(part(p, "identity"), 0);
  EXPECT_NEAR(part(f, "cycle"), 0, 1e-12) << "the flip is undone";
  EXPECT_NEAR((part(f, "loss") - part(p, "loss")) / 20, flip_distance(), 1e-6);
  const Json copies = measure_copies(slices());
  EXPECT_LE(part(p, "psnr_a_to_b"), part(copies, "a_to_b"));
  EXPECT_NEAR(part(p, "psnr_a_to_b"), part(copies, "a_to_b"), 1) << "the better of two ways to copy";
}

TEST(ContrastMeasuring, AFlipIsFoundToBeOne) {
  const ContrastNetworks flip = networks(mirrored, mirrored);
  const Json p = plain(flip), f = flipped(flip);
  EXPECT_NEAR(part(p, "identity") / 20, flip_distance(), 1e-6);
  EXPECT_EQ(part(f, "identity"), 0);
  EXPECT_EQ(part(p, "cycle"), 0);
  EXPECT_LT(part(p, "psnr_a_to_b"), part(f, "psnr_a_to_b"));
}

TEST(ContrastMeasuring, TheTruthIsExactAndItsFlipIsNot) {
  const ContrastNetworks right = networks(truth(slices().a, slices().b), truth(slices().b, slices().a));
  const Json p = plain(right, 0), f = flipped(right, 0);
  for (const char* key : {"psnr_a_to_b", "psnr_b_to_a", "brain_a_to_b", "brain_b_to_a"}) {
    EXPECT_EQ(part(p, key), 100) << key;
    EXPECT_LT(part(f, key), 40) << key;
  }
  EXPECT_EQ(part(p, "loss"), 0);
  EXPECT_NEAR(part(f, "loss"), 0, 1e-12) << "the loss does not see the flip: the claim in one line";
  EXPECT_LT(part(f, "brain_a_to_b"), part(f, "psnr_a_to_b")) << "black corners flatter the whole slice";
}

TEST(ContrastMeasuring, EachDirectionHasItsOwnNumber) {
  const Json p = plain(networks(truth(slices().a, slices().b), black), 0);
  EXPECT_EQ(part(p, "psnr_a_to_b"), 100);
  EXPECT_EQ(part(p, "brain_a_to_b"), 100);
  EXPECT_LT(part(p, "psnr_b_to_a"), 20);
  EXPECT_LT(part(p, "brain_b_to_a"), part(p, "psnr_b_to_a"));
  const Json q = plain(networks(black, truth(slices().b, slices().a)), 0);
  EXPECT_EQ(part(q, "psnr_b_to_a"), 100);
  EXPECT_LT(part(q, "psnr_a_to_b"), 20);
  EXPECT_NE(part(p, "psnr_b_to_a"), part(q, "psnr_a_to_b")) << "T1 and FLAIR are not equally bright";
}

TEST(ContrastMeasuring, OneThatIgnoresItsInputPaysTheCycle) {
  const Json p = plain(networks(black, black), 0);
  EXPECT_GT(part(p, "cycle"), 1);
  EXPECT_LT(part(p, "psnr_a_to_b"), part(measure_copies(slices()), "a_to_b"));
}

TEST(ContrastMeasuring, DiscriminatorsSeeWhatTheyAreGiven) {
  ContrastNetworks n = networks(same, same);
  n.d_a = [](const at::Tensor& x) { return at::zeros({x.size(0), 1, 1, 1}); };
  EXPECT_EQ(part(plain(n), "gan"), 1) << "(0 - 1)^2 of the discriminator of A";
}

// An audit of the same translators on the same pairs.
Json audited(const ContrastNetworks& n, double alpha) {
  AuditInputs inputs;
  inputs.runs.emplace_back();
  AuditedRun& run = inputs.runs.front();
  run.maps = n;
  CycleGanOptions objective;
  objective.alpha_id = alpha;
  std::string notice;
  run.terms = generator_terms(objective, gan_loss("lsgan"), resolve_identity(objective, 1, 1, notice));
  run.cycle_norm = "l1";
  const auto images = [](const char* domain, const at::Tensor& values, const at::Tensor& white) {
    AuditImages out;
    out.domain = domain;
    out.values = values;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      out.ranges.push_back({white[i].item<double>(), 0, 0, PixelType::u8});
      out.names.push_back(fmt::format("{}", i));
      out.keys.push_back(fmt::format("{} {}", domain, i));
      out.groups.push_back(i);
    }
    return out;
  };
  inputs.a = images("a", slices().a, slices().white_a);
  inputs.b = images("b", slices().b, slices().white_b);
  inputs.pairs = AuditPairs{inputs.a, inputs.b};
  for (auto& [key, domain] : run.info.domains) domain = {key, 1, inputs.a.ranges.front()};
  FeatureOptions pixels;
  pixels.features = "pixels";
  inputs.extractor = make_extractor(pixels, c10::Device(c10::kCPU));
  AuditOptions options;
  options.symmetries = "hflip";
  const TestFolder folder;
  const StopFlag stop;
  AuditMaterial material(inputs, options, folder.path, std::make_shared<NullLog>(), stop);
  return measure_symmetries(material).at("table_1");
}

TEST(ContrastMeasuring, AnAuditGivesTheSameRowOfTheTable) {
  ContrastNetworks n = networks(truth(slices().a, slices().b), [](const at::Tensor& y) { return 0.9 * y; });
  n.d_b = [](const at::Tensor& x) { return x.flatten(1).mean(1, true); };
  const Json row = audited(n, 10);
  for (const auto& [ours, reproduced] : {std::pair{"plain", plain(n)}, std::pair{"flipped", flipped(n)}}) {
    for (const char* key : {"gan", "cycle", "identity", "loss"})
      EXPECT_NEAR(part(row.at(ours).at("loss"), key), part(reproduced, key), 1e-6) << ours << " " << key;
    EXPECT_NEAR(part(row.at(ours).at("psnr"), "a_to_b"), part(reproduced, "psnr_a_to_b"), 1e-6) << ours;
    EXPECT_NEAR(part(row.at(ours).at("psnr"), "b_to_a"), part(reproduced, "psnr_b_to_a"), 1e-6) << ours;
  }
  EXPECT_NEAR((part(row, "moved_a") + part(row, "moved_b")) / 2, flip_distance(), 1e-6);
}

void write_slice(const fs::path& path, Domain domain, std::int64_t index) {
  write_image(path, render_phantom(domain, phantom_truth(domain, Split::test, 3, index), 32));
}

class SliceFolder : public ::testing::Test {
 protected:
  SliceFolder() {
    for (const char* part : {"train/T1", "train/FLAIR", "test/T1", "test/FLAIR"}) make_folder(folder_ / part);
    for (std::int64_t i = 0; i < 3; ++i)
      for (const char* split : {"train", "test"}) {
        write_slice(folder_ / split / "T1" / name(i), Domain::a, i);
        write_slice(folder_ / split / "FLAIR" / name(i), Domain::b, i);
      }
  }
  static std::string name(std::int64_t i) { return fmt::format("slice_{}.png", i); }
  std::string refusal() const {
    return error_of([&] { test_slices(open_contrasts(folder_.path, scale()), scale()); });
  }
  TestFolder folder_;
};

TEST_F(SliceFolder, PairsAreReadInOrder) {
  const ContrastData data = open_contrasts(folder_.path, scale());
  EXPECT_EQ(data.train_count, 3);
  const ContrastSlices read = test_slices(data, scale());
  const Image b = render_phantom(Domain::b, phantom_truth(Domain::b, Split::test, 3, 2), 32);
  const ValueRange range = percentile_range(b, PixelType::u8);
  EXPECT_EQ(read.white_b[2].item<double>(), static_cast<float>(range.white));
  EXPECT_TRUE(at::equal(read.b[2], to_tensor(b, range)));
}

TEST_F(SliceFolder, WhatIsMissingIsNamed) {
  fs::rename(folder_ / "test/FLAIR" / name(1), folder_ / "test/FLAIR/other.png");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("test/FLAIR/other.png"), HasSubstr("has no pair")));
  fs::remove(folder_ / "test/FLAIR/other.png");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("test/T1/slice_1.png"), HasSubstr("has no pair")));
  fs::remove_all(folder_ / "train/FLAIR");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("no folder train/FLAIR"), HasSubstr("expected train/T1")));
}

TEST_F(SliceFolder, ABlackSliceIsRefusedByName) {
  write_image(folder_ / "test/T1" / name(2), Image::blank(32, 32, 1));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("slice_2.png"), HasSubstr("95th percentile is 0")));
}

}  // namespace
}  // namespace torsor
