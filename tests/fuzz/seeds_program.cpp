// Writes the files that the seeded test begins from, as a first corpus: DIR/<reader>/<name>.
#include <cstdio>

#include "core/files.h"
#include "fuzz/readers.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds DIR\n");
    return 2;
  }
  for (const auto& reader : torsor::testing::all_readers()) {
    const torsor::fs::path folder = torsor::fs::path(argv[1]) / reader.name;
    torsor::make_folder(folder);
    for (const auto& seed : reader.seeds) torsor::write_file_atomically(folder / seed.name, seed.bytes);
  }
}
