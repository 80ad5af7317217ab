// Every reader of files that torsor has, with files for it and with the damage that reaches it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fuzz/mutate.h"

namespace torsor::testing {

struct Seed {
  std::string name, bytes;
};

struct FuzzedReader {
  std::string name;       // "pth", "png", ...
  std::string extension;  // of the files, with the dot
  std::vector<Seed> seeds;
  std::function<std::string(const std::string& bytes, Random& random)> mutate;
  /// Reads the file and uses what came of it. Throws Error on what is wrong with it, anything else on a
  /// mistake of ours.
  std::function<void(const std::filesystem::path&)> read;
  /// Puts checksums and lengths right after a change that did not care for them.
  std::function<std::string(std::string)> seal = [](std::string bytes) { return bytes; };
  /// A file of n bytes may make it hold 64 MiB + n times this.
  std::size_t bytes_per_byte = 1024;
};

/// JPEG, PNG, BMP, WebP, TIFF, PPM/PGM, IDX.
std::vector<FuzzedReader> image_readers();
/// .pth (both containers, and networks inferred from them), .npz, safetensors.
std::vector<FuzzedReader> weight_readers();
/// Model files, checkpoints, ONNX, configurations, the reference's train_opt.txt, tables of labels.
std::vector<FuzzedReader> model_readers();

std::vector<FuzzedReader> all_readers();

/// The reader of that name. Throws std::out_of_range.
FuzzedReader reader_named(const std::string& name);

/// The most bytes that reading a file of `size` may hold.
std::size_t justified_memory(const FuzzedReader& reader, std::size_t size);

/// The files in tests/data/<folder> whose names end so.
std::vector<Seed> fixture_seeds(const std::string& folder, const std::vector<std::string>& ends);

}  // namespace torsor::testing
