#include "train/aligned_data.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "data/aligned.h"
#include "data/name_share.h"
#include "data/partners.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// The sizes of a folder's images by their files; several threads look at them.
class FileSizes {
 public:
  void note(const std::string& file, const Size& size) {
    const std::lock_guard lock(mutex_);
    sizes_[file] = size;
  }
  Size of(const std::string& file) const {
    const std::lock_guard lock(mutex_);
    return sizes_.at(file);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Size> sizes_;
};

Size size_of(const Image& image) { return {image.width, image.height}; }

// One split of pairs, with what the digest needs of its files.
struct OpenedPairs {
  std::shared_ptr<const PairSource> pairs;
  std::shared_ptr<const ImageSource> a, b;
};

class AlignedOpener {
 public:
  explicit AlignedOpener(const ImageIntake& intake) : intake_(intake) {}

  OpenedImages open() const {
    intake_.require_folders_to_share();
    if (intake_.generated()) return open_generated();
    intake_.require_data_folder();
    if (intake_.is_idx())
      fail_usage(
          "{}: MNIST's files are both domains at once, and each image would be its own partner; give pairs, "
          "or take --pairing unpaired",
          data().data);
    const fs::path whole = data().data.empty() ? fs::path() : side_by_side_folder(data().data);
    if (whole.empty()) return open_by_name();
    require_no_other_layout(whole);
    return open_side_by_side(whole);
  }

 private:
  const DataOptions& data() const { return intake_.data(); }

  void require_no_other_layout(const fs::path& whole) const {
    for (const Domain d : {Domain::a, Domain::b})
      if (is_filled_folder(intake_.train_folder(d)))
        fail(
            "{}: has {} for pairs side by side and {} for pairs by name; move one of them away, or name two "
            "folders with --a and --b",
            data().data, whole.filename().string(), intake_.train_folder(d).filename().string());
  }

  OpenedImages opened(const OpenedPairs& train, const OpenedPairs& test,
                      std::shared_ptr<FingerprintBuilder> seen_a, std::shared_ptr<FingerprintBuilder> seen_b,
                      const OpenedPairs& share = {}) const {
    return {dataset(train.pairs, data().transform),
            dataset(test.pairs, intake_.whole()),
            train.a,
            train.b,
            std::move(seen_a),
            std::move(seen_b),
            held_out(share.pairs ? share : val_pairs())};
  }

  HeldOut held_out(const OpenedPairs& held) const {
    if (!held.pairs) return {};
    return {dataset(held.pairs, intake_.whole()), held.pairs->size(), held.pairs->size()};
  }

  // Two folders, however the training images lie; none where none are given.
  OpenedPairs val_pairs() const {
    const fs::path a = intake_.val_folder(Domain::a), b = intake_.val_folder(Domain::b);
    return a.empty() ? OpenedPairs{} : paired(a, b).pairs();
  }

  std::shared_ptr<const Dataset> dataset(std::shared_ptr<const PairSource> pairs,
                                         const TransformOptions& transform) const {
    // What the images lose was said when they were verified.
    return std::make_shared<AlignedDataset>(std::move(pairs), transform, data().channels_a, data().channels_b,
                                            std::make_shared<NullLog>(), intake_.range(Domain::a),
                                            intake_.range(Domain::b));
  }

  std::shared_ptr<FingerprintBuilder> builder(std::int64_t images, Domain d) const {
    return std::make_shared<FingerprintBuilder>(images, intake_.channels(d));
  }

  OpenedPairs generated_pairs(Split split) const {
    const std::int64_t count = intake_.generated_count(split), size = data().transform.load_size;
    const std::string task = intake_.task();
    OpenedPairs out;
    out.a = make_generated_source(task, Domain::a, split, intake_.seed(), count, size);
    out.b = make_generated_partners(task, split, intake_.seed(), count, size);
    out.pairs = std::make_shared<InStep>(out.a, out.b);
    return out;
  }

  OpenedImages open_generated() const {
    for (const Domain d : {Domain::a, Domain::b}) intake_.decide_scale(d, {});
    const OpenedPairs train = generated_pairs(Split::train);
    const OpenedPairs test = generated_pairs(Split::test);
    return opened(train, test, intake_.generated_seen(*train.a, Domain::a),
                  intake_.generated_seen(*train.b, Domain::b),
                  intake_.evaluates_generated() ? test : OpenedPairs{});
  }

  // Looks at both halves; either builder may be null.
  FolderSource::Look look_at_halves(FingerprintBuilder* seen_a, FingerprintBuilder* seen_b) const {
    return [this, look_a = intake_.look(Domain::a, seen_a), look_b = intake_.look(Domain::b, seen_b)](
               const Image& whole, std::int64_t index, const std::string& file, Notes& notes) {
      const StoredPair pair = halves_of(whole, file);
      const std::string left = file + " (left half)", right = file + " (right half)";
      shared_size(data().transform, size_of(pair.a), size_of(pair.b), left, right);
      Notes said;
      look_a(pair.a, index, left, said);
      look_b(pair.b, index, right, said);
      for (const std::string& note : said)
        if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
    };
  }

  static OpenedPairs halves(const std::shared_ptr<const FolderSource>& whole) {
    return {std::make_shared<SideBySide>(whole), whole, whole};
  }

