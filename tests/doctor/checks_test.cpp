// Each check finds what is planted, and nothing in healthy data.
#include "doctor_test_support.h"
#include "image/convert.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One finding of this level whose text has all parts.
void expect_found(const std::string& check, const Survey& survey, Level level, std::size_t places,
                  const std::vector<std::string>& parts) {
  const std::vector<ImageFinding> found = found_by(check, survey);
  ASSERT_THAT(found, SizeIs(1)) << check;
  EXPECT_EQ(found.front().level, level) << check;
  EXPECT_THAT(found.front().places, SizeIs(places)) << check;
  EXPECT_THAT(found.front().text, ::testing::Not(HasSubstr("\n")));
  for (const std::string& part : parts) EXPECT_THAT(found.front().text, HasSubstr(part));
}

TEST(Checks, AreSilentOnHealthyData) {
  for (const std::string& name : doctor_checks().names()) {
    if (name == "domains") continue;  // it says how the domains differ
    for (const ImageFinding& finding : found_by(name, healthy_survey()))
      ADD_FAILURE() << name << ": " << finding.text;
  }
  for (const ImageFinding& finding : findings_of(healthy_survey())) EXPECT_EQ(finding.level, Level::info);
}

TEST(Checks, ComeWithTheirNamesAndWarningsFirst) {
  Survey survey = healthy_survey();
  survey.sets[0].images[3].problem = "x/3.png: is damaged";
  const std::vector<ImageFinding> found = findings_of(survey);
  ASSERT_GE(found.size(), 2U);
  EXPECT_EQ(found.front().id, "broken_files");
  EXPECT_EQ(found.front().level, Level::warning);
  EXPECT_EQ(found.back().level, Level::info);
}

TEST(Checks, FindBrokenFiles) {
  Survey survey = healthy_survey();
  for (const int i : {1, 2, 3, 4}) survey.sets[1].images[i].problem = fmt::format("b/{}.png: is empty", i);
  expect_found("broken_files", survey, Level::warning, 4,
               {"4 of 50 images in trainB", "trainB_01.png, trainB_02.png, trainB_03.png and 1 more",
                "b/1.png: is empty", "--skip-bad"});
}

TEST(Checks, FindWhatWasLeftOut) {
  Survey survey = healthy_survey();
  survey.left_out = {"a: 1 file left out: x.heic"};
  expect_found("left_out_files", survey, Level::warning, 0, {"x.heic"});
}

TEST(Checks, FindIdenticalImagesOfASet) {
  Survey survey = healthy_survey();
  survey.sets[1].images[7] = recorded("copy.png", waves(2003, 64, 64, 3, 0.7));
  expect_found("exact_duplicates", survey, Level::warning, 2,
               {"1 group of identical images in trainB", "trainB_03.png = copy.png"});
  EXPECT_THAT(found_by("near_duplicates", survey), IsEmpty());
}

TEST(Checks, FindTestImagesThatAreTrainedWith) {
  Survey survey = healthy_survey();
  survey.sets[2].images[0] = recorded("leak.png", waves(1004));
  expect_found("exact_duplicates", survey, Level::warning, 2,
               {"1 image of testA identical to images of trainA", "trainA_04.png = leak.png", "flatters"});
}

TEST(Checks, FindImagesThatAreInBothDomains) {
  Survey survey = healthy_survey();
  survey.sets[1].images[0] = recorded("both.png", waves(1004));
  expect_found("exact_duplicates", survey, Level::warning, 2,
               {"1 image of trainB identical to images of trainA"});
}

TEST(Checks, FindNearDuplicates) {
  Survey survey = healthy_survey();
  const Image image = waves(1010);
  survey.sets[0].images[20] =
      recorded("again.jpg", decode_image(encode_image("jpg", image, {.jpeg_quality = 70}), "again.jpg"));
  expect_found("near_duplicates", survey, Level::warning, 2,
               {"nearly identical images in trainA", "trainA_10.png = again.jpg"});
  EXPECT_THAT(found_by("exact_duplicates", survey), IsEmpty());
}

