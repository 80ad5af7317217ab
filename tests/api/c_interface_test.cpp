// The C interface, through the shared library: errors, versions of its structs, threads.
#include <cstddef>
#include <thread>

#include "api_test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::api::Api;
using testing::api::expected;
using testing::api::image_at;
using testing::api::kHeight;
using testing::api::kWidth;
using testing::api::random_image;

TEST_F(Api, TheCInterfaceDoesTheSame) {
  const fs::path path = model(3, 1);
  Image image = random_image(3);
  torsor_model* m = torsor_load(path.c_str(), nullptr);
  ASSERT_NE(m, nullptr) << torsor_last_error();
  EXPECT_EQ(torsor_in_channels(m), 3);
  EXPECT_EQ(torsor_out_channels(m), 1);
  EXPECT_EQ(torsor_describe(m), Translator(path).describe());
  std::vector<std::uint8_t> out(kWidth * kHeight);
  const torsor_image in = image_at(image.u8()), to = image_at(out.data(), 1);
  EXPECT_EQ(torsor_translate(m, &in, &to), 0) << torsor_last_error();
  EXPECT_EQ(out, expected(path, image));
  torsor_free(m);
  torsor_free(nullptr);
  EXPECT_STREQ(torsor_version(), "0.1.0");
}

TEST_F(Api, CFailuresAreToldToTheThreadThatHadThem) {
  EXPECT_EQ(torsor_load((folder_ / "gone").c_str(), nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("gone"));
  std::thread([] { EXPECT_STREQ(torsor_last_error(), ""); }).join();
  EXPECT_EQ(torsor_load(nullptr, nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("path is NULL"));
  EXPECT_EQ(torsor_in_channels(nullptr), 0);
  EXPECT_EQ(torsor_describe(nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("model is NULL"));
  torsor_model* m = torsor_load(model().c_str(), nullptr);
  std::vector<std::uint8_t> pixels(3 * kWidth * kHeight);
  torsor_image in = image_at(pixels.data());
  EXPECT_NE(torsor_translate(m, &in, nullptr), 0);
  const torsor_image out = in;
  in.type = 7;
  EXPECT_NE(torsor_translate(m, &in, &out), 0);
  EXPECT_THAT(torsor_last_error(), HasSubstr("sample type 7"));
  EXPECT_NE(torsor_set_threads(-3), 0);
  torsor_free(m);
}

// A caller that was compiled when the struct was shorter.
TEST_F(Api, FieldsBeyondTheCallersStructAreNotRead) {
  const fs::path path = model();
  torsor_options options{};
  options.direction = "b_to_a";
  options.device = "no such device";
  options.size = offsetof(torsor_options, device);
  torsor_model* m = torsor_load(path.c_str(), &options);
  ASSERT_NE(m, nullptr) << torsor_last_error();
  EXPECT_THAT(torsor_describe(m), HasSubstr("\"direction\": \"b_to_a\""));
  torsor_free(m);
  options.size = sizeof options;
  EXPECT_EQ(torsor_load(path.c_str(), &options), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("no such device"));
  options.size = 0;
  EXPECT_EQ(torsor_load(path.c_str(), &options), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("sizeof(torsor_options)"));
}

TEST_F(Api, ManyThreadsMayShareAModelWhileOthersLoadAndFree) {
  const fs::path path = model();
  const Image image = random_image(3);
  const std::vector<std::uint8_t> bytes = expected(path, image);
  torsor_model* shared = torsor_load(path.c_str(), nullptr);
  const auto work = [&](int thread) {
    for (int round = 0; round < 6; ++round) {
      torsor_model* m = thread % 2 == 0 ? shared : torsor_load(path.c_str(), nullptr);
      std::vector<std::uint8_t> in = image.bytes, out(bytes.size());
      const torsor_image from = image_at(in.data()), to = image_at(out.data());
      EXPECT_EQ(torsor_translate(m, &from, &to), 0) << torsor_last_error();
      EXPECT_EQ(out, bytes);
      if (m != shared) torsor_free(m);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  torsor_free(shared);
}

}  // namespace
}  // namespace torsor
