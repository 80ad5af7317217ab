#include "train/train_data.h"

#include "core/error.h"
#include "data/idx_source.h"
#include "data/unpaired.h"
#include "train/aligned_data.h"
#include "train/image_intake.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// Both splits of one domain; test may be null.
struct DomainSources {
  std::shared_ptr<const ImageSource> train, test;
  std::shared_ptr<FingerprintBuilder> seen;               // the training images
  std::shared_ptr<const ImageSource> held_out = nullptr;  // a share of them
};

/// Opens both domains, each by itself.
class UnpairedOpener {
 public:
  explicit UnpairedOpener(const ImageIntake& intake) : intake_(intake) {}

  OpenedImages open() const {
    intake_.require_folders_to_share();
    if (!intake_.generated() && !intake_.is_idx()) {
      require_no_pairs_alone();
      intake_.require_two_folders();
    }
    const DomainSources a = sources(Domain::a);
    if (intake_.is_idx()) intake_.decide_scale(Domain::b, {});
    const DomainSources b =
        intake_.is_idx()
            ? DomainSources{a.train, a.test, intake_.seen_of(*a.train, Domain::b, a.train->size())}
            : sources(Domain::b);
    const auto held_a = held_out_images(a, Domain::a), held_b = held_out_images(b, Domain::b);
    const auto drawn = data().serial_batches ? Order::serial : Order::random;
    return {together(a.train, b.train, data().transform, drawn),
            // Test images where there are some.
            together(a.test ? a.test : a.train, b.test ? b.test : b.train, intake_.whole(), Order::serial),
            a.train, b.train, a.seen, b.seen, held_out(held_a, held_b)};
  }

 private:
  const DataOptions& data() const { return intake_.data(); }

  // The layout of pairs, given to a run that takes none.
  void require_no_pairs_alone() const {
    std::error_code ec;
    if (data().data.empty() || fs::is_directory(intake_.train_folder(Domain::a), ec)) return;
    const fs::path pairs = side_by_side_folder(data().data);
    if (!pairs.empty())
      fail(
          "{}: has no trainA and trainB, but {}: pass --pairing aligned when its images show pairs side by "
          "side, or put the images of the domains into trainA and trainB",
          data().data, pairs.filename().string());
  }

  DomainSources generated_sources(Domain d) const {
    const auto make = [&](Split split) {
      return std::shared_ptr<const ImageSource>(
          make_generated_source(intake_.task(), d, split, intake_.seed(), intake_.generated_count(split),
                                data().transform.load_size));
    };
    DomainSources out{make(Split::train), make(Split::test), nullptr};
    out.seen = intake_.generated_seen(*out.train, d);
    return out;
  }

  DomainSources idx_sources(Domain d) const {
    const auto open = [&](const fs::path& path) {
      return path.empty() ? nullptr
                          : std::shared_ptr<const ImageSource>(open_idx(path, {}, data().max_dataset_size));
    };
    const auto train = open(intake_.idx_images("train"));
    return {train, open(intake_.idx_images("t10k")), intake_.seen_of(*train, d, train->size())};
  }

  DomainSources sources(Domain d) const {
    if (!intake_.generated()) intake_.require_data_folder();
    intake_.decide_scale(d, {});
    if (intake_.generated()) return generated_sources(d);
    if (intake_.is_idx()) return idx_sources(d);
    const auto train = intake_.folder(intake_.train_folder(d), data().max_dataset_size);
    const auto held_out = intake_.share_of(*train);
    intake_.decide_scale(d, train->files());
    if (held_out) intake_.verify(*held_out, intake_.look(d, nullptr));
    const auto seen = std::make_shared<FingerprintBuilder>(train->size(), intake_.channels(d));
    intake_.verify(*train, intake_.look(d, seen.get()));
    const fs::path test = intake_.test_folder(d);
    return {train, is_filled_folder(test) ? images_in(test, d) : nullptr, seen, held_out};
  }

  // None for "".
  std::shared_ptr<const ImageSource> images_in(const fs::path& path, Domain d) const {
    if (path.empty()) return nullptr;
    const auto images = intake_.folder(path, data().max_dataset_size);
    intake_.verify(*images, intake_.look(d, nullptr));
    return images;
  }

  std::shared_ptr<const ImageSource> held_out_images(const DomainSources& images, Domain d) const {
    if (images.held_out) return images.held_out;
    if (intake_.evaluates_generated()) return images.test;
    return images_in(intake_.val_folder(d), d);
  }

  HeldOut held_out(const std::shared_ptr<const ImageSource>& a,
                   const std::shared_ptr<const ImageSource>& b) const {
    if (!a || !b) return {};
    return {together(a, b, intake_.whole(), Order::serial), a->size(), b->size()};
  }

  std::shared_ptr<const Dataset> together(std::shared_ptr<const ImageSource> a,
                                          std::shared_ptr<const ImageSource> b,
                                          const TransformOptions& transform, Order order) const {
    // What the images lose was said when they were verified.
    const auto silent = std::make_shared<NullLog>();
    const auto reader = [&](std::shared_ptr<const ImageSource> source, Domain d) {
      return std::make_shared<DomainReader>(std::move(source), transform, intake_.channels(d), silent,
                                            intake_.range(d));
    };
    return std::make_shared<UnpairedDataset>(reader(std::move(a), Domain::a), reader(std::move(b), Domain::b),
                                             order);
  }

  const ImageIntake& intake_;
};

}  // namespace

TrainData open_data(const TrainConfig& config, std::shared_ptr<LogSink> log) {
  const ImageIntake intake(config, std::move(log));
  return intake.describe(config.pairing() == Pairing::aligned ? open_aligned(intake)
                                                              : UnpairedOpener(intake).open());
}

}  // namespace torsor
