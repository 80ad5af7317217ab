// A weight file that was cut anywhere is refused by name. (Changed ones: tests/fuzz.)
#include <functional>

#include "io/npz.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::bytes_of;
using testing::fixture;
using testing::TemporaryFolder;

using Reader = std::function<TensorMap(const std::filesystem::path&)>;

struct Seed {
  std::string name;
  std::string bytes;
  Reader read;
};

std::vector<Seed> seeds(const TemporaryFolder& folder) {
  std::vector<Seed> out;
  for (const char* name : {"dtypes_zip.pth", "dtypes_legacy.pth", "views_zip.pth", "views_legacy.pth",
                           "network_v1.pth", "network_protocol5.pth", "network_checkpoint.pth"})
    out.push_back({name, bytes_of(fixture(name)), read_pth});
  for (const char* name : {"arrays_stored.npz", "arrays_deflated.npz"})
    out.push_back({name, bytes_of(fixture(name)), read_npz});
  const auto path = folder / "seed.safetensors";
  write_safetensors(path, {read_pth(fixture("dtypes_zip.pth")), {{"note", "text"}}});
  out.push_back(
      {"seed.safetensors", bytes_of(path), [](const auto& p) { return read_safetensors(p).tensors; }});
  return out;
}

TEST(DamagedFiles, EveryTruncationIsAnError) {
  const TemporaryFolder folder;
  for (const Seed& seed : seeds(folder)) {
    for (std::size_t length = 0; length < seed.bytes.size(); length += length < 64 ? 1 : 5) {
      const auto path = folder.write("cut.file", std::string_view(seed.bytes).substr(0, length));
      EXPECT_THAT(testing::error_of([&] { seed.read(path); }), ::testing::HasSubstr("cut.file"))
          << seed.name << " cut to " << length;
    }
  }
}

}  // namespace
}  // namespace torsor
