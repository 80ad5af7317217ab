#include "train/aligned_data.h"

#include <algorithm>
#include <map>

#include "data/aligned.h"
#include "data/name_share.h"
#include "data/partners.h"

namespace torsor {

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

// One split of pairs, with the sets that it consists of.
struct OpenedPairs {
  std::shared_ptr<const PairSource> pairs;
  std::shared_ptr<const ImageSet> a, b;
};

class AlignedOpener {
 public:
  explicit AlignedOpener(const ImageIntake& intake) : intake_(intake) {}

  OpenedImages open() const {
    intake_.require_images(Pairing::aligned);
    const std::shared_ptr<ImageSet> whole = intake_.open(SetName::pairs, Split::train);
    return whole ? open_side_by_side(whole) : open_by_name();
  }

  PairedFolders open_beside(const std::filesystem::path& a, const std::filesystem::path& b,
                            std::int64_t most) const {
    PairedSets sets{intake_.open_folder_of(a), intake_.open_folder_of(b), nullptr, nullptr};
    drop_lonely(sets, 0);
    if (sets.a->size() > most)
      fail(
          "{} and {}: {} pairs, expected at most {}; more of them are a training of their own "
          "(--pairing aligned)",
          a.string(), b.string(), sets.a->size(), most);
    sets = verified(sets);
    return {dataset(sets.pairs().pairs, data().transform), sets.a, sets.b};
  }

 private:
  const DataOptions& data() const { return intake_.data(); }

  // `test` and `share` may have no pairs.
  OpenedImages opened(const OpenedPairs& train, const OpenedPairs& test,
                      std::shared_ptr<FingerprintBuilder> seen_a, std::shared_ptr<FingerprintBuilder> seen_b,
                      const OpenedPairs& share) const {
    const OpenedPairs given = intake_.evaluates_tests() ? test : val_pairs(train);
    return {dataset(train.pairs, data().transform),
            dataset(test.pairs ? test.pairs : train.pairs, intake_.whole()),
            train.a,
            train.b,
            std::move(seen_a),
            std::move(seen_b),
            held_out(share.pairs ? share : given)};
  }

  HeldOut held_out(const OpenedPairs& held) const {
    if (!held.pairs) return {};
    return {dataset(held.pairs, intake_.whole()), held.pairs->size(), held.pairs->size()};
  }

  // Two folders, however the training images lie; none where none are given.
  OpenedPairs val_pairs(const OpenedPairs& train) const {
    const auto a = intake_.val_set(Domain::a, *train.a, 0), b = intake_.val_set(Domain::b, *train.b, 0);
    return a && b ? verified(matched(a, b)).pairs() : OpenedPairs{};
  }

  std::shared_ptr<const Dataset> dataset(std::shared_ptr<const PairSource> pairs,
                                         const TransformOptions& transform) const {
    // What the images lose was said when they were verified.
    return std::make_shared<AlignedDataset>(std::move(pairs), transform, data().channels_a, data().channels_b,
                                            std::make_shared<NullLog>(), intake_.range(Domain::a),
                                            intake_.range(Domain::b));
  }

