#include "io/safetensors.h"

#include <sys/stat.h>

#include <cstring>

#include "core/json.h"
#include "io/checksum.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::bytes_of;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

const std::vector<at::ScalarType> kDtypes = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                             at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};

at::Tensor sample(at::ScalarType dtype) {
  if (dtype == at::kBool) return at::arange(6).remainder(2).to(dtype).reshape({2, 3});
  return at::arange(6).reshape({2, 3}).to(dtype);
}

Safetensors all_dtypes() {
  Safetensors content;
  for (const at::ScalarType dtype : kDtypes)
    content.tensors.emplace_back(std::string("net.") + c10::toString(dtype), sample(dtype));
  return content;
}

std::string with_header(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + std::string(data_bytes, '\1');
}

TEST(Safetensors, EveryDtypeComesBackInOrder) {
  const TemporaryFolder folder;
  const Safetensors content = all_dtypes();
  write_safetensors(folder / "a.safetensors", content);
  const Safetensors read = read_safetensors(folder / "a.safetensors");
  ASSERT_EQ(read.tensors.size(), content.tensors.size());
  for (std::size_t i = 0; i < content.tensors.size(); ++i) {
    EXPECT_EQ(read.tensors[i].first, content.tensors[i].first);
    EXPECT_TRUE(testing::same(read.tensors[i].second, content.tensors[i].second)) << content.tensors[i].first;
  }
}

TEST(Safetensors, OddShapesAndViewsComeBack) {
  const TemporaryFolder folder;
  const at::Tensor base = at::randn({3, 4, 5});
  const TensorMap tensors = {{"scalar", at::scalar_tensor(2.5)},
                             {"empty", at::empty({0, 3})},
                             {"empty_bool", at::empty({0}, at::kBool)},
                             {"transposed", base.permute({2, 0, 1})},
                             {"grown", base.slice(0, 1, 2).expand({2, 4, 5})},
                             {"a \"quoted\" \xc3\xa9", base}};
  write_safetensors(folder / "a.safetensors", {tensors, {{"note", "line\nbreak"}}});
  const Safetensors read = read_safetensors(folder / "a.safetensors");
  ASSERT_EQ(read.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors)
    EXPECT_TRUE(testing::same(find_tensor(read.tensors, name), tensor)) << name;
  EXPECT_EQ(read.metadata.at("note"), "line\nbreak");
  testing::expect_sound(read.tensors);
}

TEST(Safetensors, TensorsThatRequireGradientsAreWritten) {
  const TemporaryFolder folder;
  const at::Tensor weight = at::ones({2}).requires_grad_(true);
  write_safetensors(folder / "a.safetensors", {{{"w", weight}}, {}});
  EXPECT_TRUE(testing::same(read_safetensors(folder / "a.safetensors").tensors[0].second, at::ones({2})));
}

TEST(Safetensors, NothingButMetadataIsAFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{}, {{"k", "v"}}});
  EXPECT_TRUE(read_safetensors(folder / "a.safetensors").tensors.empty());
  EXPECT_EQ(read_safetensors_metadata(folder / "a.safetensors").at("k"), "v");
}

TEST(Safetensors, HeaderIsPaddedAndTensorsAreAligned) {
  const TemporaryFolder folder;
  const TensorMap tensors = {{"byte", at::ones({3}, at::kByte)},
                             {"float", at::ones({3})},
                             {"half", at::ones({1}, at::kHalf)},
                             {"double", at::ones({1}, at::kDouble)}};
  write_safetensors(folder / "a.safetensors", {tensors, {}});
  const std::string bytes = bytes_of(folder / "a.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0u);
  const Json header = parse_json(bytes.substr(8, length), "header");
  for (const auto& [name, tensor] : tensors)
    EXPECT_EQ(header.at(name).at("data_offsets").at(0).get<std::size_t>() % tensor.element_size(), 0u)
        << name;
}

TEST(Safetensors, ChecksumIsTheXxh3OfTheData) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", all_dtypes());
  const std::string bytes = bytes_of(folder / "a.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  Checksum checksum;
  checksum.update(bytes.data() + 8 + length, bytes.size() - 8 - length);
  EXPECT_EQ(read_safetensors_metadata(folder / "a.safetensors").at(kChecksumKey), checksum.hex());
}

TEST(Safetensors, ChecksumMatchesPublishedValues) {
  EXPECT_EQ(Checksum().hex(), "99aa06d3014798d86001c324468d497f");  // xxHash's own value for no input
  Checksum in_pieces;
  in_pieces.update("ab", 2);
  in_pieces.update("c", 1);
  Checksum at_once;
  at_once.update("abc", 3);
  EXPECT_EQ(in_pieces.hex(), at_once.hex());
  EXPECT_EQ(at_once.hex(), "06b05ab6733a618578af5f94892f3950");  // xxhsum -H128
}

TEST(Safetensors, AnyFlippedDataBitIsFound) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", all_dtypes());
  const std::string good = bytes_of(folder / "a.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), sizeof length);
  for (std::size_t i = 8 + length; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    const std::string message = error_of([&] { read_safetensors(folder.write("bad.safetensors", bad)); });
    EXPECT_THAT(message, HasSubstr("use another copy"));
  }
}

TEST(Safetensors, FilesWithoutChecksumAreRead) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("a.safetensors",
                   with_header(R"({"w":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2],"extra":1}})", 2));
  EXPECT_TRUE(testing::same(read_safetensors(path).tensors[0].second, at::ones({2}, at::kBool)));
  EXPECT_TRUE(read_safetensors_metadata(path).empty());
}

