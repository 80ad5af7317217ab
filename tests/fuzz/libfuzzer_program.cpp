// libFuzzer's side of the reader that TORSOR_FUZZED_READER names: half of its mutations are its own with the
// container sealed again, half are those of the seeded test.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "fuzz/readers.h"
#include "scratch_folder.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using torsor::testing::FuzzedReader;

const FuzzedReader& reader() {
  static const FuzzedReader chosen = [] {
    const char* name = std::getenv("TORSOR_FUZZED_READER");
    return torsor::testing::reader_named(name == nullptr ? "" : name);
  }();
  return chosen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const torsor::testing::ScratchFolder folder("torsor_fuzz");
  const auto path = folder / ("input" + reader().extension);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    reader().read(path);
  } catch (const torsor::Error&) {  // anything else ends the program, and libFuzzer keeps the input
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  torsor::testing::Random random(seed);
  std::string bytes;
  if (random.one_in(2)) {
    size = LLVMFuzzerMutate(data, size, max_size);
    bytes = reader().seal(std::string(reinterpret_cast<const char*>(data), size));
  } else {
    bytes = reader().mutate(std::string(reinterpret_cast<const char*>(data), size), random);
  }
  size = std::min(bytes.size(), max_size);
  std::copy_n(bytes.begin(), size, data);
  return size;
}
