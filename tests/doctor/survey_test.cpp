// Folders as they lie on a disk: which sets they hold, what is recorded of their files.
#include "doctor/survey.h"

#include <fstream>
#include <set>

#include "core/files.h"
#include "doctor/diagnosis.h"
#include "doctor/planned_size.h"
#include "doctor/suggestion.h"
#include "doctor_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SurveyOfFolders : public ::testing::Test {
 protected:
  fs::path put(const std::string& folder, std::int64_t count, std::uint64_t seed, std::int64_t width = 64) {
    make_folder(folder_ / folder);
    for (std::int64_t i = 0; i < count; ++i)
      write_image(folder_ / folder / fmt::format("{}.png", i),
                  waves(seed * 100 + static_cast<std::uint64_t>(i), width));
    return folder_ / folder;
  }
  Survey surveyed(const DataPlace& place) const {
    NullLog log;
    return survey_images(place, log, StopFlag());
  }
  Survey surveyed(const fs::path& data) const { return surveyed(DataPlace{.data = data.string()}); }
  static std::vector<std::string> titles(const Survey& survey) {
    std::vector<std::string> out;
    for (const SurveyedSet& set : survey.sets) out.push_back(set.title);
    return out;
  }
  TestFolder folder_;
};

TEST_F(SurveyOfFolders, KnowsTheLayoutsOfATraining) {
  put("d/trainA", 3, 1);
  put("d/trainB", 2, 2);
  put("d/testB", 1, 3);
  EXPECT_THAT(titles(surveyed(folder_ / "d")), ElementsAre("trainA", "trainB", "testB"));
  put("p/train", 2, 1, 128);
  put("p/val", 1, 2, 128);
  const Survey pairs = surveyed(folder_ / "p");
  EXPECT_THAT(titles(pairs), ElementsAre("train", "val"));
  EXPECT_EQ(pairs.sets[0].holds, Holds::pairs);
  EXPECT_EQ(pairs.sets[0].median_side(), 64);
  EXPECT_THAT(pairs.sets[0].images[0].partner_features, Not(IsEmpty()));
  EXPECT_THAT(titles(surveyed(folder_ / "d" / "trainA")), ElementsAre("trainA"));
  EXPECT_THAT(titles(surveyed(DataPlace{.a = folder_ / "d/trainA", .b = folder_ / "d/trainB"})),
              ElementsAre("A", "B"));
  EXPECT_THAT(titles(surveyed(folder_ / "d")), SizeIs(3));
}

TEST_F(SurveyOfFolders, SaysWhichSetOfTwoIsMissing) {
  put("d/trainA", 2, 1);
  const Survey survey = surveyed(folder_ / "d");
  EXPECT_THAT(titles(survey), ElementsAre("trainA"));
  EXPECT_THAT(survey.left_out, ElementsAre(HasSubstr("trainB: no such folder")));
  EXPECT_THAT(error_of([&] { surveyed(folder_ / "none"); }), HasSubstr("none: no such folder"));
  EXPECT_THAT(error_of([&] { surveyed(DataPlace{.a = folder_ / "d/trainA", .b = folder_ / "none"}); }),
              HasSubstr("none: no such folder"));
  make_folder(folder_ / "empty");
  EXPECT_THAT(error_of([&] { surveyed(folder_ / "empty"); }), HasSubstr("holds no image"));
}

TEST_F(SurveyOfFolders, RecordsFilesAsTheyAre) {
  put("x", 2, 1);
  write_file_atomically(folder_ / "x/2.png", "no image at all");
  write_file_atomically(folder_ / "x/3.heic", std::string("\0\0\0\x18"
                                                          "ftypheic",
                                                          12));
  write_image(folder_ / "x/4.png", constant(20, 0));
  fs::copy(folder_ / "x/0.png", folder_ / "x/5.png");
  Image deep = Image::blank(32, 32, 1, PixelType::u16);
  for (std::int64_t i = 0; i < deep.samples(); ++i) deep.u16()[i] = static_cast<std::uint16_t>(i * 3);
  write_image(folder_ / "x/6.png", deep);
  const Survey survey = surveyed(folder_ / "x");
  const SurveyedSet& set = survey.sets.front();
  ASSERT_THAT(set.images, SizeIs(6));
  EXPECT_EQ(set.usable(), 5U);
  EXPECT_THAT(set.images[2].problem, HasSubstr("2.png"));
  EXPECT_TRUE(set.images[3].is_constant);
  EXPECT_EQ(set.images[3].black_share, 1);
  EXPECT_EQ(set.images[0].digest, set.images[4].digest);
  EXPECT_NE(set.images[0].digest, set.images[1].digest);
  EXPECT_EQ(set.images[5].type, PixelType::u16);
  EXPECT_EQ(set.range.white, 4095);
  EXPECT_THAT(survey.left_out, ElementsAre(HasSubstr("3.heic")));
  std::set<std::string> warned;
  for (const ImageFinding& finding : findings_of(survey))
    if (finding.level == Level::warning) warned.insert(finding.id);
  EXPECT_THAT(warned, ElementsAre("broken_files", "channels", "constant_images", "depth", "exact_duplicates",
                                  "left_out_files", "small_images"));
}

TEST_F(SurveyOfFolders, EndsWhenItIsStopped) {
  put("x", 3, 1);
  StopFlag stop;
  stop.request();
  NullLog log;
  EXPECT_THROW(survey_images({.data = folder_ / "x"}, log, stop), StoppedError);
}