// Frames of one film: five in training, the last of which is like the one that is tested with.
TEST(Checks, CountImagesOfATestThatAreDirectlyLikeTrainingImages) {
  Survey survey = healthy_survey();
  const ImageHash first = survey.sets[0].images[0].hash;
  for (std::size_t i = 0; i < 5; ++i) {
    survey.sets[0].images[i].hash = first;
    survey.sets[0].images[i].hash.bits = first.bits ^ ((std::uint64_t{1} << 6 * i) - 1);
  }
  survey.sets[2].images[3].hash = first;
  survey.sets[2].images[3].hash.bits = first.bits ^ ((std::uint64_t{1} << 30) - 1);
  const std::vector<ImageFinding> found = found_by("near_duplicates", survey);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].text, HasSubstr("1 group of nearly identical images in trainA among 5 images"));
  EXPECT_THAT(found[1].text, HasSubstr("1 image of testA nearly identical to images of trainA "
                                       "(trainA_04.png = testA_03.png)"));
  EXPECT_THAT(found[1].places, SizeIs(2));
}

TEST(Checks, FindConstantImages) {
  Survey survey = healthy_survey();
  survey.sets[0].images[0] = recorded("black.png", constant(64, 0));
  survey.sets[0].images[1] = recorded("also-black.png", constant(64, 0));
  expect_found("constant_images", survey, Level::warning, 2, {"2 of 50 images in trainA", "black.png"});
  EXPECT_THAT(found_by("exact_duplicates", survey), IsEmpty());
}

TEST(Checks, FindImagesThatWillBeEnlarged) {
  Survey survey = healthy_survey();
  survey.sets[0].images[5] = recorded("tiny.png", waves(5, 63, 200));
  expect_found("small_images", survey, Level::warning, 1,
               {"1 of 50 images in trainA", "64 pixels", "tiny.png"});
}

TEST(Checks, FindGreyAmongColour) {
  Survey survey = healthy_survey();
  survey.sets[1].images[5] = recorded("grey.png", waves(5, 64, 64, 1));
  expect_found("channels", survey, Level::warning, 1,
               {"1 of 50 images in trainB with one channel", "have 3", "grey.png"});
  survey = healthy_survey();
  survey.sets[1].images[5] = recorded("faded.png", with_channels(waves(5, 64, 64, 1), 3));
  expect_found("channels", survey, Level::warning, 1, {"grey, though stored as colours", "faded.png"});
}

TEST(Checks, SayHowGreyDomainsAreTrained) {
  Survey survey = healthy_survey();
  for (ImageRecord& image : survey.sets[0].images) image = recorded(image.name, waves(1, 64, 64, 1));
  expect_found("channels", survey, Level::info, 0, {"trainA holds grey images", "--channels-a 1"});
}

TEST(Checks, FindSamplesOfSeveralDepths) {
  Survey survey = healthy_survey();
  Image deep = Image::blank(64, 64, 3, PixelType::u16);
  for (std::int64_t i = 0; i < deep.samples(); ++i) deep.u16()[i] = static_cast<std::uint16_t>(i % 4000);
  survey.sets[0].range = {4095, -1, 0, PixelType::u16};
  survey.sets[0].images.resize(2);
  survey.sets[0].images[1] = recorded("deep.png", deep, survey.sets[0].range);
  const std::vector<ImageFinding> found = found_by("depth", survey);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].text,
              AllOf(HasSubstr("1 of 2 images in trainA with 8-bit samples"), HasSubstr("16-bit")));
  EXPECT_THAT(found[1].text, AllOf(HasSubstr("4095 as white"), HasSubstr("--white-a")));
}

TEST(Checks, FindPairsSideBySideAndWhatIsNone) {
  Survey survey;
  survey.sets = {made_set("train", Holds::pairs, Split::train, 0, 1)};
  for (std::uint64_t i = 0; i < 5; ++i)
    survey.sets[0].images.push_back(
        recorded(fmt::format("{}.png", i), waves(i, 128, 64), {}, FeaturesOf::halves));
  expect_found("pairs", survey, Level::info, 0, {"train holds pairs side by side", "--pairing aligned"});
  survey.sets[0].images[0].partner_features.clear();
  for (ImageRecord& image : survey.sets[0].images) {
    image.width = 64;
    image.name = "T1/" + image.name;
  }
  expect_found("pairs", survey, Level::warning, 0, {"only 0 of 5 images", "sub-folders are T1"});
}

