// Shared by the tests of the weight files.
#pragma once

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "golden_folders.h"
#include "io/pth.h"
#include "io/tensor_map.h"
#include "test_support.h"

namespace torsor::testing {

namespace fs = std::filesystem;

inline fs::path fixture(const std::string& name) { return fs::path(TORSOR_TEST_DATA) / "io" / name; }

inline std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder that is gone after the test, and what the tests put into it.
class TemporaryFolder : public TestFolder {
 public:
  fs::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }

  /// A zip archive of stored entries.
  fs::path write_zip(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& entries) const {
    zip_t* archive = zip_open((path / name).c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [entry, content] : entries) {
      zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
      const zip_int64_t index = zip_file_add(archive, entry.c_str(), source, 0);
      zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    }
    EXPECT_EQ(zip_close(archive), 0);
    return path / name;
  }
};

/// What is said of a .pth file that cannot be read.
inline std::string pth_error(const fs::path& path) {
  return error_of([&] { read_pth(path); });
}

inline bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() && b.defined() && a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         at::equal(a, b);
}

/// Touches every element, so that a sanitizer sees what should not be read.
inline void expect_sound(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    ASSERT_TRUE(tensor.defined() && tensor.is_contiguous() && tensor.device().is_cpu()) << name;
    static_cast<void>(tensor.to(at::kDouble).sum().item<double>());
  }
}

/// Writes pickles instruction by instruction.
class PickleText {
 public:
  explicit PickleText(int protocol = 2) : bytes_("\x80") { bytes_ += static_cast<char>(protocol); }

  PickleText& op(std::string_view raw) {
    bytes_ += raw;
    return *this;
  }
  PickleText& global(const std::string& module, const std::string& name) {
    return op("c" + module + "\n" + name + "\n");
  }
  PickleText& text(const std::string& value) { return op("X").number(value.size(), 4).op(value); }
  PickleText& integer(std::int64_t value) {
    return op("\x8a\x08").number(static_cast<std::uint64_t>(value), 8);
  }
  PickleText& integers(const std::vector<std::int64_t>& values) {
    op("(");
    for (const std::int64_t value : values) integer(value);
    return op("t");
  }
  /// The call that rebuilds a float tensor.
  PickleText& tensor(const std::string& key, std::int64_t storage, std::int64_t offset,
                     const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                     const std::string& storage_kind = "FloatStorage") {
    global("torch._utils", "_rebuild_tensor_v2").op("((").text("storage").global("torch", storage_kind);
    text(key).text("cpu").integer(storage).op("tQ");
    integer(offset).integers(shape).integers(strides);
    return op("\x89}tR");
  }
  std::string stop() const { return bytes_ + "."; }

 private:
  PickleText& number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }

  std::string bytes_;
};

}  // namespace torsor::testing
