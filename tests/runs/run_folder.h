// A run directory that a test writes by hand.
#pragma once

#include <fstream>
#include <string>

#include "core/files.h"
#include "image/codec.h"
#include "report/grid.h"
#include "runs/run_record.h"
#include "test_support.h"

namespace torsor::testing {

/// A single colour, 8 bits.
inline Image flat(std::uint8_t r, std::uint8_t g, std::uint8_t b, std::int64_t side = 128) {
  Image image = Image::blank(side, side, 3);
  for (std::int64_t i = 0; i < side * side; ++i) {
    image.u8()[3 * i] = r;
    image.u8()[3 * i + 1] = g;
    image.u8()[3 * i + 2] = b;
  }
  return image;
}

class RunFolder {
 public:
  explicit RunFolder(const std::string& name = "run") : directory(folder_ / name) {
    directory.make();
    write(directory.config(), R"({"model": "cyclegan", "out": "runs/one", "lr": 0.001, "seed": 3})");
  }

  void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  /// A grid with `count` images of one direction: input black, translation grey, back white.
  void write_grid(const std::filesystem::path& path, std::size_t count = 2) {
    write_image(path, make_grid(std::vector<std::vector<Image>>(
                          count, {flat(0, 0, 0), flat(100, 110, 120), flat(255, 255, 255)})));
  }
  void write_layout() {
    write(directory.sample_layout(),
          R"({"columns": [["real_a", "fake_b", "rec_a"]], "cell": [128, 128], "margin": 4})");
  }
  RunRecord read() const { return read_run(directory.root()); }

 private:
  TestFolder folder_;

 public:
  RunDirectory directory;
};

}  // namespace torsor::testing