TEST(Checks, FindPartnersByName) {
  Survey survey = healthy_survey();
  survey.sets[0].folder = "trainA";
  for (std::size_t i = 0; i < 45; ++i)
    survey.sets[1].images[i].pair_name = survey.sets[0].images[i].pair_name;
  expect_found("pairs", survey, Level::info, 10, {"45 images of trainA", "10 images without a partner"});
}

TEST(Checks, SayWhereImagesAreFewOrUnequal) {
  Survey survey = healthy_survey();
  survey.sets[0].images.resize(4);
  const std::vector<ImageFinding> found = found_by("numbers", survey);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].text, HasSubstr("trainA has 4 usable images"));
  EXPECT_THAT(found[1].text, HasSubstr("trainA has 4 images and trainB 50"));
}

TEST(Checks, SayWhatSizesAndShapesThereAre) {
  Survey survey = healthy_survey();
  survey.sets[0].images[3] = recorded("long.png", waves(3, 200, 100));
  const std::vector<ImageFinding> found = found_by("shapes", survey);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].text, HasSubstr("from 64x64 (trainA_00.png) to 200x100 (long.png)"));
  EXPECT_THAT(found[1].text, HasSubstr("scale_width_and_crop"));
}

TEST(Checks, FindBlackBackgrounds) {
  Survey survey = healthy_survey();
  for (ImageRecord& image : survey.sets[0].images) image.black_share = 0.61;
  expect_found("background", survey, Level::info, 0, {"trainA", "black", "61 %", "--mask"});
}

TEST(Checks, FindAlphaAndNotes) {
  Survey survey = healthy_survey();
  survey.sets[0].images[0] = recorded("clear.png", waves(5, 64, 64, 4));
  expect_found("alpha", survey, Level::info, 1, {"1 of 50 images in trainA", "clear.png"});
  survey = healthy_survey();
  survey.sets[0].images[1].notes = {"the end mark is missing"};
  expect_found("notes", survey, Level::info, 0, {"trainA: trainA_01.png: the end mark is missing"});
}

TEST(Checks, CountImagesByTheirProfiles) {
  Survey survey = healthy_survey();
  std::vector<ImageRecord>& images = survey.sets[1].images;
  const std::vector<std::string> names = {"Display P3", "Adobe RGB (1998)", "", "Adobe RGB (1998)"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    images[i].has_profile = true;
    images[i].profile = names[i];
    images[i].notes = {conversion_note(names[i])};
  }
  expect_found("profiles", survey, Level::info, 4,
               {"4 of 50 images in trainB", "Adobe RGB (1998) (2), Display P3 (1), one without a name (1)",
                "the first: trainB_00.png", "sRGB"});
  EXPECT_THAT(found_by("notes", survey), IsEmpty());
  images[1].notes.push_back("the end mark is missing");
  expect_found("notes", survey, Level::info, 0, {"trainB_01.png: the end mark is missing"});
  for (std::size_t i = 0; i < 7; ++i) {
    images[i].has_profile = true;
    images[i].profile = fmt::format("camera {}", i);
  }
  expect_found("profiles", survey, Level::info, 7, {"camera 0 (1)", "camera 4 (1) and 2 more"});
}

TEST(Checks, SayWhatTellsTheDomainsApart) {
  expect_found("domains", healthy_survey(), Level::info, 0, {"brightness (less in B"});
  Survey same;
  same.sets = {made_set("A", Holds::domain_a, Split::train, 30, 8),
               made_set("B", Holds::domain_b, Split::train, 30, 9)};
  expect_found("domains", same, Level::info, 0, {"no feature tells B from A"});
}

TEST(Checks, FindADomainThatIsMuchLarger) {
  Survey survey = healthy_survey();
  for (ImageRecord& image : survey.sets[1].images) image.width = image.height = 200;
  const std::vector<ImageFinding> found = found_by("domains", survey);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].level, Level::warning);
  EXPECT_THAT(found[0].text, HasSubstr("trainB are 3.1 times as large as those of trainA"));
}

}  // namespace
}  // namespace torsor::testing