TEST_F(SurveyOfFolders, OfDrawnImagesNeedsNoFolder) {
  const Survey survey = surveyed(DataPlace{.data = "generated:solid-striped", .max_images = 4});
  ASSERT_THAT(survey.sets, SizeIs(4));
  EXPECT_EQ(survey.sets[0].images.size(), 4U);
  EXPECT_THAT(error_of([&] { surveyed(DataPlace{.data = "generated:nothing"}); }), HasSubstr("nothing"));
}

TEST_F(SurveyOfFolders, SuggestsATrainingThatFitsTheImages) {
  put("d/trainA", 3, 1);
  put("d/trainB", 3, 2);
  const DataPlace place{.data = (folder_ / "d").string()};
  const Survey survey = surveyed(place);
  EXPECT_EQ(planned_crop(survey), 64);
  EXPECT_THAT(suggested_command(survey, place, {}),
              AllOf(HasSubstr("torsor train --data "),
                    HasSubstr(" --preset laptop --load-size 72 --crop-size 64"), HasSubstr(" --out runs/d")));
  Survey large = survey;
  for (SurveyedSet& set : large.sets)
    for (ImageRecord& image : set.images) image.width = image.height = 300;
  const PresetCost quick{.name = "paper", .crop = 256, .steps = 1000, .seconds_a_step = 1};
  PresetCost slow = quick, heavy = quick;
  slow.seconds_a_step = 1000;
  heavy.fits = false;
  EXPECT_THAT(suggested_command(large, place, {quick}), HasSubstr("--preset paper --out"));
  EXPECT_THAT(suggested_command(large, place, {slow}), HasSubstr("--preset laptop --out"));
  EXPECT_THAT(suggested_command(large, place, {heavy}), HasSubstr("--preset laptop --out"));
  EXPECT_THAT(suggested_command(survey, place, {quick}), HasSubstr("--preset laptop"));
  large.sets[0].images[0].problem = "broken";
  for (ImageRecord& image : large.sets[1].images) image.channels = 1;
  EXPECT_THAT(suggested_command(large, place, {}), HasSubstr(" --channels-b 1 --skip-bad"));
}

TEST_F(SurveyOfFolders, SuggestsPairsWhereTheTrainingImagesAreSome) {
  put("pairs/train", 3, 1, 128);
  put("pairs/test", 2, 2, 128);
  const DataPlace pairs{.data = (folder_ / "pairs").string()};
  EXPECT_THAT(suggested_command(surveyed(pairs), pairs, {}),
              AllOf(HasSubstr("--data "), HasSubstr(" --model pix2pix")));
  put("singles/train", 3, 1);
  put("singles/test", 2, 2, 128);
  const DataPlace singles{.data = (folder_ / "singles").string()};
  EXPECT_THAT(suggested_command(surveyed(singles), singles, {}),
              AllOf(HasSubstr("--a " + (folder_ / "singles/train").string() + " --b FOLDER_OF_B"),
                    Not(HasSubstr("pix2pix"))));
  put("both/trainA", 3, 1);
  put("both/trainB", 3, 2);
  put("both/trainAB", 3, 3, 128);
  const DataPlace both{.data = (folder_ / "both").string()};
  EXPECT_THAT(suggested_command(surveyed(both), both, {}),
              AllOf(HasSubstr("--data "), Not(HasSubstr("pix2pix"))));
}

TEST_F(SurveyOfFolders, NamesPartnersAsATrainingDoes) {
  for (const auto& [folder, pages] : {std::pair{"a", 3}, std::pair{"b", 2}}) {
    make_folder(folder_ / folder);
    std::vector<Image> slices;
    for (int i = 0; i < pages; ++i) slices.push_back(waves(static_cast<std::uint64_t>(10 * pages + i)));
    write_image_pages(folder_ / folder / "volume.tif", slices);
  }
  const Survey survey = surveyed(DataPlace{.a = folder_ / "a", .b = folder_ / "b", .pages = PageUse::slices});
  const std::vector<ImageFinding> found = found_by("pairs", survey);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.front().text,
              AllOf(HasSubstr("2 images of A have partners"), HasSubstr("1 image without a partner")));
}

TEST_F(SurveyOfFolders, BecomesAPageAndJson) {
  put("d/trainA", 3, 1);
  put("d/trainB", 3, 2);
  fs::copy(folder_ / "d/trainA/1.png", folder_ / "d/trainA/again.png");
  NullLog log;
  DoctorOptions options;
  options.presets = "none";
  const Diagnosis found = diagnose(folder_ / "d", "", "", options, log, StopFlag());
  const Json json = diagnosis_json(found);
  EXPECT_EQ(json.at("warnings"), 1);
  EXPECT_EQ(json.at("sets").at(0).at("images"), 4);
  EXPECT_EQ(json.at("sets").at(0).at("width").at("median"), 64);
  EXPECT_EQ(json.at("findings").at(0).at("id"), "exact_duplicates");
  EXPECT_EQ(json.at("findings").at(0).at("files").size(), 2U);
  EXPECT_EQ(json.at("comparison").at("features").size(), 19U);
  const std::string page = doctor_page(found, "torsor doctor d").html();
  EXPECT_THAT(page, AllOf(HasSubstr("1 warning to look at"), HasSubstr("1.png = again.png"),
                          HasSubstr("Contact sheet"), HasSubstr("brightness")));
  for (const std::string& check : doctor_checks().names())
    EXPECT_THAT(page, AllOf(HasSubstr(check), HasSubstr(doctor_checks().at(check).help)));
  options.presets = "paper, laptop";
  EXPECT_THAT(options.presets_to_measure(), ElementsAre("paper", "laptop"));
  options.presets = "lptop";
  EXPECT_THAT(error_of<UsageError>([&] { options.presets_to_measure(); }),
              HasSubstr("did you mean 'laptop'"));
}

}  // namespace
}  // namespace torsor::testing
