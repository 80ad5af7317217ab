#include "train/image_intake.h"

#include <algorithm>

#include "core/error.h"
#include "data/folder_source.h"
#include "data/name_share.h"
#include "data/unpaired.h"
#include "io/checksum.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::size_t place(Domain d) { return d == Domain::a ? 0 : 1; }

const char* letter(Domain d) { return d == Domain::a ? "A" : "B"; }

DataRequest request_of(const TrainConfig& config, const std::shared_ptr<LogSink>& log) {
  const DataOptions& o = config.data;
  DataRequest out;
  out.data = o.data;
  out.a = o.a;
  out.b = o.b;
  out.limit = o.max_dataset_size;
  out.pages = page_use_named(o.transform.pages);
  out.bad_files = o.skip_bad ? BadFiles::skip : BadFiles::refuse;
  out.seed = static_cast<std::uint64_t>(config.run.seed);
  out.size = o.transform.load_size;
  out.log = log;
  return out;
}

}  // namespace

Json digest_of(const ImageSet& set) {
  Checksum sum;
  for (const std::string& text : set.identity()) sum.update(text.data(), text.size() + 1);
  return {{"count", set.size()}, {"digest", sum.hex()}};
}

void LargestSize::see(const Size& size) {
  const std::lock_guard lock(mutex_);
  if (size.width * size.height > size_.width * size_.height) size_ = size;
}

Size LargestSize::get() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

ImageIntake::ImageIntake(const TrainConfig& config, std::shared_ptr<LogSink> log)
    : config_(config), log_(std::move(log)), source_(open_data_source(request_of(config, log_))) {}

void ImageIntake::require_images(Pairing pairing) const {
  if (data().val_share > 0 && !source_->has_named_images())
    fail_usage("--val-share holds out a share of folders, and --data {} is none; give --val-a and --val-b",
               data().data);
  source_->require(pairing);
}

std::shared_ptr<ImageSet> ImageIntake::share_of(ImageSet& train) const {
  if (data().val_share == 0) return nullptr;
  const NameShare share = share_by_name(train, data().val_share);
  auto out = train.copy();
  out->keep(share.held_out);
  train.keep(share.kept);
  return out;
}

std::shared_ptr<ImageSet> ImageIntake::val_set(Domain d, const ImageSet& train, std::int64_t limit) const {
  const fs::path given = d == Domain::a ? data().val_a : data().val_b;
  if (given.empty()) return nullptr;
  std::error_code no_given, no_train;
  const fs::path held_out = fs::canonical(given, no_given), used = fs::canonical(train.folder(), no_train);
  if (!no_given && !no_train && held_out == used)
    fail_usage("--val-{} {} is the training folder; give images that are not trained with, or --val-share",
               d == Domain::a ? "a" : "b", given.string());
  return open_folder_of(given, limit);
}

std::shared_ptr<ImageSet> ImageIntake::open_folder_of(const fs::path& path, std::int64_t limit) const {
  return open_folder(path, limit, page_use_named(data().transform.pages), bad_files(), *log_);
}

GivenScale ImageIntake::given_scale(Domain d) const {
  return d == Domain::a ? GivenScale{data().white_a, data().black_a}
                        : GivenScale{data().white_b, data().black_b};
}

void ImageIntake::decide_scale(Domain d, const std::vector<fs::path>& files, const PartOfImage& part) const {
  if (scales_each_image(data().transform.scaling)) return;
  SampleStatistics seen;
  const bool first = page_use_named(data().transform.pages) == PageUse::images;
  look_at_deep_images(files, first ? WhichPages::first : WhichPages::all,
                      [&](const Image& image) { part ? seen.add(part(image)) : seen.add(image); });
  scales_->ranges[place(d)] = seen.range(given_scale(d), d == Domain::a ? "--white-a" : "--white-b");
}