  // Looks at both halves; either builder may be null.
  ImageSet::Look look_at_halves(FingerprintBuilder* seen_a, FingerprintBuilder* seen_b) const {
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

  static OpenedPairs halves(const std::shared_ptr<const ImageSet>& whole) {
    return {std::make_shared<SideBySide>(whole), whole, whole};
  }

  OpenedImages open_side_by_side(const std::shared_ptr<ImageSet>& train) const {
    const std::shared_ptr<ImageSet> share = intake_.share_of(*train);
    const auto half = [](Image StoredPair::*side) {
      return [side](const Image& whole) { return whole.width < 2 ? whole : halves_of(whole, "").*side; };
    };
    intake_.decide_scale(Domain::a, train->files(), half(&StoredPair::a));
    intake_.decide_scale(Domain::b, train->files(), half(&StoredPair::b));
    if (share) intake_.verify(*share, look_at_halves(nullptr, nullptr));
    const auto seen_a = intake_.builder(*train, Domain::a), seen_b = intake_.builder(*train, Domain::b);
    intake_.verify(*train, look_at_halves(seen_a.get(), seen_b.get()));
    const std::shared_ptr<ImageSet> test = intake_.open(SetName::pairs, Split::test);
    if (test) intake_.verify(*test, look_at_halves(nullptr, nullptr));
    return opened(halves(train), test ? halves(test) : OpenedPairs{}, seen_a, seen_b,
                  share ? halves(share) : OpenedPairs{});
  }

  // Two sets whose images have partners.
  struct PairedSets {
    std::shared_ptr<ImageSet> a, b;
    std::shared_ptr<FingerprintBuilder> seen_a, seen_b;
    OpenedPairs pairs() const { return {std::make_shared<InStep>(a, b), a, b}; }
  };

  void drop_lonely(const PairedSets& sets, std::int64_t limit) const {
    keep_partners(*sets.a, *sets.b, limit, intake_.bad_files(), intake_.log());
  }

  PairedSets matched(std::shared_ptr<ImageSet> a, std::shared_ptr<ImageSet> b) const {
    PairedSets out{std::move(a), std::move(b), nullptr, nullptr};
    drop_lonely(out, data().max_dataset_size);
    return out;
  }

  // What --val-share takes of pairs, which A's names decide on.
  PairedSets share_of(const PairedSets& all) const {
    if (data().val_share == 0) return {};
    const NameShare share = share_by_name(*all.a, data().val_share);
    const PairedSets out{all.a->copy(), all.b->copy(), nullptr, nullptr};
    for (const auto& set : {out.a, out.b}) set->keep(share.held_out);
    for (const auto& set : {all.a, all.b}) set->keep(share.kept);
    return out;
  }

  PairedSets verified(PairedSets out) const {
    FileSizes sizes;
    out.seen_a = intake_.builder(*out.a, Domain::a);
    intake_.verify(
        *out.a, [&, look = intake_.look(Domain::a, out.seen_a.get())](const Image& image, std::int64_t index,
                                                                      const std::string& file, Notes& notes) {
          look(image, index, file, notes);
          sizes.note(file, size_of(image));
        });
    drop_lonely(out, 0);  // the partners of those that were skipped
    out.seen_b = intake_.builder(*out.b, Domain::b);
    intake_.verify(
        *out.b, [&, look = intake_.look(Domain::b, out.seen_b.get())](const Image& image, std::int64_t index,
                                                                      const std::string& file, Notes& notes) {
          const std::string partner = out.a->file(index);
          shared_size(data().transform, sizes.of(partner), size_of(image), partner, file);
          look(image, index, file, notes);
        });
    drop_lonely(out, 0);
    return out;
  }

  OpenedImages open_by_name() const {
    const PairedSets all =
        matched(intake_.open(SetName::paired_a, Split::train), intake_.open(SetName::paired_b, Split::train));
    PairedSets share = share_of(all);
    intake_.decide_scale(Domain::a, all.a->files());
    intake_.decide_scale(Domain::b, all.b->files());
    if (share.a) share = verified(share);
    const PairedSets train = verified(all);
    const auto test_a = intake_.open(SetName::paired_a, Split::test),
               test_b = intake_.open(SetName::paired_b, Split::test);
    const OpenedPairs test = test_a && test_b ? verified(matched(test_a, test_b)).pairs() : OpenedPairs{};
    return opened(train.pairs(), test, train.seen_a, train.seen_b, share.a ? share.pairs() : OpenedPairs{});
  }

  const ImageIntake& intake_;
};

}  // namespace

OpenedImages open_aligned(const ImageIntake& intake) { return AlignedOpener(intake).open(); }

PairedFolders open_pairs_beside(const ImageIntake& intake, const std::filesystem::path& a,
                                const std::filesystem::path& b, std::int64_t most) {
  return AlignedOpener(intake).open_beside(a, b, most);
}

}  // namespace torsor
