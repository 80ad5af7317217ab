// Whatever a file holds, a reader returns a sound map or throws torsor::Error; run with the sanitizers, this
// shows that it does nothing else. Any other exception fails the test.
#include <functional>
#include <random>

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

// A few changes of the kinds that reach deep: bits, whole bytes, small and huge numbers, moved and cut
// pieces.
std::string mutate(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t changes = 1 + below(4);
  for (std::size_t i = 0; i < changes && bytes.size() > 16; ++i) {
    const std::size_t at = below(bytes.size() - 8);
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.replace(at, 4, std::string(4, below(2) == 0 ? '\xff' : '\0'));
        break;
      case 3:
        bytes.erase(at, 1 + below(8));
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
        break;
      default:
        bytes[at] = static_cast<char>(bytes[at] + (below(2) == 0 ? 1 : -1));
    }
  }
  return bytes;
}

TEST(DamagedFiles, MutationsGiveAnErrorOrASoundMap) {
  constexpr int kMutations = 600;  // a file
  const TemporaryFolder folder;
  std::mt19937 random(20240607);
  int refused = 0;
  for (const Seed& seed : seeds(folder)) {
    testing::expect_sound(seed.read(folder.write("x", seed.bytes)));
    for (int i = 0; i < kMutations; ++i) {
      const auto path = folder.write("x", mutate(seed.bytes, random));
      try {
        testing::expect_sound(seed.read(path));
      } catch (const Error&) {
        ++refused;
      } catch (const std::exception& other) {
        FAIL() << seed.name << ", mutation " << i << ": " << other.what();
      }
    }
  }
  EXPECT_GT(refused, kMutations);  // the mutations do reach what matters
}

// The zip formats protect data.pkl by a CRC, so mutated archives seldom reach the pickle reader; here it is
// mutated before it is packed.
TEST(DamagedFiles, MutatedProgramsGiveAnErrorOrASoundMap) {
  const TemporaryFolder folder;
  std::mt19937 random(7);
  testing::PickleText pickle;
  pickle.op("}(");
  for (int i = 0; i < 3; ++i) pickle.text("w" + std::to_string(i)).tensor("0", 6, i, {2, 2}, {2, 1});
  const std::string program = pickle.op("u").stop();
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto path = folder.write_zip(
        "x.pth", {{"x/data.pkl", mutate(program, random)}, {"x/data/0", std::string(24, '\1')}});
    try {
      testing::expect_sound(read_pth(path));
    } catch (const Error&) {
      ++refused;
    } catch (const std::exception& other) {
      FAIL() << "mutation " << i << ": " << other.what();
    }
  }
  EXPECT_GT(refused, 1000);
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
