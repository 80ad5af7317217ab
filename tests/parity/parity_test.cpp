// Compares with everything that was recorded from the reference implementation (TORSOR_GOLDEN names the
// folders), and shows that the comparison notices damage.
#include <cstdlib>
#include <iostream>

#include "parity/damaged_recording.h"

namespace torsor::parity {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(Parity, WithEverythingRecorded) {
  int compared = 0;
  for (const fs::path& folder : golden_folders()) {
    if (!fs::is_directory(folder)) {
      std::cout << folder.string() << ": there is no such folder" << std::endl;
      EXPECT_EQ(std::getenv("TORSOR_GOLDEN"), nullptr) << "TORSOR_GOLDEN names " << folder;
      continue;
    }
    run_parity(folder, [&](const Outcome& outcome) {
      std::cout << outcome.line() << std::endl;
      EXPECT_TRUE(outcome.ok()) << outcome.name << ": " << outcome.failure;
      ++compared;
    });
  }
  EXPECT_GT(compared, 0) << "there is nothing to compare with";
}

// Folders that hold no more than what a recording is chosen by.
class RecordingsOfOthers : public ::testing::Test {
 protected:
  fs::path record(const std::string& name, const Json& options) const {
    fs::create_directories(root_ / name);
    write_file_atomically(root_ / name / "options.json", options.dump());
    return root_ / name;
  }
  fs::path root() const { return root_.path; }

