#include "audit/transport_measurement.h"

#include <ATen/ATen.h>

#include "audit/audit_images.h"
#include "audit/audited_run.h"
#include "audit/generator_blocks.h"
#include "core/error.h"
#include "data/data_source.h"
#include "image/convert.h"
#include "image/resize.h"
#include "transport/block_path.h"
#include "transport/exact_transport.h"

namespace torsor {

namespace {

constexpr std::int64_t kLeastOfPlane = 3;  // images
constexpr std::int64_t kPathSide = 128;    // pixels: larger images are shown smaller
constexpr double kCostMatrices = 5;        // of double, beside the exact solver's

AuditSets sets_of_folders(const TransportRequest& request, const TransportOptions& options, LogSink& log) {
  if (request.a.empty() || request.b.empty())
    fail_usage("{} is missing: images of both domains, or --data as the training had it",
               request.a.empty() ? "--a" : "--b");
  return {open_audit_folder(request.a, options.max_images, log),
          open_audit_folder(request.b, options.max_images, log)};
}

AuditSets sets_of_data(const TransportRequest& request, const TransportOptions& options,
                       const ModelInfo& info, std::int64_t size, const std::shared_ptr<LogSink>& log) {
  if (!request.a.empty() || !request.b.empty())
    fail_usage("--data and --a, --b exclude each other: it names images of both domains");
  const auto source = open_data_source(run_data_request({request.data, options.max_images}, info, size, log));
  return open_test_sets(*source, request.data);
}

void require_room(std::int64_t n, std::int64_t m) {
  const std::int64_t most = std::max(n, m);
  require_transport_room({most, most, kCostMatrices * 8.0 * static_cast<double>(most * most)},
                         fmt::format("the assignments of {} and {} images", n, m),
                         "give --max-images, or fewer images");
}

class TransportMeasurement {
 public:
  TransportMeasurement(const TransportRequest& request, const TransportOptions& options,
                       std::shared_ptr<LogSink> log, const StopFlag& stop)
      : options_(options),
        log_(std::move(log)),
        stop_(stop),
        placement_(resolve_placement(request.placement)),
        run_(open_audited_run(request.run, placement_)) {
    const TransformOptions transform = audit_transform(run_.info, options.resize);
    const AuditSets sets =
        request.data.empty() ? sets_of_folders(request, options, *log_)
                             : sets_of_data(request, options, run_.info, output_size(transform).width, log_);
    require_room(sets.a->size(), sets.b->size());
    a_ = read("a", sets.a, transform);
    b_ = read("b", sets.b, transform);
    require_comparable();
    if (!options.compares_pixels()) {
      extractor_ = make_extractor(options.features, placement_.device);
      for (const std::string& note : extractor_->notes()) log_->notice(note);
    }
  }

  TransportResult measured() {
    const at::Tensor x = compared(a_.values, "a"), y = compared(b_.values, "b");
    const DomainCosts shared{costs(x, x), costs(y, y), costs(x, y)};
    TransportResult out{about(), protocol(), options_.cost.text() + (extractor_ ? "'s features" : ""), {}};
    for (const Direction& direction : {kAToB, kBToA}) {
      if (!run_.has(direction)) continue;
      const at::Tensor& inputs = direction == kAToB ? x : y;
      const at::Tensor made = compared(translated(direction), direction.to);
      at::Tensor own = costs(inputs, made);
      out.directions.push_back(of_direction(direction, direction == kAToB
                                                           ? shared.of_a_to_b(std::move(own))
                                                           : shared.of_b_to_a(std::move(own))));
      if (x.size(0) + y.size(0) >= kLeastOfPlane)
        out.directions.back().plane = plane_map(inputs, made, direction == kAToB ? y : x);
    }
    return out;
  }

 private:
  const AuditImages& images(const std::string& domain) const { return domain == "a" ? a_ : b_; }

  AuditImages read(const std::string& domain, const std::shared_ptr<ImageSet>& set,
                   const TransformOptions& transform) const {
    return read_audit_images(domain, set, {run_.info.domain(domain), transform, options_.groups}, log_);
  }

  // What an image of A and an image of B have to share.
  void require_comparable() const {
    require_one_size(a_, b_);
    const std::int64_t in_a = a_.values.size(1), in_b = b_.values.size(1);
    if (options_.compares_pixels() && in_a != in_b)
      fail(
          "images of A have {} channels and those of B {}: there is no cost in pixels between them; give "
          "--features NAME",
          in_a, in_b);
  }

