// CUT's own networks, as its recorded trainings hold them: read, and computing what they computed.
#include <torch/types.h>

#include "infer/infer_test_support.h"
#include "interchange/reference_networks.h"
#include "io/npz.h"
#include "io/pth.h"

namespace torsor {
namespace {

struct Recording {
  const char *folder, *net_g, *norm, *downsample, *upsample;
};

class RecordedCut : public ::testing::TestWithParam<Recording> {
 protected:
  void SetUp() override {
    folder_ = testing::golden_folder().parent_path() / "golden-models" / GetParam().folder;
    if (!std::filesystem::is_directory(folder_)) GTEST_SKIP() << "there is no recording at " << folder_;
  }
  TensorMap weights(const char* name) const { return read_pth(folder_ / name); }
  at::Tensor first_batch(const char* domain) const {
    return find_tensor(read_npz(folder_ / "inputs.npz"), domain).select(0, 0);
  }
  std::filesystem::path folder_;
};

// Its first pass of the generator, over A's images and, where it has an identity term, B's behind them.
TEST_P(RecordedCut, GeneratorsComputeWhatTheyComputed) {
  const auto found = infer_generator(weights("init_net_G.pth"), "init_net_G.pth");
  EXPECT_EQ(found.options.net_g, GetParam().net_g);
  EXPECT_EQ(found.options.norm, GetParam().norm);
  EXPECT_EQ(found.options.downsample, GetParam().downsample);
  EXPECT_EQ(found.options.upsample, GetParam().upsample);
  const auto network = make_generator(found.options);
  network->to(at::kDouble);
  load_state_dict(*network, found.weights, "init_net_G.pth");
  network->train();
  const at::Tensor right = find_tensor(read_npz(folder_ / "step1_debug.npz"), "fake"), a = first_batch("A");
  ASSERT_TRUE(right.defined());
  const at::Tensor x = right.size(0) == a.size(0) ? a : at::cat({a, first_batch("B")});
  const at::NoGradGuard no_grad;
  const at::Tensor got = network->forward(x.to(at::kDouble));
  ASSERT_EQ(got.sizes(), right.sizes());
  EXPECT_LT(((got - right).norm() / right.norm()).item<double>(), 1e-9);
}

TEST_P(RecordedCut, DiscriminatorsAreReadToo) {
  const auto found = infer_discriminator(weights("init_net_D.pth"), "init_net_D.pth");
  EXPECT_EQ(found.options.net_d, "basic");
  EXPECT_EQ(found.options.norm, GetParam().norm);
  EXPECT_EQ(found.options.downsample, GetParam().downsample);
  load_state_dict(*make_discriminator(found.options), found.weights, "init_net_D.pth");
}

INSTANTIATE_TEST_SUITE_P(
    Each, RecordedCut,
    ::testing::Values(Recording{"train_cut_f64", "resnet_9blocks", "instance", "blur", "blur"},
                      Recording{"train_fastcut_f64", "resnet_6blocks", "instance", "blur", "blur"},
                      Recording{"train_cut_noantialias_batch_f64", "resnet_6blocks", "batch", "strided",
                                "transposed"}),
    [](const auto& info) { return std::string(info.param.folder); });

}  // namespace
}  // namespace torsor
