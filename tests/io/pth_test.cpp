#include "io/pth.h"

#include <map>

#include "io/npz.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::fixture;
using ::testing::HasSubstr;
using testing::pth_error;
using testing::same;
using testing::TemporaryFolder;

/// The values Python wrote for one of the state dicts; bfloat16 is float32 there.
TensorMap expected_of(const std::string& kind) {
  TensorMap out;
  for (const auto& [name, tensor] : read_npz(fixture("expected.npz")))
    if (name.starts_with(kind + "/")) out.emplace_back(name.substr(kind.size() + 1), tensor);
  return out;
}

void expect_matches(const std::string& file, const std::string& kind) {
  const TensorMap expected = expected_of(kind);
  const TensorMap read = read_pth(fixture(file));
  ASSERT_FALSE(expected.empty());
  ASSERT_EQ(read.size(), expected.size()) << file;
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto& [name, tensor] = read[i];
    EXPECT_EQ(name, expected[i].first) << file;
    const at::Tensor value = tensor.scalar_type() == at::kBFloat16 ? tensor.to(at::kFloat) : tensor;
    EXPECT_TRUE(same(value, expected[i].second)) << file << " " << name;
  }
  testing::expect_sound(read);
}

class StateDictFixture : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(StateDictFixture, HoldsWhatPythonSaved) { expect_matches(GetParam().first, GetParam().second); }

INSTANTIATE_TEST_SUITE_P(
    Pth, StateDictFixture,
    ::testing::Values(std::pair{"dtypes_zip.pth", "dtypes"}, std::pair{"dtypes_legacy.pth", "dtypes"},
                      std::pair{"views_zip.pth", "views"}, std::pair{"views_legacy.pth", "views"},
                      std::pair{"network_zip.pth", "network"}, std::pair{"network_legacy.pth", "network"},
                      std::pair{"network_v1.pth", "network"}, std::pair{"network_protocol3.pth", "network"},
                      std::pair{"network_protocol4.pth", "network"},
                      std::pair{"network_protocol5.pth", "network"},
                      std::pair{"network_plain_dict.pth", "network"},
                      std::pair{"network_checkpoint.pth", "network"}, std::pair{"namespace.pth", "network"},
                      std::pair{"beside_zip.pth", "network"}, std::pair{"beside_protocol4.pth", "network"},
                      std::pair{"beside_protocol1.pth", "network"}),
    [](const auto& info) { return info.param.first.substr(0, info.param.first.find('.')); });

TEST(Pth, DtypesAreKept) {
  const std::map<std::string, at::ScalarType> dtypes = {
      {"float64", at::kDouble}, {"float32", at::kFloat}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16},
      {"int64", at::kLong},     {"int32", at::kInt},     {"int16", at::kShort},  {"int8", at::kChar},
      {"uint8", at::kByte},     {"bool", at::kBool}};
  for (const char* file : {"dtypes_zip.pth", "dtypes_legacy.pth"}) {
    const TensorMap read = read_pth(fixture(file));
    for (const auto& [name, dtype] : dtypes)
      EXPECT_EQ(find_tensor(read, name + ".weight").scalar_type(), dtype) << file << " " << name;
  }
}

TEST(Pth, SharedStoragesBecomeTensorsOfTheirOwn) {
  TensorMap read = read_pth(fixture("views_zip.pth"));
  const at::Tensor before = find_tensor(read, "shared").clone();
  find_tensor(read, "base").zero_();
  EXPECT_TRUE(same(find_tensor(read, "shared"), before));
  EXPECT_FALSE(find_tensor(read, "parameter").requires_grad());
}

TEST(Pth, WhatIsNoStateDictIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"two_state_dicts.pth", "2 state dicts (netG, netD)"},
      {"whole_network.pth",
       "a pickled object of class torch.nn.modules.container.Sequential; nothing was executed; save the "
       "weights "
       "alone (in Python: torch.save(net.state_dict(), path))"},
      {"no_tensors.pth", "no tensors are in it"},
      {"single_tensor.pth", "single tensor"},
      {"negated.pth", "lazily negated"},
      {"complex.pth", "has the dtype ComplexFloat"},
      {"torchscript.pth", "TorchScript program"},
      {"arrays_stored.npz", "NumPy archive"},
      {"single.npy", "is not a PyTorch weight file (looks like a single NumPy array"},
  };
  for (const auto& [file, expected] : cases) {
    EXPECT_THAT(pth_error(fixture(file)), HasSubstr(expected));
    EXPECT_THAT(pth_error(fixture(file)), HasSubstr(file));
  }
}