  at::Tensor compared(const at::Tensor& values, const std::string& domain) const {
    if (!extractor_) return values;
    return features_of(*extractor_, values, run_.info.domain(domain).range, stop_);
  }

  at::Tensor costs(const at::Tensor& x, const at::Tensor& y) const {
    check_stop(stop_);
    return pair_costs(x, y, options_.cost);
  }

  at::Tensor translated(const Direction& direction) const {
    const at::Tensor made = run_.generator(direction)(images(direction.from).values);
    if (!made.isfinite().all().item<bool>())
      fail(
          "{}: translates images of {} to numbers that are not finite (NaN); the training has failed, see "
          "torsor report",
          run_.source, images(direction.from).folder.string());
    return made;
  }

  DirectionTransport of_direction(const Direction& direction, const MapCosts& matrices) const {
    const AuditImages &from = images(direction.from), &to = images(direction.to);
    const SampleUnits units(from.groups), targets(to.groups);
    DirectionTransport out;
    out.name = direction.name();
    out.images = from.size();
    out.targets = to.size();
    out.map =
        map_transport(matrices, units, targets, options_.map(), [&](std::int64_t done, std::int64_t total) {
          check_stop(stop_);
          log_->progress("subsamples of " + out.name, done, total);
        });
    const LoadedGenerator loaded = run_.network(direction);
    set_placement(*loaded.generator, placement_);
    out.blocks = generator_blocks(*loaded.generator, from.values, units, placement_, stop_);
    add_paths(*loaded.generator, direction, out);
    return out;
  }

  Image shown(const at::Tensor& values, const std::string& domain) const {
    const Image image =
        with_channels(preview_of(values.to(at::kCPU, at::kFloat), run_.info.domain(domain).range), 3);
    const std::int64_t side = std::max(image.width, image.height);
    if (side <= kPathSide) return image;
    return resize_bicubic(image, std::max<std::int64_t>(1, image.width * kPathSide / side),
                          std::max<std::int64_t>(1, image.height * kPathSide / side));
  }

  void add_paths(Generator& generator, const Direction& direction, DirectionTransport& out) const {
    const AuditImages& from = images(direction.from);
    const std::int64_t count = std::min(options_.path_images, from.size());
    if (count == 0) return;
    const at::Tensor inputs = from.values.narrow(0, 0, count);
    std::vector<at::Tensor> states;
    try {
      states = decoded_after_blocks(generator, inputs.to(placement_.device, placement_.dtype));
    } catch (const Error& error) {
      out.no_paths = error.what();
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      ShownPath path{from.names[static_cast<std::size_t>(i)], {shown(inputs[i], direction.from)}};
      for (const at::Tensor& state : states)
        path.images.push_back(
            shown(state[i].narrow(1, 0, inputs.size(2)).narrow(2, 0, inputs.size(3)), direction.to));
      out.paths.push_back(std::move(path));
    }
  }

  Json about() const {
    const auto set = [](const AuditImages& images) {
      return Json{{"folder", images.folder.string()},
                  {"count", images.size()},
                  {"groups", SampleUnits(images.groups).units()},
                  {"size", {images.values.size(3), images.values.size(2)}},
                  {"channels", images.values.size(1)}};
    };
    return {{"run", run_.source},        {"hash", run_.hash}, {"step", run_.info.step},
            {"finished", run_.finished}, {"a", set(a_)},      {"b", set(b_)}};
  }

  Json protocol() const {
    return {{"options", options_to_json(options_)},
            {"cost", options_.cost.text()},
            {"scaling", run_.info.scaling()},
            {"extractor", extractor_ ? extractor_->protocol() : Json("pixels")}};
  }

  const TransportOptions& options_;
  std::shared_ptr<LogSink> log_;
  const StopFlag& stop_;
  Placement placement_;
  AuditedRun run_;
  AuditImages a_, b_;
  std::shared_ptr<const FeatureExtractor> extractor_;
};

}  // namespace

TransportResult measure_transport(const TransportRequest& request, const TransportOptions& options,
                                  const std::shared_ptr<LogSink>& log, const StopFlag& stop) {
  return TransportMeasurement(request, options, log, stop).measured();
}

}  // namespace torsor
