// Folders as a data source: one for each domain, or one of images that show pairs side by side.
#include "core/error.h"
#include "data/data_source.h"
#include "data/folder_source.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

bool is_filled_folder(const fs::path& path) {
  std::error_code ec;
  return fs::is_directory(path, ec) && !fs::is_empty(path, ec);
}

// Of canonical paths.
bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path below = path.lexically_relative(folder);
  return !below.empty() && *below.begin() != ".." && below != ".";
}

const char* letter(Domain d) { return d == Domain::a ? "A" : "B"; }

class FolderData : public DataSource {
 public:
  explicit FolderData(DataRequest request) : DataSource(std::move(request)) {}

  void require(Pairing pairing) const override {
    require_data_folder();
    if (pairing == Pairing::unpaired)
      require_no_pairs_alone();
    else if (require_one_layout_of_pairs() == Layout::side_by_side)
      return;
    require_two_folders();
    if (pairing == Pairing::aligned) warn_of_lonely_tests();
  }

  std::shared_ptr<ImageSet> open(SetName name, Split split) override {
    switch (name) {
      case SetName::real_a:
        return domain(Domain::a, split, request().limit);
      case SetName::real_b:
        return domain(Domain::b, split, request().limit);
      // Which images have partners is known when both folders are listed: the limit comes after that.
      case SetName::paired_a:
        return split == Split::train || has_paired_tests() ? domain(Domain::a, split, 0) : nullptr;
      case SetName::paired_b:
        return split == Split::train || has_paired_tests() ? domain(Domain::b, split, 0) : nullptr;
      case SetName::pairs:
        return pairs(split);
    }
    return nullptr;
  }

  std::string domain_name(Domain d) const override {
    if (request().data.empty()) return folder_name(d == Domain::a ? request().a : request().b);
    return folder_name(request().data) + letter(d);
  }

  bool has_named_images() const override { return true; }

 private:
  enum class Layout { by_name, side_by_side };

  fs::path data() const { return request().data; }

  fs::path train_folder(Domain d) const {
    if (request().data.empty()) return d == Domain::a ? request().a : request().b;
    return data() / (std::string("train") + letter(d));
  }

  // Which may be missing, or "".
  fs::path test_folder(Domain d) const {
    return request().data.empty() ? fs::path() : data() / (std::string("test") + letter(d));
  }

  // Of training images; "" for none.
  fs::path side_by_side_folder() const {
    if (request().data.empty()) return {};
    const bool long_name = is_filled_folder(data() / "trainAB"),
               short_name = is_filled_folder(data() / "train");
    if (long_name && short_name)
      fail("{}: has both trainAB and train; move away the one that does not hold the pairs", request().data);
    return long_name ? data() / "trainAB" : short_name ? data() / "train" : fs::path();
  }

  fs::path side_by_side_tests() const {
    for (const char* name : {"testAB", "test", "valAB", "val"})
      if (is_filled_folder(data() / name)) return data() / name;
    return {};
  }

  std::shared_ptr<ImageSet> opened(const fs::path& path, std::int64_t limit) const {
    return open_folder(path, limit, request().pages, request().bad_files, *request().log);
  }

  std::shared_ptr<ImageSet> domain(Domain d, Split split, std::int64_t limit) const {
    if (split == Split::train) return opened(train_folder(d), limit);
    return is_filled_folder(test_folder(d)) ? opened(test_folder(d), limit) : nullptr;
  }

  bool has_paired_tests() const {
    return is_filled_folder(test_folder(Domain::a)) && is_filled_folder(test_folder(Domain::b));
  }

  void warn_of_lonely_tests() const {
    const bool has_a = is_filled_folder(test_folder(Domain::a)),
               has_b = is_filled_folder(test_folder(Domain::b));
    if (has_a != has_b)
      request().log->warning(fmt::format("{} has no {} beside it: the samples show training images",
                                         test_folder(has_a ? Domain::a : Domain::b).string(),
                                         has_a ? "testB" : "testA"));
  }

  std::shared_ptr<ImageSet> pairs(Split split) const {
    const fs::path path = split == Split::train ? side_by_side_folder() : side_by_side_tests();
    return path.empty() ? nullptr : opened(path, request().limit);
  }

  void require_data_folder() const {
    std::error_code ec;
    if (!request().data.empty() && !fs::is_directory(data(), ec))
      fail("--data {}: no such folder", request().data);
  }

  // The layout of pairs, given to a run that takes none.
  void require_no_pairs_alone() const {
    std::error_code ec;
    if (fs::is_directory(train_folder(Domain::a), ec)) return;
    const fs::path pairs = side_by_side_folder();
    if (!pairs.empty())
      fail(
          "{}: has no trainA and trainB, but {}: pass --pairing aligned when its images show pairs side by "
          "side, or put the images of the domains into trainA and trainB",
          request().data, pairs.filename().string());
  }

  Layout require_one_layout_of_pairs() const {
    const fs::path whole = side_by_side_folder();
    bool by_name = request().data.empty();
    for (const Domain d : {Domain::a, Domain::b}) {
      if (!is_filled_folder(train_folder(d))) continue;
      by_name = true;
      if (!whole.empty())
        fail(
            "{}: has {} for pairs side by side and {} for pairs by name; move one of them away, or name two "
            "folders with --a and --b",
            request().data, whole.filename().string(), train_folder(d).filename().string());
    }
    if (!whole.empty()) return Layout::side_by_side;
    if (!by_name)
      fail(
          "{}: holds no pairs; expected images side by side in trainAB or train, or trainA and trainB with "
          "files of the same names",
          request().data);
    return Layout::by_name;
  }

  // One folder given for both domains is a typing error that would cost hours.
  void require_two_folders() const {
    std::error_code no_a, no_b;
    const fs::path given_a = train_folder(Domain::a), given_b = train_folder(Domain::b);
    const fs::path a = fs::canonical(given_a, no_a), b = fs::canonical(given_b, no_b);
    if (no_a || no_b) return;  // said when it is opened
    if (a == b)
      fail_usage("A and B are the same folder, {} ({} and {}): give each domain a folder of its own",
                 a.string(), given_a.string(), given_b.string());
    if (lies_in(a, b) || lies_in(b, a))
      request().log->warning(fmt::format(
          "{} lies in {}, whose sub-folders are read too: its images are in both domains",
          (lies_in(a, b) ? given_a : given_b).string(), (lies_in(a, b) ? given_b : given_a).string()));
  }
};

}  // namespace

DataSourceType folder_data() {
  return {
      "folder with trainA and trainB (testA, testB are used for samples), or with pairs side by side in "
      "trainAB or train",
      Storage::files, nullptr,
      [](DataRequest request) { return std::make_unique<FolderData>(std::move(request)); }};
}

}  // namespace torsor
