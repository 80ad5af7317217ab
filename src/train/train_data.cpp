#include "train/train_data.h"

#include <mutex>

#include "core/error.h"
#include "data/fingerprint.h"
#include "data/folder_source.h"
#include "data/generated.h"
#include "data/idx_source.h"
#include "data/unpaired.h"
#include "io/checksum.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kGeneratedTrainCount = 1000;
constexpr std::int64_t kGeneratedTestCount = 100;
constexpr std::int64_t kGeneratedSeen = 200;  // for the fingerprint
const std::string kGeneratedPrefix = "generated:";

std::string folder_name(const fs::path& folder) {
  const fs::path clean = fs::absolute(folder).lexically_normal();
  return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

// Of canonical paths.
bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path below = path.lexically_relative(folder);
  return !below.empty() && *below.begin() != ".." && below != ".";
}

// Both splits of one domain; test may be null.
struct DomainSources {
  std::shared_ptr<const ImageSource> train, test;
  std::shared_ptr<FingerprintBuilder> seen;  // the training images
};

// By area; several threads look at images.
class LargestSize {
 public:
  void see(const Size& size) {
    const std::lock_guard lock(mutex_);
    if (size.width * size.height > size_.width * size_.height) size_ = size;
  }
  Size get() const {
    const std::lock_guard lock(mutex_);
    return size_;
  }

 private:
  mutable std::mutex mutex_;
  Size size_;
};

class DataOpener {
 public:
  DataOpener(const TrainConfig& config, std::shared_ptr<LogSink> log)
      : config_(config), log_(std::move(log)) {}

  TrainData open() const {
    require_two_folders();
    TrainData out;
    const DomainSources a = sources(Domain::a);
    const DomainSources b =
        is_idx() ? DomainSources{a.train, a.test, seen_of(*a.train, Domain::b, a.train->size())}
                 : sources(Domain::b);
    out.count_a = a.train->size();
    out.count_b = b.train->size();
    const Fingerprints seen = make_fingerprints(*a.seen, *b.seen);
    out.a = {name(Domain::a), channels(Domain::a), range_of_domain(*a.seen), seen.a};
    out.b = {name(Domain::b), channels(Domain::b), range_of_domain(*b.seen), seen.b};
    const auto train_a = reader(a.train, data().transform, Domain::a);
    const auto train_b = reader(b.train, data().transform, Domain::b);
    out.train = std::make_shared<UnpairedDataset>(train_a, train_b,
                                                  data().serial_batches ? Order::serial : Order::random);
    out.fixed = fixed_images(a, b);
    out.largest = largest_->get();
    out.files = {{"a", digest(*a.train)}, {"b", digest(*b.train)}};
    return out;
  }

 private:
  const DataOptions& data() const { return config_.data; }
  bool generated() const { return data().data.starts_with(kGeneratedPrefix); }
  std::string task() const { return data().data.substr(kGeneratedPrefix.size()); }
  std::int64_t channels(Domain d) const { return d == Domain::a ? data().channels_a : data().channels_b; }
  static const char* letter(Domain d) { return d == Domain::a ? "A" : "B"; }

  fs::path train_folder(Domain d) const {
    if (data().data.empty()) return d == Domain::a ? data().a : data().b;
    return fs::path(data().data) / (std::string("train") + letter(d));
  }

  // One folder given for both domains is a slip of the keyboard that would cost hours.
  void require_two_folders() const {
    if (generated() || is_idx()) return;
    std::error_code no_a, no_b;
    const fs::path given_a = train_folder(Domain::a), given_b = train_folder(Domain::b);
    const fs::path a = fs::canonical(given_a, no_a), b = fs::canonical(given_b, no_b);
    if (no_a || no_b) return;  // said when it is opened
    if (a == b)
      fail_usage("A and B are the same folder, {} ({} and {}): give each domain a folder of its own",
                 a.string(), given_a.string(), given_b.string());
    if (lies_in(a, b) || lies_in(b, a))
      log_->warning(fmt::format(
          "{} lies in {}, whose sub-folders are read too: its images are in both domains",
          (lies_in(a, b) ? given_a : given_b).string(), (lies_in(a, b) ? given_b : given_a).string()));
  }