TEST(Safetensors, TruncationAtEveryLengthIsAnError) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", all_dtypes());
  const std::string good = bytes_of(folder / "a.safetensors");
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto path = folder.write("short.safetensors", good.substr(0, length));
    EXPECT_THAT(error_of([&] { read_safetensors(path); }), HasSubstr("short.safetensors")) << length;
    EXPECT_THAT(error_of([&] { read_safetensors_metadata(path); }), HasSubstr("short.safetensors")) << length;
  }
  EXPECT_THAT(error_of([&] { read_safetensors(folder.write("t", good.substr(0, good.size() - 1))); }),
              HasSubstr("truncated"));
}

TEST(Safetensors, WrongHeadersAreNamed) {
  const TemporaryFolder folder;
  const std::string entry = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const struct {
    std::string header;
    std::string expected;
  } cases[] = {
      {R"({"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", "dtype 'F8_E4M3'"},
      {R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "has 8 bytes, expected 12"},
      {R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "shape are not numbers"},
      {R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "shape are not numbers"},
      {R"({"w":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}})", "impossible"},
      {R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "impossible"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "data_offsets are wrong"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "data_offsets are wrong"},
      {R"({"w":{"dtype":"F32","shape":[2]}})", "no data_offsets"},
      {R"({"w":{"shape":[2],"data_offsets":[0,8]}})", "no dtype"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "starts at byte 66, expected 62"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "from byte 66 on belongs to no tensor"},
      {R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "truncated"},
      {"{" + entry + R"(,"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "starts at byte 115, expected 123"},
      {"{" + entry + "," + entry + "}", "names 'w' twice"},
      {R"({"__metadata__":{"a":1}})", "metadata 'a' at byte 25 is not text"},
      {R"({"__metadata__":[]})", "metadata at byte 9 is not a JSON object"},
      {R"({"w":[[[[[[1]]]]]]})", "nested too deeply"},
      {R"({"w":1})", "not a JSON object"},
      {R"({"w":)", "not JSON"},
      {"{\"\xff\":1}", "not JSON"},
  };
  for (const auto& [header, expected] : cases) {
    const auto path = folder.write("x.safetensors", with_header(header, 8));
    const std::string message = error_of([&] { read_safetensors(path); });
    EXPECT_THAT(message, HasSubstr("x.safetensors")) << header;
    EXPECT_THAT(message, HasSubstr(expected)) << header;
  }
}

TEST(Safetensors, OtherFilesAreRecognised) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& name, std::string_view bytes) {
    return error_of([&] { read_safetensors(folder.write(name, bytes)); });
  };
  EXPECT_THAT(message("a.safetensors", "\xff\xd8\xff\xe0 and so on"), HasSubstr("JPEG image"));
  EXPECT_THAT(message("b.safetensors", ""), HasSubstr("is empty"));
  EXPECT_THAT(message("c.safetensors", "<!DOCTYPE html><html>404"), HasSubstr("web page"));
  EXPECT_THAT(message("d.safetensors", bytes_of(testing::fixture("network_zip.pth"))),
              HasSubstr("zip archive"));
  EXPECT_THAT(error_of([&] { read_safetensors(folder / "gone.safetensors"); }), HasSubstr("no such file"));
  EXPECT_THAT(error_of([&] { read_safetensors(folder / ""); }), HasSubstr("is a folder"));
  EXPECT_THAT(error_of([&] { read_safetensors_metadata(folder / "gone"); }), HasSubstr("no such file"));
}

TEST(Safetensors, WhatCannotBeWrittenIsRefusedAndTheOldFileStays) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.safetensors", "old");
  const auto message = [&](const Safetensors& content) {
    return error_of([&] { write_safetensors(path, content); });
  };
  const at::Tensor one = at::ones({1});
  EXPECT_THAT(message({{{"w", one}, {"w", one}}, {}}), HasSubstr("'w' is there twice"));
  EXPECT_THAT(message({{{"__metadata__", one}}, {}}), HasSubstr("reserved"));
  EXPECT_THAT(message({{{"w", at::Tensor()}}, {}}), HasSubstr("no value"));
  EXPECT_THAT(message({{{"w", at::ones({1}, at::kComplexFloat)}}, {}}), HasSubstr("dtype (ComplexFloat)"));
  EXPECT_THAT(message({{{"\xff", one}}, {}}), HasSubstr("not UTF-8"));
  EXPECT_THAT(message({{}, {{"k", "\xff"}}}), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of([&] { write_safetensors(folder / "no/such/folder/a", {}); }),
              HasSubstr("cannot be written"));
  EXPECT_EQ(bytes_of(path), "old");
}

}  // namespace
}  // namespace torsor