// Of 8-bit images with the whole range there is nothing to say.
void ImageIntake::say_scale(Domain d) const {
  const ValueRange& r = range(d);
  if (r == ValueRange{}) return;
  const std::int64_t samples = scales_->samples[place(d)], clipped = scales_->clipped[place(d)];
  const double percent =
      samples > 0 ? 100.0 * static_cast<double>(clipped) / static_cast<double>(samples) : 0;
  log_->notice(fmt::format("{}: {} samples, of which {:g} is black and {:g} white{}", letter(d),
                           depth_text(r.type), r.black_level, r.white,
                           clipped > 0 ? fmt::format("; {} of {} ({:.2g} %) lie outside and are clipped",
                                                     clipped, samples, percent)
                                       : ""));
}

ImageSet::Look ImageIntake::look(Domain d, FingerprintBuilder* seen) const {
  std::vector<NetworkInfo> generators;  // that take images of varying sizes
  if (output_size(data().transform) == Size{})
    for (const NetworkInfo& network : config_.networks())
      if (network.kind == kGeneratorKind) generators.push_back(network);
  return [this, d, seen, generators](const Image& image, std::int64_t index, const std::string& file,
                                     Notes& notes) {
    const TransformOptions& t = data().transform;
    std::string note;
    const PreparedImage input =
        prepare_without_alpha(image, channels(d), SampleScale(t.scaling, range(d)), note, file);
    if (seen != nullptr) {
      scales_->samples[place(d)] += input.image.samples();
      scales_->clipped[place(d)] += input.clipped;
    }
    const Size sides{image.width, image.height};
    check_fits(t, sides, file);
    const Size size = resized_size(t, sides);
    for (const NetworkInfo& network : generators)
      check_size(file, size, network.sides, network_label(network));
    largest_->see(size);
    if (seen != nullptr) seen->add(index, to_preview(input.image, input.range), input.range);
    if (!note.empty()) notes.push_back(note);
  };
}

void ImageIntake::verify(ImageSet& set, const ImageSet::Look& look) const {
  set.verify(bad_files(), *log_, look);
}

std::shared_ptr<FingerprintBuilder> ImageIntake::builder(const ImageSet& set, Domain d) const {
  return std::make_shared<FingerprintBuilder>(set.looked_at(), channels(d));
}

TransformOptions ImageIntake::whole() const {
  TransformOptions out = data().transform;
  out.flip = false;
  if (output_size(out) != Size{}) {
    out.preprocess = "resize_and_crop";
    out.load_size = out.crop_size;
  }
  return out;
}

std::string ImageIntake::name(Domain d) const {
  const std::string& given = d == Domain::a ? data().name_a : data().name_b;
  return given.empty() ? source_->domain_name(d) : given;
}

ValueRange ImageIntake::range_of_domain(Domain d, const FingerprintBuilder& seen) const {
  return scales_each_image(data().transform.scaling) ? seen.mean_range() : range(d);
}

Batch ImageIntake::samples(const Dataset& shown) const {
  std::vector<Batch> samples;
  // Images of varying size cannot share a batch, so one of them has to do.
  const std::int64_t wanted = output_size(whole()) == Size{} ? 1 : config_.run.sample_count;
  for (std::int64_t i = 0; i < std::min(wanted, shown.size()); ++i) {
    Rng rng(0);
    samples.push_back(shown.get(i, rng));
  }
  return collate(samples);
}

TrainData ImageIntake::describe(const OpenedImages& images) const {
  for (const Domain d : {Domain::a, Domain::b}) say_scale(d);
  TrainData out;
  out.train = images.train;
  out.fixed = samples(*images.shown);
  out.held_out = images.held_out;
  out.count_a = images.source_a->size();
  out.count_b = images.source_b->size();
  const Fingerprints seen = make_fingerprints(*images.seen_a, *images.seen_b);
  out.a = {name(Domain::a), channels(Domain::a), range_of_domain(Domain::a, *images.seen_a), seen.a};
  out.b = {name(Domain::b), channels(Domain::b), range_of_domain(Domain::b, *images.seen_b), seen.b};
  out.largest = largest_->get();
  out.files = {{"a", digest_of(*images.source_a)}, {"b", digest_of(*images.source_b)}};
  out.files.update(images.beside);
  out.anchor_pairs = images.anchor_pairs;
  out.anchors = images.anchors;
  return out;
}

}  // namespace torsor
