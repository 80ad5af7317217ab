// Extractors by name and from files, what they say of themselves, and what they refuse.
#include "metric/feature_extractor.h"

#include <cstdlib>

#include "core/files.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "metric/efficientnet_lite.h"
#include "metric/extractors.h"
#include "metric/feature_distance.h"
#include "metric/formula_weights.h"
#include "metric/network_extractor.h"
#include "model/classifier.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::patterned_images;
using testing::relative_l2;
using testing::TestFolder;

std::shared_ptr<FeatureExtractor> make(const std::string& features, const std::string& protocol = "auto",
                                       std::int64_t width = 0) {
  return make_extractor({features, protocol, width}, c10::kCPU);
}

// TORSOR_FEATURES while it lives.
class FeatureFolder {
 public:
  explicit FeatureFolder(const std::filesystem::path& folder) {
    if (const char* before = std::getenv("TORSOR_FEATURES")) before_ = before;
    setenv("TORSOR_FEATURES", folder.c_str(), 1);
  }
  ~FeatureFolder() {
    if (before_.empty())
      unsetenv("TORSOR_FEATURES");
    else
      setenv("TORSOR_FEATURES", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

// Every tensor that EfficientNet-Lite0 has, of the formula.
TensorMap efficientnet_weights() {
  TensorMap out;
  const auto add = [&](const std::string& key, const std::vector<std::int64_t>& shape) {
    out.emplace_back(key, testing::formula_tensor(kEfficientNetLite0, key, shape));
  };
  const auto norm = [&](const std::string& key, std::int64_t channels) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      add(key + part, {channels});
    out.emplace_back(key + ".num_batches_tracked", at::zeros({}, at::kLong));
  };
  add("_conv_stem.weight", {32, 3, 3, 3});
  norm("_bn0", 32);
  const std::int64_t blocks[16][4] = {
      // in, wide, out, kernel
      {32, 32, 16, 3},     {16, 96, 24, 3},     {24, 144, 24, 3},    {24, 144, 40, 5},
      {40, 240, 40, 5},    {40, 240, 80, 3},    {80, 480, 80, 3},    {80, 480, 80, 3},
      {80, 480, 112, 5},   {112, 672, 112, 5},  {112, 672, 112, 5},  {112, 672, 192, 5},
      {192, 1152, 192, 5}, {192, 1152, 192, 5}, {192, 1152, 192, 5}, {192, 1152, 320, 3}};
  for (int i = 0; i < 16; ++i) {
    const auto& [in, wide, channels, kernel] = blocks[i];
    const std::string key = fmt::format("_blocks.{}.", i);
    if (wide != in) {
      add(key + "_expand_conv.weight", {wide, in, 1, 1});
      norm(key + "_bn0", wide);
    }
    add(key + "_depthwise_conv.weight", {wide, 1, kernel, kernel});
    norm(key + "_bn1", wide);
    add(key + "_project_conv.weight", {channels, wide, 1, 1});
    norm(key + "_bn2", channels);
  }
  add("_conv_head.weight", {1280, 320, 1, 1});
  norm("_bn1", 1280);
  add("_fc.weight", {1000, 1280});
  add("_fc.bias", {1000});
  return out;
}

// tests/data/make_feature_fixtures.py recorded it.
TEST(EfficientNetLite, IsThePackages) {
  const TensorMap recorded =
      read_npz(std::filesystem::path(TORSOR_TEST_DATA) / "metric" / "efficientnet_lite0.npz");
  const auto constants = [](std::array<double, 3> v) {
    return at::tensor(at::ArrayRef<double>(v), at::kDouble).view({1, 3, 1, 1});
  };
  const at::Tensor pixels = find_tensor(recorded, "pixels").to(at::kDouble) / 255;
  const at::Tensor input = (pixels - constants({0.485, 0.456, 0.406})) / constants({0.229, 0.224, 0.225});
  const at::Tensor expected = find_tensor(recorded, "features");
  const at::NoGradGuard no_gradients;
  for (const auto& [dtype, tolerance] : {std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 1e-5}}) {
    WeightTable weights(efficientnet_weights(), "formula");
    const EfficientNetLite0 network(weights, {c10::kCPU, dtype});
    EXPECT_LE(relative_l2(network.features(input.to(dtype)), expected), tolerance);
  }
}

TEST(EfficientNetLite, IsTheDefaultWhereItsFileIs) {
  const TestFolder folder;
  const FeatureFolder here(folder.path);
  const std::vector<Image> images = patterned_images(2, 50, 40);
  const auto stand_in = make("auto");
  EXPECT_EQ(stand_in->name(), "random-vgg");
  ASSERT_EQ(stand_in->notes().size(), 1u);
  EXPECT_THAT(stand_in->notes()[0], HasSubstr(folder.path.string()));
  EXPECT_THAT(error_of([] { make("efficientnet-lite0"); }), HasSubstr("make features"));
  FeatureWeights weights{kEfficientNetLite0, efficientnet_weights(), "", "formula.pth"};
  write_feature_weights(folder / "efficientnet-lite0.safetensors", weights);
  const auto found = make("auto");
  EXPECT_EQ(found->name(), "efficientnet-lite0");
  EXPECT_THAT(found->notes(), ElementsAre());
  EXPECT_EQ(found->protocol().at("input_size"), Json({224, 224}));
  EXPECT_EQ(found->hash(), make((folder / "efficientnet-lite0.safetensors").string())->hash());
  EXPECT_EQ(found->features(images).sizes(), at::IntArrayRef({2, 1280}));
  write_file_atomically(folder / "efficientnet-lite0.safetensors", "torn");
  EXPECT_THAT(error_of([] { make("auto"); }), HasSubstr("efficientnet-lite0.safetensors"))
      << "not silently another";
}

// Of an image that is not resized: the constants of ImageNet, by channel.
TEST(EfficientNetLite, SeesImagesNormalisedAsThePackageDocuments) {
  const Image image = patterned_images(1, 224, 224)[0];
  const at::Tensor pixels = at::from_blob(const_cast<std::uint8_t*>(image.u8()), {1, 224, 224, 3}, at::kByte);
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}), deviation = at::tensor({0.229, 0.224, 0.225});
  const at::Tensor input = ((pixels / 255.0 - mean) / deviation).permute({0, 3, 1, 2}).to(at::kFloat);
  const FeatureWeights file{kEfficientNetLite0, efficientnet_weights(), "x.pth", "x.pth"};
  WeightTable weights(file.tensors, "formula");
  const at::NoGradGuard no_gradients;
  const at::Tensor expected = EfficientNetLite0(weights, {}).features(input);
  EXPECT_LE(relative_l2(make_efficientnet_extractor(file, {})->features({&image, 1}), expected), 1e-5);
}

