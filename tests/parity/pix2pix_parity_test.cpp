// That the comparison with pix2pix's recorded trainings notices what is wrong with them, and knows both
// directions.
#include "parity/damaged_recording.h"

namespace torsor::parity {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Placement double_precision() {
  Placement placement;
  placement.dtype = c10::kDouble;
  return placement;
}

class DamagedPairs : public DamagedRecording {
 protected:
  void copy_pairs() { copy_trace({of_model("pix2pix"), in_precision("float64")}); }

  // What was recorded as A becomes B, and B becomes A. An archive's names stand in clear text, outside of
  // what its checksums are of.
  void swap_inputs() const {
    std::string bytes = read_file(with("trace/inputs.npz"));
    for (std::size_t at = 0; (at = bytes.find(".npy", at)) != std::string::npos; at += 4)
      if (at > 0 && (bytes[at - 1] == 'A' || bytes[at - 1] == 'B'))
        bytes[at - 1] = bytes[at - 1] == 'A' ? 'B' : 'A';
    write_file_atomically(with("trace/inputs.npz"), bytes);
  }
};

TEST_F(DamagedPairs, OptionsAreHonouredOrRefused) {
  copy_pairs();
  if (IsSkipped()) return;
  const auto o = read_recorded_options<Pix2PixRecording>(with("trace/options.json"));
  EXPECT_THAT(options_failure("lambda_A", 10), HasSubstr("lambda_A"));
  EXPECT_THAT(options_failure("no_dropout", false), HasSubstr("dropout"));
  EXPECT_THAT(options_failure("netG", "resnet_3blocks"), HasSubstr("for another network"));
  EXPECT_THAT(options_failure("output_nc", o.output_nc + 1), HasSubstr("channels"));
  EXPECT_THAT(options_failure("lambda_L1", o.lambda_l1 + 0.001), HasSubstr("relative error"));
  EXPECT_THAT(options_failure("gan_mode", o.gan_mode == "lsgan" ? "vanilla" : "lsgan"),
              HasSubstr("relative error"));
  EXPECT_THAT(options_failure("direction", "BtoA"), HasSubstr("relative error"));
  // It has no buffer, whatever the option says.
  change_json("trace/options.json", [](Json& json) { json["pool_size"] = 50; });
  EXPECT_EQ(only_outcome().failure, "");
}

TEST_F(DamagedPairs, DropoutIsTheDefaultAndRefused) {
  copy_pairs();
  if (IsSkipped()) return;
  change_json("trace/options.json", [](Json& json) { json.erase("no_dropout"); });
  EXPECT_THAT(failure(), HasSubstr("false by default"));
}

TEST_F(DamagedPairs, TheOtherDirectionIsThatOfSwappedInputs) {
  copy_pairs();
  if (IsSkipped()) return;
  swap_inputs();
  EXPECT_THAT(failure(), HasSubstr("relative error"));
  change_json("trace/options.json", [](Json& json) { json["direction"] = "BtoA"; });
  const Outcome outcome = only_outcome();
  EXPECT_EQ(outcome.failure, "");
  EXPECT_LT(outcome.worst, kStrictTolerance);
}

TEST_F(DamagedPairs, AChangedLossFails) {
  copy_pairs();
  if (IsSkipped()) return;
  change_json("trace/losses.json",
              [](Json& steps) { steps[0]["D_fake"] = steps[0]["D_fake"].get<double>() + 1e-8; });
  EXPECT_THAT(failure(), HasSubstr("loss D_fake of step 1"));
  change_json("trace/losses.json", [](Json& steps) { steps[0].erase("D_fake"); });
  EXPECT_THAT(failure(), HasSubstr("has no D_fake"));
}

TEST_F(DamagedPairs, TheFirstGeneratedImageIsCompared) {
  copy_pairs();
  if (IsSkipped()) return;
  const fs::path image = with("trace/step1_debug.npz");
  ASSERT_TRUE(fs::exists(image));
  fs::copy_file(with("trace/inputs.npz"), image, fs::copy_options::overwrite_existing);
  EXPECT_THAT(failure(), AllOf(HasSubstr("step1_debug.npz"), HasSubstr("only fake_B is known")));
  fs::remove(image);
  EXPECT_EQ(only_outcome().failure, "") << "not every recording has one";
  fs::rename(with("trace/final_net_G.pth"), with("trace/final_net_G_A.pth"));
  EXPECT_THAT(failure(), HasSubstr("no such file"));
}

TEST_F(DamagedPairs, AnotherFirstGeneratedImageFails) {
  copy_pairs();
  if (IsSkipped()) return;
  const auto counterpart = make_counterpart(with("trace"));
  const auto model = counterpart->make(Way{}, double_precision());
  const at::Tensor x = at::zeros(find_tensor(read_npz(with("trace/step1_debug.npz")), "fake_B").sizes());
  Outcome outcome;
  Comparison comparison(outcome);
  // Weights that no recording begins with.
  counterpart->compare_start(*model, counterpart->batch(x, x), comparison);
  EXPECT_THAT(outcome.failure, HasSubstr("fake_B of step 1"));
}

}  // namespace
}  // namespace torsor::parity