  std::string name(Domain d) const {
    const std::string& given = d == Domain::a ? data().name_a : data().name_b;
    if (!given.empty()) return given;
    if (generated()) return generated_domain_name(task(), d);
    if (data().data.empty()) return folder_name(d == Domain::a ? data().a : data().b);
    if (is_idx()) return folder_name(data().data);
    return folder_name(data().data) + letter(d);
  }

  ValueRange range_of_domain(const FingerprintBuilder& seen) const {
    if (!scales_each_image(data().transform.scaling)) return {};
    return {seen.mean_percentile_95(), 0};
  }

  // Names and sizes of the files in their order: where they lie does not matter.
  Json digest(const ImageSource& source) const {
    Checksum sum;
    const auto add = [&](const std::string& text) { sum.update(text.data(), text.size() + 1); };
    if (generated()) add(data().data);
    if (!generated() && !idx_images("train").empty()) add(std::to_string(fs::file_size(idx_images("train"))));
    if (const auto* files = dynamic_cast<const FolderSource*>(&source))
      for (std::int64_t i = 0; i < files->size(); ++i) {
        std::error_code ec;
        add(files->name(i));
        add(std::to_string(fs::file_size(files->files()[static_cast<std::size_t>(i)], ec)));
      }
    return {{"count", source.size()}, {"digest", sum.hex()}};
  }

  // MNIST's files are both domains: a task of translating a set of images to itself (S0-E1).
  bool is_idx() const { return !generated() && !data().data.empty() && !idx_images("train").empty(); }
  fs::path idx_images(const std::string& split) const { return find_idx(data().data, split, "images"); }

  DomainSources idx_sources(Domain d) const {
    const auto open = [&](const fs::path& path) {
      return path.empty() ? nullptr
                          : std::shared_ptr<const ImageSource>(open_idx(path, {}, data().max_dataset_size));
    };
    const auto train = open(idx_images("train"));
    return {train, open(idx_images("t10k")), seen_of(*train, d, train->size())};
  }

  std::shared_ptr<FolderSource> folder(const fs::path& path) const {
    auto source = std::make_shared<FolderSource>(path, data().max_dataset_size, bad_files());
    for (const std::string& line : source->skipped()) log_->warning("skipped: " + line);
    if (!source->left_out().empty()) log_->warning(path.string() + ": " + source->left_out());
    return source;
  }

  BadFiles bad_files() const { return data().skip_bad ? BadFiles::skip : BadFiles::refuse; }

  // What every image goes through before training; `seen` may be null. Throws for one that the scaling, the
  // transform or the generator cannot take.
  FolderSource::Look look(Domain d, FingerprintBuilder* seen) const {
    const bool varies = output_size(data().transform) == Size{};
    const std::vector<NetworkInfo> networks = varies ? generators() : std::vector<NetworkInfo>{};
    return [this, d, seen, networks](const Image& image, std::int64_t index, const std::string& file,
                                     Notes& notes) {
      const TransformOptions& t = data().transform;
      std::string note;
      const Image input = to_input(image, channels(d), t.scaling, note, file);
      range_of(input, t.scaling, file);
      const Size sides{image.width, image.height};
      check_fits(t, sides, file);
      const Size size = resized_size(t, sides);
      for (const NetworkInfo& network : networks)
        check_size(file, size, network.sides, network_label(network));
      largest_->see(size);
      if (seen != nullptr) seen->add(index, input);
      if (!note.empty()) notes.push_back(note);
    };
  }

  std::vector<NetworkInfo> generators() const {
    std::vector<NetworkInfo> out = config_.networks();
    std::erase_if(out, [](const NetworkInfo& network) { return network.kind != kGeneratorKind; });
    return out;
  }

