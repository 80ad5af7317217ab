#include "audit/audit_material.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/convert.h"

namespace torsor {

namespace {

constexpr std::int64_t kUnrelatedPartners = 4;  // of each image

}  // namespace

AuditMaterial::AuditMaterial(AuditInputs inputs, AuditOptions options, std::filesystem::path out,
                             std::shared_ptr<LogSink> log, const StopFlag& stop)
    : inputs_(std::move(inputs)),
      options_(std::move(options)),
      out_(std::move(out)),
      log_(std::move(log)),
      stop_(stop) {
  if (inputs_.runs.empty()) throw std::logic_error("an audit without a run");
}

std::vector<Direction> AuditMaterial::directions() const {
  std::vector<Direction> out;
  for (const Direction& direction : {kAToB, kBToA})
    if (std::all_of(runs().begin(), runs().end(), [&](const AuditedRun& r) { return r.has(direction); }))
      out.push_back(direction);
  return out;
}

const at::Tensor& AuditMaterial::translated(std::size_t run, const Direction& direction) {
  at::Tensor& kept = translated_[{run, direction.name()}];
  if (kept.defined()) return kept;
  check_stop(stop_);
  const at::Tensor made = runs()[run].generator(direction)(images(direction.from).values);
  if (!made.isfinite().all().item<bool>())
    fail(
        "{}: translates images of {} to numbers that are not finite (NaN); the training has failed, see "
        "torsor report",
        runs()[run].source, images(direction.from).folder.string());
  return kept = made;
}

at::Tensor AuditMaterial::brought_back(std::size_t run, std::size_t by, const Direction& direction) {
  at::Tensor& kept = returned_[{run, direction.name()}];
  if (by == run && kept.defined()) return kept;
  const Direction back = direction.opposite();
  const at::Tensor made = runs()[by].generator(back)(translated(run, direction));
  check_stop(stop_);
  if (by == run) kept = made;
  return made;
}

at::Tensor AuditMaterial::features(const at::Tensor& values, const std::string& domain) const {
  return features_by(extractor(), values, domain);
}

at::Tensor AuditMaterial::features_by(const FeatureExtractor& extractor, const at::Tensor& values,
                                      const std::string& domain) const {
  return features_of(extractor, values, subject().info.domain(domain).range, stop_);
}

const at::Tensor& AuditMaterial::real_features(const std::string& domain) {
  at::Tensor& kept = real_features_[domain];
  if (!kept.defined()) kept = features(images(domain).values, domain);
  return kept;
}

const MeanDistances& AuditMaterial::unrelated(const std::string& domain) {
  const auto found = unrelated_.find(domain);
  if (found != unrelated_.end()) return found->second;
  Rng rng = stream("unrelated/" + domain);
  const AuditImages& of = images(domain);
  const MeanDistances distances = unrelated_distances(of.values, of.groups, kUnrelatedPartners, rng);
  if (!(distances.whole > 0))
    fail("{}: all images are equal; an audit needs images that differ", of.folder.string());
  return unrelated_[domain] = distances;
}

Rng AuditMaterial::stream(const std::string& name) const {
  return Rng(derive_seed(static_cast<std::uint64_t>(options_.audit_seed), "audit/" + name));
}

Image AuditMaterial::picture(const at::Tensor& values, const std::string& domain) const {
  return with_channels(preview_of(values, subject().info.domain(domain).range), 3);
}

Json AuditMaterial::write_figure(const std::string& name, const Image& image,
                                 const std::string& caption) const {
  make_folder(out_ / "figures");
  const std::string file = "figures/" + name + ".png";
  write_image(out_ / file, image);
  return {{"file", file}, {"caption", caption}, {"width", image.width}, {"height", image.height}};
}

}  // namespace torsor
