// False and missed alarms of the recogniser on real images; prints the table of docs/recognition.md.
#include <cstdlib>
#include <filesystem>
#include <set>

#include "data/fingerprint.h"
#include "data/folder_source.h"
#include "data/idx_source.h"
#include "image/convert.h"
#include "test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using Images = std::vector<Image>;

fs::path shared_data() {
  const char* given = std::getenv("TORSOR_DATA");
  return given != nullptr ? given : TORSOR_DATA_DEFAULT;
}

Images folder(const std::string& name) {
  const FolderSource source(shared_data() / name, 0);
  Images out;
  for (std::int64_t i = 0; i < source.size(); ++i) out.push_back(source.read(i));
  return out;
}

Images half(const Images& pairs, std::int64_t left) {
  Images out;
  for (const Image& pair : pairs)
    out.push_back(crop(pair, left * pair.width / 2, 0, pair.width / 2, pair.height));
  return out;
}

Images digits(const std::string& name, std::int64_t count) {
  const auto source = open_idx(shared_data() / "mnist" / name, {}, count);
  Images out;
  for (std::int64_t i = 0; i < source->size(); ++i) out.push_back(source->read(i));
  return out;
}

Images inverted(Images images) {
  for (Image& image : images)
    for (auto& byte : image.bytes) byte = static_cast<std::uint8_t>(255 - byte);
  return images;
}

struct RecordedDomain {
  std::string name;
  Images train, test;
};

bool thorough() { return std::getenv("TORSOR_LONG") != nullptr; }

struct Task {
  std::string kind;
  RecordedDomain a, b;
};

std::vector<Task> tasks() {
  std::vector<Task> out;
  out.push_back({"animals",
                 {"horses", folder("horse2zebra/trainA"), folder("horse2zebra/testA")},
                 {"zebras", folder("horse2zebra/trainB"), folder("horse2zebra/testB")}});
  const Images train = folder("facades/train"), test = folder("facades/test");
  out.push_back({"buildings",
                 {"facades", half(train, 0), half(test, 0)},
                 {"label maps", half(train, 1), half(test, 1)}});
  const auto slices = [](const std::string& contrast) {
    return RecordedDomain{contrast, folder("brain/slices_mni/train/" + contrast),
                          folder("brain/slices_mni/test/" + contrast)};
  };
  out.push_back({"brains", slices("T1"), slices("T2")});
  out.push_back({"brains", slices("FLAIR"), slices("T1POST")});
  if (thorough()) out.push_back({"brains", slices("T1"), slices("FLAIR")});
  const Images digits_train = digits("train-images-idx3-ubyte.gz", 1000),
               digits_test = digits("t10k-images-idx3-ubyte.gz", 500);
  out.push_back({"digits",
                 {"digits", digits_train, digits_test},
                 {"inverted digits", inverted(digits_train), inverted(digits_test)}});
  return out;
}

// Of the images (of every `step`th): percent that are doubted, and that are named the other domain's.
struct Rates {
  double odd = 0, other = 0;
};

Rates rates(const Recogniser& recogniser, const Images& images, std::size_t step = 1) {
  Rates out;
  double of = 0;
  for (std::size_t i = 0; i < images.size(); i += step, ++of) {
    const Likeness likeness = recogniser.judge(with_channels(images[i], 3));
    out.odd += likeness != Likeness::own ? 100 : 0;
    out.other += likeness == Likeness::other ? 100 : 0;
  }
  return {out.odd / of, out.other / of};
}

FingerprintBuilder* seen(FingerprintBuilder& builder, const Images& images) {
  for (std::size_t i = 0; i < images.size(); ++i)
    builder.add(static_cast<std::int64_t>(i), with_channels(images[i], 3));
  return &builder;
}

TEST(Recognition, OfRealImages) {
  if (!fs::is_directory(shared_data())) GTEST_SKIP() << "no images at " << shared_data();
  const std::vector<Task> all = tasks();
  std::printf("%-16s %12s %22s %20s   foreign images found\n", "trained for", "false alarms",
              "other domain noticed", "and named");
  for (const Task& task : all) {
    FingerprintBuilder a(static_cast<std::int64_t>(task.a.train.size()), 3),
        b(static_cast<std::int64_t>(task.b.train.size()), 3);
    const Fingerprints known = make_fingerprints(*seen(a, task.a.train), *seen(b, task.b.train));
    for (const bool forward : {true, false}) {
      const RecordedDomain &own = forward ? task.a : task.b, &rest = forward ? task.b : task.a;
      const Recogniser recogniser(forward ? known.a : known.b, forward ? known.b : known.a, "test");
      std::string foreign;
      std::set<std::string> kinds = {task.kind};
      if (thorough())
        for (const Task& strange : all)
          if (kinds.insert(strange.kind).second)
            foreign += fmt::format(" {} {:.0f} %", strange.kind, rates(recogniser, strange.a.test, 5).odd);
      const double alarms = rates(recogniser, own.test).odd;
      const Rates found = rates(recogniser, rest.test);
      std::printf("%-16s %10.1f %% %20.0f %% %18.0f %%  %s\n", own.name.c_str(), alarms, found.odd,
                  found.other, foreign.c_str());
      EXPECT_LE(alarms, 5) << own.name;
    }
  }
}

}  // namespace
}  // namespace torsor
