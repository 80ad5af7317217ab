#include "train/train_data.h"

#include "data/unpaired.h"
#include "train/aligned_data.h"
#include "train/image_intake.h"
#include "train/side_images.h"

namespace torsor {

namespace {

// The sets of one domain; `test` and `held_out` may be null.
struct DomainSets {
  std::shared_ptr<ImageSet> train, test, held_out;
  std::shared_ptr<FingerprintBuilder> seen;  // the training images
};

/// Opens both domains, each by itself.
class UnpairedOpener {
 public:
  explicit UnpairedOpener(const ImageIntake& intake) : intake_(intake) {}

  OpenedImages open() const {
    intake_.require_images(Pairing::unpaired);
    const DomainSets a = sets(Domain::a), b = sets(Domain::b);
    const auto held_a = held_out_of(a, Domain::a), held_b = held_out_of(b, Domain::b);
    const auto drawn = data().serial_batches ? Order::serial : Order::random;
    return {together(a.train, b.train, data().transform, drawn),
            // Test images where there are some.
            together(a.test ? a.test : a.train, b.test ? b.test : b.train, intake_.whole(), Order::serial),
            a.train, b.train, a.seen, b.seen, held_out(held_a, held_b)};
  }

 private:
  const DataOptions& data() const { return intake_.data(); }

  DomainSets sets(Domain d) const {
    const SetName name = d == Domain::a ? SetName::real_a : SetName::real_b;
    DomainSets out{intake_.open(name, Split::train), nullptr, nullptr, nullptr};
    out.held_out = intake_.share_of(*out.train);
    intake_.decide_scale(d, out.train->files());
    verify(out.held_out, d);
    out.seen = intake_.builder(*out.train, d);
    intake_.verify(*out.train, intake_.look(d, out.seen.get()));
    out.test = verify(intake_.open(name, Split::test), d);
    return out;
  }

  // The same set, which may be null.
  std::shared_ptr<ImageSet> verify(std::shared_ptr<ImageSet> set, Domain d) const {
    if (set) intake_.verify(*set, intake_.look(d, nullptr));
    return set;
  }

  std::shared_ptr<const ImageSet> held_out_of(const DomainSets& sets, Domain d) const {
    if (sets.held_out) return sets.held_out;
    if (intake_.evaluates_tests()) return sets.test;
    return verify(intake_.val_set(d, *sets.train, data().max_dataset_size), d);
  }

  HeldOut held_out(const std::shared_ptr<const ImageSet>& a, const std::shared_ptr<const ImageSet>& b) const {
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
  OpenedImages images =
      config.pairing() == Pairing::aligned ? open_aligned(intake) : UnpairedOpener(intake).open();
  add_side_data(intake, config.model->side_data(), images);
  return intake.describe(images);
}

}  // namespace torsor