  OpenedImages open_side_by_side(const fs::path& folder) const {
    const auto train = intake_.folder(folder, data().max_dataset_size);
    const std::shared_ptr<FolderSource> share = intake_.share_of(*train);
    const auto half = [](Image StoredPair::*side) {
      return [side](const Image& whole) { return whole.width < 2 ? whole : halves_of(whole, "").*side; };
    };
    intake_.decide_scale(Domain::a, train->files(), half(&StoredPair::a));
    intake_.decide_scale(Domain::b, train->files(), half(&StoredPair::b));
    if (share) intake_.verify(*share, look_at_halves(nullptr, nullptr));
    const auto seen_a = builder(train->size(), Domain::a), seen_b = builder(train->size(), Domain::b);
    intake_.verify(*train, look_at_halves(seen_a.get(), seen_b.get()));
    const auto test = test_side_by_side();
    return opened(halves(train), halves(test ? test : train), seen_a, seen_b,
                  share ? halves(share) : OpenedPairs{});
  }

  std::shared_ptr<FolderSource> test_side_by_side() const {
    for (const char* name : {"testAB", "test", "valAB", "val"}) {
      const fs::path path = fs::path(data().data) / name;
      if (!is_filled_folder(path)) continue;
      const auto test = intake_.folder(path, data().max_dataset_size);
      intake_.verify(*test, look_at_halves(nullptr, nullptr));
      return test;
    }
    return nullptr;
  }

  // Two folders whose files have partners.
  struct PairedFolders {
    std::shared_ptr<FolderSource> a, b;
    std::shared_ptr<FingerprintBuilder> seen_a, seen_b;
    OpenedPairs pairs() const { return {std::make_shared<InStep>(a, b), a, b}; }
  };

  void drop_lonely(const PairedFolders& folders, std::int64_t limit) const {
    keep_partners(*folders.a, *folders.b, limit, intake_.bad_files(), intake_.log());
  }

  PairedFolders listed(const fs::path& path_a, const fs::path& path_b) const {
    const PairedFolders out{intake_.folder(path_a, 0), intake_.folder(path_b, 0), nullptr, nullptr};
    drop_lonely(out, data().max_dataset_size);
    return out;
  }

  // What --val-share takes of pairs, which A's names decide on.
  PairedFolders share_of(const PairedFolders& all) const {
    if (data().val_share == 0) return {};
    const NameShare share = share_by_name(*all.a, data().val_share);
    const PairedFolders out{std::make_shared<FolderSource>(*all.a), std::make_shared<FolderSource>(*all.b),
                            nullptr, nullptr};
    for (const auto& source : {out.a, out.b}) source->keep(share.held_out);
    for (const auto& source : {all.a, all.b}) source->keep(share.kept);
    return out;
  }

  PairedFolders paired(const fs::path& path_a, const fs::path& path_b) const {
    return verified(listed(path_a, path_b));
  }

  PairedFolders verified(PairedFolders out) const {
    FileSizes sizes;
    out.seen_a = builder(out.a->size(), Domain::a);
    intake_.verify(
        *out.a, [&, look = intake_.look(Domain::a, out.seen_a.get())](const Image& image, std::int64_t index,
                                                                      const std::string& file, Notes& notes) {
          look(image, index, file, notes);
          sizes.note(file, size_of(image));
        });
    drop_lonely(out, 0);  // the partners of those that were skipped
    out.seen_b = builder(out.b->size(), Domain::b);
    const std::vector<fs::path> partners = out.a->files();
    intake_.verify(
        *out.b, [&, look = intake_.look(Domain::b, out.seen_b.get())](const Image& image, std::int64_t index,
                                                                      const std::string& file, Notes& notes) {
          const std::string partner = partners[static_cast<std::size_t>(index)].string();
          shared_size(data().transform, sizes.of(partner), size_of(image), partner, file);
          look(image, index, file, notes);
        });
    drop_lonely(out, 0);
    return out;
  }

  void require_layout() const {
    if (data().data.empty() || is_filled_folder(intake_.train_folder(Domain::a)) ||
        is_filled_folder(intake_.train_folder(Domain::b)))
      return;
    fail(
        "{}: holds no pairs; expected images side by side in trainAB or train, or trainA and trainB with "
        "files of the same names",
        data().data);
  }

  OpenedImages open_by_name() const {
    require_layout();
    intake_.require_two_folders();
    const PairedFolders all = listed(intake_.train_folder(Domain::a), intake_.train_folder(Domain::b));
    PairedFolders share = share_of(all);
    intake_.decide_scale(Domain::a, all.a->files());
    intake_.decide_scale(Domain::b, all.b->files());
    if (share.a) share = verified(share);
    const PairedFolders train = verified(all);
    const fs::path test_a = intake_.test_folder(Domain::a), test_b = intake_.test_folder(Domain::b);
    const bool has_a = is_filled_folder(test_a), has_b = is_filled_folder(test_b), tested = has_a && has_b;
    if (has_a != has_b)
      intake_.log().warning(fmt::format("{} has no {} beside it: the samples show training images",
                                        (has_a ? test_a : test_b).string(), has_a ? "testB" : "testA"));
    return opened(train.pairs(), tested ? paired(test_a, test_b).pairs() : train.pairs(), train.seen_a,
                  train.seen_b, share.a ? share.pairs() : OpenedPairs{});
  }

  const ImageIntake& intake_;
};

}  // namespace

OpenedImages open_aligned(const ImageIntake& intake) { return AlignedOpener(intake).open(); }

fs::path side_by_side_folder(const fs::path& data) {
  const bool long_name = is_filled_folder(data / "trainAB"), short_name = is_filled_folder(data / "train");
  if (long_name && short_name)
    fail("{}: has both trainAB and train; move away the one that does not hold the pairs", data.string());
  return long_name ? data / "trainAB" : short_name ? data / "train" : fs::path();
}

}  // namespace torsor