TEST(Pth, OtherFilesAreRecognised) {
  const TemporaryFolder folder;
  const auto message = [&](std::string_view bytes) { return pth_error(folder.write("x.pth", bytes)); };
  using namespace std::string_view_literals;
  EXPECT_THAT(message(""), HasSubstr("is empty"));
  EXPECT_THAT(message("\xff\xd8\xff\xe0JFIF"),
              HasSubstr("is not a PyTorch weight file (looks like a JPEG image)"));
  EXPECT_THAT(message("\x89PNG\r\n"), HasSubstr("a PNG image"));
  EXPECT_THAT(message("\x40\0\0\0\0\0\0\0{\"w\""sv), HasSubstr("a safetensors file"));
  EXPECT_THAT(message("\x08\x07\x12\x07pytorch"), HasSubstr("an ONNX model"));
  EXPECT_THAT(message("<html><body>Not found"), HasSubstr("a web page"));
  EXPECT_THAT(message("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(message("\x1f\x8b\x08"), HasSubstr("gzip"));
  EXPECT_THAT(message("hello"), HasSubstr("a text file"));
  EXPECT_THAT(message("\x01\x02\xfe"), HasSubstr("starts with 01 02 fe"));
  EXPECT_THAT(message("\x80\x04\x95"), HasSubstr("bare Python pickle"));
  EXPECT_THAT(message("PK"), HasSubstr("truncated"));
  EXPECT_THAT(message(std::string(257, 'a') + '\1' + "ustar"), HasSubstr("starts with"));
  EXPECT_THAT(message(std::string(257, '\1') + "ustar"), HasSubstr("a tar archive"));
  EXPECT_THAT(pth_error(folder / "gone.pth"), HasSubstr("gone.pth: no such file"));
  EXPECT_THAT(pth_error(folder / ""), HasSubstr("is a folder"));
  EXPECT_THAT(pth_error("/dev/null"), HasSubstr("not a plain file"));
  EXPECT_THAT(pth_error(folder.write_zip("z.pth", {{"readme.txt", "hi"}})), HasSubstr("without data.pkl"));
}

// --- writing

TensorMap of_every_dtype() {
  TensorMap out;
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                                     at::kShort, at::kChar, at::kByte, at::kBool})
    out.emplace_back(std::string("x.") + c10::toString(dtype),
                     at::arange(300).remainder(2).to(dtype).view({3, 100}));
  out.emplace_back("scalar", at::tensor(7, at::kLong));
  out.emplace_back("empty", at::empty({0, 3}));
  out.emplace_back("transposed", at::arange(12.0).view({3, 4}).t());
  return out;
}

TEST(WritePth, IsReadBackTheSame) {
  const TemporaryFolder folder;
  const TensorMap written = of_every_dtype();
  write_pth(folder / "a.pth", written);
  const TensorMap read = read_pth(folder / "a.pth");
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].first, written[i].first);
    EXPECT_EQ(read[i].second.scalar_type(), written[i].second.scalar_type());
    EXPECT_TRUE(at::equal(read[i].second, written[i].second)) << read[i].first;
  }
  write_pth(folder / "a2.pth", {});
  EXPECT_THAT(error_of([&] { read_pth(folder / "a2.pth"); }), HasSubstr("no tensors"));
}

TEST(WritePth, EqualTensorsMakeEqualFiles) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "other");
  write_pth(folder / "a.pth", of_every_dtype());
  write_pth(folder / "other/a.pth", of_every_dtype());
  EXPECT_TRUE(bytes_of(folder / "a.pth") == bytes_of(folder / "other/a.pth"));
}

TEST(WritePth, RefusesWhatTorchCouldNotHold) {
  const TemporaryFolder folder;
  const auto message = [&](const TensorMap& tensors) {
    return error_of([&] { write_pth(folder / "x.pth", tensors); });
  };
  EXPECT_THAT(message({{"w", at::ones({1})}, {"w", at::ones({1})}}),
              ::testing::AllOf(HasSubstr("x.pth"), HasSubstr("'w'")));
  EXPECT_THAT(message({{"w", at::ones({1}, at::kComplexFloat)}}),
              ::testing::AllOf(HasSubstr("'w'"), HasSubstr("Complex")));
  EXPECT_FALSE(std::filesystem::exists(folder / "x.pth"));
  EXPECT_THAT(error_of([&] { write_pth(folder / "gone/x.pth", {}); }), HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace torsor
