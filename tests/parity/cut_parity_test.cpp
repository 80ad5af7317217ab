// That the comparison with CUT's recorded trainings notices what is wrong with them.
#include "parity/damaged_recording.h"

namespace torsor::parity {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TraceProperty with_mirrors() {
  return {"mirrored images", [](const ReferenceOptions& o) {
            const auto* cut = dynamic_cast<const CutRecording*>(&o);
            return cut != nullptr && cut->flip_equivariance;
          }};
}
TraceProperty with_several_images() {
  return {"several images a step", [](const ReferenceOptions& o) { return o.batch_size > 1; }};
}

class DamagedPatches : public DamagedRecording {
 protected:
  void copy_cut(const TraceProperty& property) {
    copy_trace({of_model("cut"), in_precision("float64"), property});
  }
  CutRecording recorded() const { return read_cut_recording(with("trace/options.json")); }
};

TEST_F(DamagedPatches, OptionsAreHonouredOrRefused) {
  copy_cut(with_several_images());
  if (IsSkipped()) return;
  const CutRecording o = recorded();
  EXPECT_THAT(options_failure("lambda_A", 10), HasSubstr("lambda_A"));
  EXPECT_THAT(options_failure("CUT_mode", "SlowCUT"), HasSubstr("SlowCUT"));
  EXPECT_THAT(options_failure("netF", "sample"), HasSubstr("netF"));
  EXPECT_THAT(options_failure("no_antialias", !o.no_antialias), HasSubstr("for another network"));
  EXPECT_THAT(options_failure("no_antialias_up", !o.no_antialias_up), HasSubstr("for another network"));
  EXPECT_THAT(options_failure("netF_nc", o.net_f_nc + 1), HasSubstr("for another network"));
  EXPECT_THAT(options_failure("normD", o.norm_d == "instance" ? "batch" : "instance"),
              HasSubstr("for another network"));
  EXPECT_THAT(options_failure("num_patches", o.num_patches - 1), HasSubstr("are wanted"));
  EXPECT_THAT(options_failure("nce_idt", !o.nce_idt), HasSubstr("fake of step 1"));
  EXPECT_THAT(options_failure("flip_equivariance", !o.flip_equivariance), HasSubstr("of kind"));
  const std::map<std::string, Json> others = {
      {"lambda_NCE", o.lambda_nce + 0.001},
      {"lambda_GAN", o.lambda_gan + 0.001},
      {"nce_T", o.nce_t + 0.001},
      {"beta2", 0.99},
      {"nce_includes_all_negatives_from_minibatch", !o.all_negatives}};
  for (const auto& [name, value] : others)
    EXPECT_THAT(options_failure(name, value), HasSubstr("relative error")) << name;
}

TEST_F(DamagedPatches, TheModeSetsDefaults) {
  copy_cut(with_mirrors());
  if (IsSkipped()) return;
  change_json("trace/options.json", [](Json& o) {
    for (const char* name : {"nce_idt", "lambda_NCE", "flip_equivariance"}) o.erase(name);
    o["CUT_mode"] = "fastcut";
  });
  EXPECT_EQ(only_outcome().failure, "");
  change_json("trace/options.json", [](Json& o) { o["CUT_mode"] = "CUT"; });
  EXPECT_NE(failure(), "");
}

TEST_F(DamagedPatches, OtherDrawsFail) {
  copy_cut(with_mirrors());
  if (IsSkipped()) return;
  const std::string draws = "trace/patch_ids.json", before = read_file(with(draws));
  const auto failure_with = [&](const std::function<void(Json&)>& change) {
    write_file_atomically(with(draws), before);
    change_json(draws, change);
    return failure();
  };
  const auto is_patches = [](const Json& draw) { return draw["kind"] == "patch_ids"; };
  EXPECT_THAT(failure_with([&](Json& list) {
                for (Json& draw : list)
                  if (is_patches(draw) && draw["step"] == 1) {
                    draw["ids"][0] =
                        (draw["ids"][0].get<std::int64_t>() + 1) % draw["positions"].get<std::int64_t>();
                    return;
                  }
              }),
              HasSubstr("of step 1"));
  EXPECT_THAT(failure_with([](Json& list) {
                for (Json& draw : list)
                  if (draw["kind"] == "flip") draw["uniform"] = 0.9;
              }),
              HasSubstr("relative error"));
  EXPECT_THAT(failure_with([](Json& list) {
                list.push_back({{"step", 9}, {"kind", "flip"}, {"uniform", 0.1}});
              }),
              HasSubstr("1 recorded draws were not made"));
  EXPECT_THAT(failure_with([](Json& list) { list.erase(list.end() - 1); }),
              HasSubstr("no more are recorded"));
  EXPECT_THAT(failure_with([](Json& list) { list.back()["ids"][0] = 1 << 20; }), HasSubstr("the position"));
  EXPECT_THAT(failure_with([](Json& list) { list.back()["positions"] = 7; }), HasSubstr("are wanted"));
}

TEST_F(DamagedPatches, TheWayToTheFirstLossesIsCompared) {
  copy_cut(with_mirrors());
  if (IsSkipped()) return;
  const fs::path debug = with("trace/step1_debug.npz");
  ASSERT_TRUE(fs::exists(debug));
  fs::copy_file(with("trace/inputs.npz"), debug, fs::copy_options::overwrite_existing);
  EXPECT_THAT(failure(), AllOf(HasSubstr("step1_debug.npz"), HasSubstr("has no fake")));
  fs::remove(debug);
  EXPECT_EQ(only_outcome().failure, "") << "not every recording has one";
}

// Its bias stands in front of an instance norm, but features are taken in between.
TEST_F(DamagedPatches, BiasesOfConvolutionsThatAreLookedAtAreCompared) {
  copy_cut(with_mirrors());
  if (IsSkipped()) return;
  const auto counterpart = make_counterpart(with("trace"));
  Placement placement;
  placement.dtype = c10::kDouble;
  const auto model = counterpart->make(Way{}, placement);
  const auto noise = noise_biases(*network_of(*model, "g_a_to_b"));
  for (const char* key : {"model.4.bias", "model.8.bias"}) {
    EXPECT_TRUE(noise.contains(key));
    EXPECT_TRUE(counterpart->learnt_biases("g_a_to_b").contains(key));
  }
  EXPECT_FALSE(counterpart->learnt_biases("g_a_to_b").contains("model.1.bias"));
  EXPECT_TRUE(counterpart->learnt_biases("d_b").empty());
}

}  // namespace
}  // namespace torsor::parity