TEST(EfficientNetLite, OtherWeightsAreAnotherExtractor) {
  FeatureWeights weights{kEfficientNetLite0, efficientnet_weights(), "x.pth", "x.pth"};
  const auto extractor = make_efficientnet_extractor(weights, {});
  const std::string hash = extractor->hash();
  for (auto& [key, tensor] : weights.tensors)
    if (key == "_blocks.7._bn1.bias") tensor = tensor.clone(), tensor[3] += 1e-6;
  EXPECT_NE(make_efficientnet_extractor(weights, {})->hash(), hash);
  weights.tensors.emplace_back("_blocks.16._bn2.bias", at::zeros({320}));
  EXPECT_THAT(error_of([&] { make_efficientnet_extractor(weights, {}); }),
              HasSubstr("x.pth: has a tensor '_blocks.16._bn2.bias', which this network does not have"));
}

// Their weights or definitions must never change unnoticed: numbers of last year are compared with this
// year's.
TEST(FeatureExtractor, ThoseWithoutFilesAreTheSameOnEveryMachine) {
  EXPECT_EQ(make("pixels")->hash(), "1dd510f1d93091eb95c8235da07b5e96");
  EXPECT_EQ(make("random-vgg")->hash(), "21fa668d3a7d8fa1ccafd36ff7a55f26");
  EXPECT_EQ(make("pixels")->width(), 3072);
  EXPECT_EQ(make("random-vgg")->width(), 480);
}

TEST(FeatureExtractor, PixelsAreTheResizedImage) {
  Image image = Image::blank(32, 32, 3);
  for (std::int64_t i = 0; i < image.samples(); ++i) image.u8()[i] = static_cast<std::uint8_t>(i % 251);
  const at::Tensor row = make("pixels")->features({&image, 1})[0];
  for (const std::int64_t p : {0, 77, 1023})
    for (std::int64_t c = 0; c < 3; ++c)
      EXPECT_NEAR(row[c * 1024 + p].item<double>(), image.u8()[3 * p + c] / 255.0, 1e-7);
}

TEST(FeatureExtractor, AnImageGivesTheSameWhateverIsBesideIt) {
  const auto extractor = make("random-vgg");
  std::vector<Image> images = patterned_images(static_cast<std::int64_t>(kExtractorBatch) + 2, 40, 30);
  images[1] = patterned_images(1, 91, 17)[0];
  const at::Tensor together = extractor->features(images);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, kExtractorBatch + 1})
    EXPECT_LE(relative_l2(together[static_cast<std::int64_t>(i)], extractor->features({&images[i], 1})[0]),
              1e-6);
  EXPECT_GT(relative_l2(together[2], together[3]), 1e-2) << "unlike images";
  EXPECT_EQ(extractor->features({}).sizes(), at::IntArrayRef({0, 480}));
}