  // The first `count` images of a source that is no folder.
  std::shared_ptr<FingerprintBuilder> seen_of(const ImageSource& source, Domain d, std::int64_t count) const {
    auto seen = std::make_shared<FingerprintBuilder>(count, channels(d));
    const auto see = look(d, seen.get());
    Notes notes;  // none: these images have 8 bits and no alpha
    for (std::int64_t i = 0; i < count; ++i) see(source.read(i), i, source.name(i), notes);
    return seen;
  }

  // Reads all files once; `seen` may be null.
  void verify(FolderSource& source, Domain d, FingerprintBuilder* seen) const {
    source.verify(bad_files(), *log_, look(d, seen));
  }

  DomainSources generated_sources(Domain d) const {
    const auto make = [&](Split split, std::int64_t count) {
      return std::shared_ptr<const ImageSource>(make_generated_source(
          task(), d, split, static_cast<std::uint64_t>(config_.run.seed), count, data().transform.load_size));
    };
    const std::int64_t limit = data().max_dataset_size;
    DomainSources out{make(Split::train, limit > 0 ? limit : kGeneratedTrainCount),
                      make(Split::test, kGeneratedTestCount), nullptr};
    // They are drawn alike, so that the first ones stand for all.
    out.seen = seen_of(*out.train, d, std::min(out.train->size(), kGeneratedSeen));
    return out;
  }

  DomainSources sources(Domain d) const {
    if (generated()) return generated_sources(d);
    const bool lone = data().data.empty();
    const fs::path root = data().data;
    std::error_code ec;
    if (!lone && !fs::is_directory(root, ec)) fail("--data {}: no such folder", root.string());
    if (is_idx()) return idx_sources(d);
    const auto train = folder(train_folder(d));
    const auto seen = std::make_shared<FingerprintBuilder>(train->size(), channels(d));
    verify(*train, d, seen.get());
    return {train, lone ? nullptr : test_folder(root / (std::string("test") + letter(d)), d), seen};
  }

  std::shared_ptr<FolderSource> test_folder(const fs::path& path, Domain d) const {
    std::error_code ec;
    if (!fs::is_directory(path, ec) || fs::is_empty(path, ec)) return nullptr;
    const auto test = folder(path);
    verify(*test, d, nullptr);
    return test;
  }

  std::shared_ptr<const DomainReader> reader(std::shared_ptr<const ImageSource> source,
                                             const TransformOptions& transform, Domain d) const {
    // What the images lose was said when they were verified.
    return std::make_shared<DomainReader>(std::move(source), transform, channels(d),
                                          std::make_shared<NullLog>());
  }

  // Test images where there are some; resized without crop or flip, so that they show the whole picture.
  Batch fixed_images(const DomainSources& a, const DomainSources& b) const {
    TransformOptions whole = data().transform;
    whole.flip = false;
    if (output_size(whole) != Size{}) {
      whole.preprocess = "resize_and_crop";
      whole.load_size = whole.crop_size;
    }
    const auto shown = [&](const DomainSources& d) { return d.test ? d.test : d.train; };
    const UnpairedDataset pairs(reader(shown(a), whole, Domain::a), reader(shown(b), whole, Domain::b),
                                Order::serial);
    std::vector<Batch> samples;
    // Images of varying size cannot share a batch, so one of them has to do.
    const std::int64_t wanted = output_size(whole) == Size{} ? 1 : config_.run.sample_count;
    for (std::int64_t i = 0; i < std::min(wanted, pairs.size()); ++i) {
      Rng rng(0);
      samples.push_back(pairs.get(i, rng));
    }
    return collate(samples);
  }

  const TrainConfig& config_;
  std::shared_ptr<LogSink> log_;
  std::shared_ptr<LargestSize> largest_ = std::make_shared<LargestSize>();
};

}  // namespace

TrainData open_data(const TrainConfig& config, std::shared_ptr<LogSink> log) {
  return DataOpener(config, std::move(log)).open();
}

}  // namespace torsor
