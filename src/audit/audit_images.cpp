#include "audit/audit_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/files.h"
#include "data/folder_source.h"
#include "data/partners.h"
#include "data/unpaired.h"
#include "image/convert.h"
#include "metric/feature_cache.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::vector<std::int64_t> groups_of(const std::vector<std::string>& names, const std::string& pattern) {
  return group_by_name(names, {}, pattern).real;
}

// Of the file, or of the pixels of an image that is in none. A file is read twice, for its hash and for its
// pixels: the second time it comes from the system's cache.
std::vector<std::string> keys_of(const ImageSet& set) {
  std::vector<std::string> out;
  for (const fs::path& file : set.files()) out.push_back(content_key(read_file(file)));
  if (!out.empty()) return out;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const Image image = set.read(i);
    out.push_back(content_key({reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()},
                              fmt::format("{}x{}", image.width, image.height)));
  }
  return out;
}

std::int64_t side_of(std::string_view text, const std::string& all) {
  std::int64_t side = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (error != std::errc() || end != text.data() + text.size() || side < 1)
    fail_usage("--resize {}: expected SIDE or WIDTHxHEIGHT in pixels, such as 128 or 160x120",
               printable(all));
  return side;
}

}  // namespace

AuditImages AuditImages::at(const std::vector<std::int64_t>& places) const {
  AuditImages out;
  out.domain = domain;
  out.folder = folder;
  out.values = values.index_select(0, at::tensor(places, at::kLong));
  for (const std::int64_t place : places) {
    const auto i = static_cast<std::size_t>(place);
    out.ranges.push_back(ranges[i]);
    out.names.push_back(names[i]);
    out.keys.push_back(keys[i]);
    out.groups.push_back(groups[i]);
  }
  return out;
}

AuditImages AuditImages::first(std::int64_t count) const {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::min(count, size()); ++i) places.push_back(i);
  return at(places);
}

TransformOptions audit_transform(const ModelInfo& info, const std::string& resize) {
  TransformOptions out;
  if (!info.preprocessing.empty())
    out = options_from_json<TransformOptions>(info.preprocessing, "the model's preprocessing");
  out.flip = false;
  const Size trained = output_size(out);
  std::int64_t side = trained.width;
  if (!resize.empty()) {
    const std::size_t x = resize.find('x');
    side = side_of(std::string_view(resize).substr(0, x), resize);
    if (x != std::string::npos && side_of(std::string_view(resize).substr(x + 1), resize) != side)
      fail_usage("--resize {}: an audit looks at square images, since quarter turns are among its symmetries",
                 resize);
  }
  if (side > 0) {
    out.preprocess = "resize_and_crop";
    out.load_size = out.crop_size = side;  // the crop is the whole
  }
  return out;
}

std::shared_ptr<ImageSet> open_audit_folder(const fs::path& folder, std::int64_t limit, LogSink& log) {
  auto source = open_folder(folder, limit, PageUse::images, BadFiles::refuse, log);
  source->verify(BadFiles::refuse, log, [](const Image&, std::int64_t, const std::string&, Notes&) {});
  return source;
}

AuditImages read_audit_images(const std::string& domain, std::shared_ptr<const ImageSet> set,
                              const AuditReading& reading, const std::shared_ptr<LogSink>& log) {
  AuditImages out;
  out.domain = domain;
  out.folder = set->folder().empty() ? fs::path(set->title()) : set->folder();
  const DomainReader reader(set, reading.transform, reading.info.channels, log, reading.info.range);
  Rng unused(0);  // nothing of the transform is random
  std::vector<at::Tensor> values;
  for (std::int64_t i = 0; i < reader.size(); ++i) {
    ScaledImage image = reader.read_scaled(i, unused);
    if (!values.empty() && !image.values.sizes().equals(values.front().sizes()))
      fail("{}: is {}x{} pixels, {} is {}x{}; an audit compares images of one size: give --resize",
           set->file(i), image.values.size(2), image.values.size(1), set->file(0), values.front().size(2),
           values.front().size(1));
    values.push_back(std::move(image.values));
    out.ranges.push_back(image.range);
    out.names.push_back(set->name(i));
  }
  out.values = at::stack(values);
  out.keys = keys_of(*set);
  out.groups = groups_of(out.names, reading.groups);
  return out;
}

DataRequest run_data_request(const RunData& data, const ModelInfo& info, std::int64_t size,
                             const std::shared_ptr<LogSink>& log) {
  DataRequest out;
  out.data = data.data;
  out.limit = data.max_images;
  out.seed = info.training.value("seed", std::uint64_t{0});
  out.size = size;
  if (data.max_images > 0) out.drawn_tests = data.max_images;
  out.log = log;
  return out;
}

AuditSets open_test_sets(DataSource& source, const std::string& data) {
  source.require(Pairing::unpaired);
  AuditSets out{source.open(SetName::real_a, Split::test), source.open(SetName::real_b, Split::test)};
  if (!out.a || !out.b)
    fail(
        "--data {}: has no test images of both domains; give --a and --b, folders of images that training "
        "did not see",
        data);
  return out;
}

void require_one_size(const AuditImages& a, const AuditImages& b) {
  if (a.values.size(2) == b.values.size(2) && a.values.size(3) == b.values.size(3)) return;
  fail("images of A ({}) are {}x{} pixels, those of B ({}) {}x{}; give --resize", a.folder.string(),
       a.values.size(3), a.values.size(2), b.folder.string(), b.values.size(3), b.values.size(2));
}

AuditPairs read_audit_pairs(std::shared_ptr<ImageSet> set_a, std::shared_ptr<ImageSet> set_b,
                            const AuditReading& a, const AuditReading& b,
                            const std::shared_ptr<LogSink>& log) {
  keep_partners(*set_a, *set_b, 0, BadFiles::refuse, *log);
  AuditPairs out{read_audit_images("a", std::move(set_a), a, log),
                 read_audit_images("b", std::move(set_b), b, log)};
  out.b.groups = out.a.groups;
  return out;
}

at::Tensor features_of(const FeatureExtractor& extractor, const at::Tensor& values, const ValueRange& range,
                       const StopFlag& stop) {
  if (values.size(0) == 0) return at::empty({0, extractor.width()}, at::kDouble);
  std::vector<at::Tensor> rows;
  for (const at::Tensor& batch : values.split(std::int64_t(kExtractorBatch))) {
    check_stop(stop);
    std::vector<Image> previews;
    for (const at::Tensor& image : batch.unbind()) previews.push_back(preview_of(image, range));
    rows.push_back(extractor.features(previews));
  }
  return at::cat(rows);
}

Image preview_of(const at::Tensor& values, const ValueRange& range) {
  const std::int64_t channels = values.size(0);
  const at::Tensor shown = channels == 1 || channels == 3 ? values : values.narrow(0, 0, 1);
  return to_preview(to_image(shown.contiguous(), range), range);
}

}  // namespace torsor