TEST(FeatureExtractor, GreyIsRepeatedAndAlphaDropped) {
  const auto extractor = make("pixels");
  const Image grey = patterned_images(1, 20, 20, 1)[0];
  Image rgba = Image::blank(20, 20, 4), floats = Image::blank(20, 20, 1, PixelType::f32);
  for (std::int64_t i = 0; i < 400; ++i) {
    floats.f32()[i] = grey.u8()[i];
    for (std::int64_t c = 0; c < 4; ++c) rgba.u8()[4 * i + c] = c < 3 ? grey.u8()[i] : 9;
  }
  const Image all[] = {grey, rgba, floats};
  const at::Tensor rows = extractor->features(all);
  EXPECT_TRUE(rows[0].equal(rows[1]));
  EXPECT_TRUE(rows[0].equal(rows[2]));
  floats.f32()[7] = std::nanf("");
  EXPECT_THAT(error_of([&] { extractor->features({&floats, 1}); }), HasSubstr("not finite"));
  const Image deep = Image::blank(4, 4, 1, PixelType::u16), many = Image::blank(4, 4, 5);
  EXPECT_THAT(error_of([&] { extractor->features({&deep, 1}); }), HasSubstr("16 bits"));
  EXPECT_THAT(error_of([&] { extractor->features({&many, 1}); }), HasSubstr("5 channels"));
}

TEST(FeatureExtractor, UnknownNamesAndChoicesAreRefused) {
  EXPECT_THAT(error_of<UsageError>([] { make("pixel"); }), HasSubstr("did you mean 'pixels'?"));
  EXPECT_THAT(error_of<UsageError>([] { make("pixels", "clean-fid"); }), HasSubstr("--protocol clean-fid"));
  EXPECT_THAT(error_of<UsageError>([] { make("random-vgg", "auto", 64); }), HasSubstr("480"));
  EXPECT_THAT(error_of([] { make("no/such/file.pth"); }), HasSubstr("no/such/file.pth"));
}

TEST(FeatureExtractor, FilesOfSomethingElseAreRefused) {
  const TestFolder folder;
  write_safetensors(folder / "other.safetensors", {{{"model.weight", at::zeros({2})}}, {}});
  EXPECT_THAT(error_of([&] { make((folder / "other.safetensors").string()); }),
              HasSubstr("no feature network"));
  write_safetensors(folder / "newer.safetensors",
                    {{{"w", at::zeros({2})}}, {{"torsor.features", R"({"format":2,"architecture":"x"})"}}});
  EXPECT_THAT(error_of([&] { make((folder / "newer.safetensors").string()); }), HasSubstr("use a newer one"));
  write_safetensors(folder / "odd.safetensors",
                    {{{"w", at::zeros({2})}}, {{"torsor.features", R"({"format":"x"})"}}});
  EXPECT_THAT(error_of([&] { make((folder / "odd.safetensors").string()); }), HasSubstr("odd.safetensors"));
}

// As `torsor reproduce` leaves it.
std::filesystem::path write_classifier(const TestFolder& folder, Json options) {
  ClassifierOptions made;
  made.side = 16;
  made.width = 4;
  Classifier model(made, {}, {}, 3);
  Archive archive;
  model.save(archive);
  Json all = options_to_json(made);
  all.update(options);
  archive.write(folder / "classifier.safetensors", {{"options", all.dump()}});
  return folder / "classifier.safetensors";
}

TEST(ClassifierFeatures, AreWhatItsLastLayerSees) {
  const TestFolder folder;
  const auto extractor = make(write_classifier(folder, Json::object()).string());
  EXPECT_EQ(extractor->name(), "classifier");
  EXPECT_EQ(extractor->protocol().at("input_size"), Json({16, 16}));
  const at::Tensor features = extractor->features(patterned_images(3, 20, 20));
  EXPECT_EQ(features.sizes(), at::IntArrayRef({3, 16}));
  EXPECT_GT(relative_l2(features[0], features[1]), 0);
}

TEST(ClassifierFeatures, DamagedDescriptionsAreErrors) {
  const TestFolder folder;
  const auto message = [&](const Json& options) {
    const std::string file = write_classifier(folder, options).string();
    return error_of([&] { make(file); });
  };
  EXPECT_THAT(message({{"width", 5}}), HasSubstr("classifier.safetensors"));
  EXPECT_THAT(message({{"side", 17}}), HasSubstr("classifier.safetensors"));
  EXPECT_THAT(message({{"in_channels", 2}}), HasSubstr("2 channels"));
}

TEST(FeatureDistance, IsTheFormula) {
  const at::Tensor x = at::tensor({3.0, 4.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0}).view({4, 2});
  const at::Tensor y = at::tensor({3.0, 4.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0}).view({4, 2});
  const FeatureDistances d = feature_distances(x, y);
  EXPECT_TRUE(at::allclose(d.relative_l2, at::tensor({0.0, std::sqrt(2.0), 0.0, std::sqrt(2.0)}, at::kDouble),
                           1e-14));
  EXPECT_TRUE(at::allclose(d.cosine, at::tensor({0.0, 1.0, 0.0, 1.0}, at::kDouble), 1e-14));
  EXPECT_NEAR(feature_distances(x, -x).relative_l2[0].item<double>(), 2, 1e-14);
  EXPECT_NEAR(feature_distances(x, -x).cosine[0].item<double>(), 2, 1e-14);
  EXPECT_THROW(feature_distances(x, y.slice(0, 0, 2)), Error);
}

}  // namespace
}  // namespace torsor