 private:
  const testing::TestFolder root_;
};

TEST_F(RecordingsOfOthers, ATrainingIsFoundByWhatWasRecorded) {
  const TraceProperties wanted = {of_model("cycle_gan"), in_precision("float64"), with_norm("instance"),
                                  with_identity_term()};
  record("a_batch", {{"dtype", "float64"}, {"norm", "batch"}, {"ngf", 2}});
  record("b_no_identity", {{"dtype", "float64"}, {"lambda_identity", 0}, {"ngf", 2}});
  record("c_single", {{"ngf", 2}});
  record("d_dropout", {{"dtype", "float64"}, {"no_dropout", false}, {"ngf", 2}});
  record(
      "e_pairs",
      {{"dtype", "float64"}, {"model", "pix2pix"}, {"norm", "instance"}, {"no_dropout", true}, {"ngf", 2}});
  record("f_unreadable", Json::array());
  EXPECT_EQ(find_trace({root()}, wanted), fs::path());
  record("g_large", {{"dtype", "float64"}, {"norm", "instance"}, {"ngf", 8}});
  const fs::path small = record("h_small", {{"dtype", "float64"}, {"norm", "instance"}, {"ngf", 4}});
  record("i_middling", {{"dtype", "float64"}, {"norm", "instance"}, {"ngf", 6}});
  EXPECT_EQ(find_trace({root() / "nothing", root()}, wanted), small);
  EXPECT_EQ(in_words(wanted), "cycle_gan, float64, instance norm, an identity term");
}

TEST_F(RecordingsOfOthers, AModelThatIsNotKnownFailsByName) {
  record("stars", {{"dtype", "float64"}, {"model", "star_gan"}});
  int seen = 0;
  run_parity(root(), [&](const Outcome& outcome) {
    EXPECT_FALSE(outcome.ok());
    EXPECT_THAT(outcome.line(), AllOf(HasSubstr("stars"), HasSubstr("star_gan"), HasSubstr("cycle_gan")));
    ++seen;
  });
  EXPECT_EQ(seen, 1);
}

TEST_F(DamagedRecording, UnknownFoldersAndFilesFail) {
  fs::create_directory(with("unknown_thing"));
  EXPECT_THAT(failure(), HasSubstr("not a recording"));
  write_file_atomically(with("unknown_thing/notes.bin"), "x");
  EXPECT_THAT(failure(), HasSubstr("not a recording"));
  fs::remove_all(with("unknown_thing"));
  write_file_atomically(with("lonely.npz"), "x");
  EXPECT_THAT(failure(), HasSubstr("not a recording"));
}

TEST_F(DamagedRecording, AForwardPassOfOtherWeightsFails) {
  const fs::path trained = golden_folder() / "test_py" / "G_instance.pth";
  const fs::path recorded = golden_folder() / "G_resnet_6blocks_instance.npz";
  if (!fs::exists(trained) || !fs::exists(recorded))
    GTEST_SKIP() << "not there: " << trained << " or " << recorded;
  fs::copy(trained, with("x.pth"));
  fs::copy(recorded, with("x.npz"));
  const Outcome outcome = only_outcome();
  EXPECT_THAT(outcome.failure, HasSubstr("the output"));
  EXPECT_GT(outcome.worst, 1e-2);
}

TEST_F(DamagedRecording, OptionsAreHonouredOrRefused) {
  copy_trace({of_model("cycle_gan"), in_precision("float64"), with_norm("instance"), with_identity_term(),
              without_image_buffer(), with_equal_domains(), with_linear_decay()});
  if (IsSkipped()) return;
  const auto o = read_recorded_options<CycleGanRecording>(with("trace/options.json"));
  EXPECT_THAT(options_failure("no_such_option", 1), HasSubstr("no_such_option"));
  EXPECT_THAT(options_failure("netG", o.net_g == "resnet_3blocks" ? "resnet_2blocks" : "resnet_3blocks"),
              HasSubstr("for another network"));
  EXPECT_THAT(options_failure("norm", "batch"), HasSubstr("for another network"));
  EXPECT_THAT(options_failure("output_nc", o.output_nc + 1), HasSubstr("channels"));
  EXPECT_THAT(options_failure("steps", o.steps.value_or(0) + 1), HasSubstr("steps"));
  EXPECT_THAT(options_failure("batch_size", o.batch_size + 1), HasSubstr("images"));
  EXPECT_THAT(options_failure("no_dropout", false), HasSubstr("dropout"));
  EXPECT_THAT(options_failure("dtype", "float16"), HasSubstr("dtype"));
  const std::map<std::string, Json> others = {{"gan_mode", o.gan_mode == "wgangp" ? "lsgan" : "wgangp"},
                                              {"lambda_B", o.lambda_b + 0.001},
                                              {"lambda_identity", 0},
                                              {"beta1", o.beta1 + 0.01},
                                              {"lr", o.lr * 1.05},
                                              {"direction", o.direction == "BtoA" ? "AtoB" : "BtoA"},
                                              {"epoch_count", o.n_epochs + o.n_epochs_decay / 2}};
  for (const auto& [name, value] : others)
    EXPECT_THAT(options_failure(name, value), HasSubstr("relative error")) << name;
}

TEST_F(DamagedRecording, AChangedLossFails) {
  copy_trace({of_model("cycle_gan"), in_precision("float64"), without_image_buffer()});
  if (IsSkipped()) return;
  change_json("trace/losses.json", [](Json& steps) {
    const double loss = steps.back()["cycle_B"].get<double>();
    steps.back()["cycle_B"] = loss + 1e-8 * std::max(1.0, loss);
  });
  EXPECT_THAT(failure(), HasSubstr("loss cycle_B"));
  change_json("trace/losses.json", [](Json& steps) { steps.back().erase("cycle_B"); });
  EXPECT_THAT(failure(), HasSubstr("has no cycle_B"));
}

TEST_F(DamagedRecording, DamagedWeightsFail) {
  copy_trace({of_model("cycle_gan"), in_precision("float64"), without_image_buffer(), with_equal_domains()});
  if (IsSkipped()) return;
  const fs::path a = with("trace/final_net_D_A.pth"), b = with("trace/final_net_D_B.pth");
  fs::rename(a, with("trace/swap.txt"));
  fs::rename(b, a);
  fs::rename(with("trace/swap.txt"), b);
  EXPECT_THAT(failure(), HasSubstr("final D_"));
  fs::resize_file(a, fs::file_size(a) / 2);
  EXPECT_THAT(failure(), HasSubstr("final_net_D_A.pth"));
  fs::remove(a);
  EXPECT_THAT(failure(), HasSubstr("final_net_D_A.pth"));
  write_file_atomically(with("trace/step9_net_D_A.bin"), "x");
  EXPECT_THAT(failure(), HasSubstr("no such file"));
  fs::remove(with("trace/step9_net_D_A.bin"));
  fs::remove(with("trace/inputs.npz"));
  EXPECT_THAT(failure(), HasSubstr("inputs.npz"));
}

TEST_F(DamagedRecording, OtherDrawsOfTheBufferFail) {
  copy_trace({of_model("cycle_gan"), in_precision("float64"), with_image_buffer()});
  if (IsSkipped()) return;
  const std::string draws = "trace/pool_draws.json";
  if (read_json(with(draws)).size() < 5) GTEST_SKIP() << "the recorded buffers drew fewer than five times";
  const auto pool_size = read_json(with("trace/options.json")).at("pool_size").get<std::int64_t>();
  change_json(draws, [&](Json& list) {
    for (Json& draw : list)
      if (draw[0] == "index") draw[1] = (draw[1].get<std::int64_t>() + 1) % pool_size;
  });
  EXPECT_THAT(failure(), HasSubstr("relative error"));
  change_json(draws, [](Json& list) { list.push_back({"uniform", 0.1}); });
  EXPECT_THAT(failure(), HasSubstr("not made"));
  change_json(draws, [](Json& list) { list.erase(list.end() - 5, list.end()); });
  EXPECT_THAT(failure(), HasSubstr("want"));
  fs::remove(with(draws));
  EXPECT_THAT(failure(), HasSubstr("0 draws are recorded"));
}

TEST_F(DamagedRecording, AChangedFirstStepFailsInFloat32) {
  copy_trace({of_model("cycle_gan"), in_precision("float32"), without_image_buffer()});
  if (IsSkipped()) return;
  change_json("trace/losses.json",
              [](Json& steps) { steps[0]["G_A"] = steps[0]["G_A"].get<double>() * (1 + 1e-4); });
  EXPECT_THAT(failure(), HasSubstr("loss G_A of step 1"));
}

TEST_F(DamagedRecording, OtherPicturesFail) {
  const fs::path recorded = golden_folder() / "test_py";
  if (!fs::is_directory(recorded / "instance_none_64_64"))
    GTEST_SKIP() << "not there: " << recorded / "instance_none_64_64";
  fs::create_directory(with("test_py"));
  fs::copy(recorded / "inputs", with("test_py/inputs"));
  fs::copy(recorded / "G_instance.pth", with("test_py/G_instance.pth"));
  const fs::path pictures = with("test_py/instance_none_64_64");
  fs::copy(recorded / "instance_none_64_64", pictures);
  EXPECT_TRUE(only_outcome().ok());
  const fs::path one = sorted_entries(pictures).front();
  Image image = read_image(one);
  image.u8()[5] = static_cast<std::uint8_t>(image.u8()[5] > 128 ? image.u8()[5] - 4 : image.u8()[5] + 4);
  write_image(one, image);
  EXPECT_THAT(failure(), HasSubstr("relative error"));
  fs::remove(one);
  EXPECT_THAT(failure(), HasSubstr("3 pictures for 4 inputs"));
  fs::rename(pictures, with("test_py/instance_64"));
  EXPECT_THAT(failure(), HasSubstr("<preprocess>"));
  fs::rename(with("test_py/instance_64"), with("test_py/instance_stretch_64_64"));
  EXPECT_THAT(failure(), HasSubstr("stretch"));
}

}  // namespace
}  // namespace torsor::parity
