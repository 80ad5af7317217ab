#include "train/image_intake.h"

#include <algorithm>

#include "core/error.h"
#include "data/idx_source.h"
#include "data/name_share.h"
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

std::size_t place(Domain d) { return d == Domain::a ? 0 : 1; }

const char* letter(Domain d) { return d == Domain::a ? "A" : "B"; }

}  // namespace

bool is_filled_folder(const fs::path& path) {
  std::error_code ec;
  return fs::is_directory(path, ec) && !fs::is_empty(path, ec);
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
    : config_(config), log_(std::move(log)) {}

void ImageIntake::require_data_folder() const {
  std::error_code ec;
  if (!data().data.empty() && !fs::is_directory(data().data, ec))
    fail("--data {}: no such folder", data().data);
}

bool ImageIntake::generated() const { return data().data.starts_with(kGeneratedPrefix); }

std::string ImageIntake::task() const { return data().data.substr(kGeneratedPrefix.size()); }

std::int64_t ImageIntake::generated_count(Split split) const {
  if (split == Split::test) return kGeneratedTestCount;
  return data().max_dataset_size > 0 ? data().max_dataset_size : kGeneratedTrainCount;
}

fs::path ImageIntake::idx_images(const std::string& split) const {
  return find_idx(data().data, split, "images");
}

fs::path ImageIntake::train_folder(Domain d) const {
  if (data().data.empty()) return d == Domain::a ? data().a : data().b;
  return fs::path(data().data) / (std::string("train") + letter(d));
}

fs::path ImageIntake::test_folder(Domain d) const {
  if (data().data.empty()) return {};
  return fs::path(data().data) / (std::string("test") + letter(d));
}

void ImageIntake::require_two_folders() const {
  std::error_code no_a, no_b;
  const fs::path given_a = train_folder(Domain::a), given_b = train_folder(Domain::b);
  const fs::path a = fs::canonical(given_a, no_a), b = fs::canonical(given_b, no_b);
  if (no_a || no_b) return;  // said when it is opened
  if (a == b)
    fail_usage("A and B are the same folder, {} ({} and {}): give each domain a folder of its own",
               a.string(), given_a.string(), given_b.string());
  if (lies_in(a, b) || lies_in(b, a))
    log_->warning(fmt::format("{} lies in {}, whose sub-folders are read too: its images are in both domains",
                              (lies_in(a, b) ? given_a : given_b).string(),
                              (lies_in(a, b) ? given_b : given_a).string()));
}

void ImageIntake::require_folders_to_share() const {
  if (data().val_share > 0 && (generated() || is_idx()))
    fail_usage("--val-share takes a share of folders, and --data {} is none; give --val-a and --val-b",
               data().data);
}

std::shared_ptr<FolderSource> ImageIntake::share_of(FolderSource& train) const {
  if (data().val_share == 0) return nullptr;
  const NameShare share = share_by_name(train, data().val_share);
  auto out = std::make_shared<FolderSource>(train);
  out->keep(share.held_out);
  train.keep(share.kept);
  return out;
}

fs::path ImageIntake::val_folder(Domain d) const {
  const fs::path given = d == Domain::a ? data().val_a : data().val_b;
  std::error_code no_given, no_train;
  const fs::path held_out = fs::canonical(given, no_given), train = fs::canonical(train_folder(d), no_train);
  if (!no_given && !no_train && held_out == train)
    fail_usage("--val-{} {} is the training folder; give images that are not trained with, or --val-share",
               d == Domain::a ? "a" : "b", given.string());
  return given;
}

std::shared_ptr<FolderSource> ImageIntake::folder(const fs::path& path, std::int64_t limit) const {
  auto source = std::make_shared<FolderSource>(path, limit, bad_files());
  for (const std::string& line : source->skipped()) log_->warning("skipped: " + line);
  source->use_pages(page_use_named(data().transform.pages), limit);
  if (!source->left_out().empty()) log_->warning(path.string() + ": " + source->left_out());
  return source;
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
                           r.type == PixelType::u8    ? "8-bit"
                           : r.type == PixelType::u16 ? "16-bit"
                                                      : "float",
                           r.black_level, r.white,
                           clipped > 0 ? fmt::format("; {} of {} ({:.2g} %) lie outside and are clipped",
                                                     clipped, samples, percent)
                                       : ""));
}

FolderSource::Look ImageIntake::look(Domain d, FingerprintBuilder* seen) const {
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
    if (seen != nullptr) seen->add(index, to_preview(input.image, input.range));
    if (!note.empty()) notes.push_back(note);
  };
}

void ImageIntake::verify(FolderSource& source, const FolderSource::Look& look) const {
  source.verify(bad_files(), *log_, look);
}

std::shared_ptr<FingerprintBuilder> ImageIntake::seen_of(const ImageSource& source, Domain d,
                                                         std::int64_t count) const {
  auto seen = std::make_shared<FingerprintBuilder>(count, channels(d));
  const auto see = look(d, seen.get());
  Notes notes;  // none: these images have 8 bits and no alpha
  for (std::int64_t i = 0; i < count; ++i) see(source.read(i), i, source.name(i), notes);
  return seen;
}

std::shared_ptr<FingerprintBuilder> ImageIntake::generated_seen(const ImageSource& source, Domain d) const {
  return seen_of(source, d, std::min(source.size(), kGeneratedSeen));
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
  if (!given.empty()) return given;
  if (generated()) return generated_domain_name(task(), d);
  if (data().data.empty()) return folder_name(d == Domain::a ? data().a : data().b);
  if (is_idx()) return folder_name(data().data);
  return folder_name(data().data) + letter(d);
}

ValueRange ImageIntake::range_of_domain(Domain d, const FingerprintBuilder& seen) const {
  if (!scales_each_image(data().transform.scaling)) return range(d);
  return {seen.mean_percentile_95(), 0};
}

// Names and sizes of the files in their order: where they lie does not matter.
Json ImageIntake::digest(const ImageSource& source) const {
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
  out.files = {{"a", digest(*images.source_a)}, {"b", digest(*images.source_b)}};
  return out;
}

}  // namespace torsor
