// torsor calibrate
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/image_size.h"
#include "app/progress.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"
#include "infer/calibrate_model.h"
#include "interchange/weight_source.h"

namespace torsor::app {

namespace {

struct CalibrateSettings {
  std::string a, b, out, resize, format;
  std::string bit_depth = "auto";
  std::string norm_stats = "running";
  std::int64_t max_images = 0;
  std::int64_t quality = 95;
  std::int64_t threads = 0;
  bool skip_bad = false;
  bool overwrite = false;
  PlacementOptions placement;
  ProgressOptions progress;

  void describe(OptionSet& o);
};

void CalibrateSettings::describe(OptionSet& o) {
  o.add("a", a, "folder of images of domain A that the training has not seen").common();
  o.add("b", b, "the same of B; a model that translates one way takes one folder").common();
  o.add("out", out, "model file to write, *.safetensors").common();
  o.add("resize", resize, "as it will be translated: SIDE or WIDTHxHEIGHT [the images' own size]").common();
  add_output_format(o, format, "as outputs will be written: " + join(image_extensions()) + " [the inputs']");
  add_bit_depth(o, bit_depth);
  o.add("quality", quality, "of JPEG and WebP, as for translate").range(0, 100);
  o.add("max_images", max_images, "use the first that many images of each folder; 0 = all").at_least(0);
  o.add("skip_bad", skip_bad, "continue without images that cannot be read or scaled");
  o.add("overwrite", overwrite, "replace an existing file at --out; it may be MODEL's own").common();
  add_norm_stats(o, norm_stats);
  o.add("threads", threads, "compute threads; 0 = all processors that it may use").range(0, 1024);
  placement.describe(o);
  progress.describe(o);
}

Treatment treatment_of(const CalibrateSettings& s) {
  Treatment out;
  if (!s.resize.empty()) out.resize = parse_size(s.resize, "--resize");
  out.bad_files = s.skip_bad ? BadFiles::skip : BadFiles::refuse;
  out.bit_depth = bit_depth_named(s.bit_depth);
  out.encode.jpeg_quality = out.encode.webp_quality = static_cast<int>(s.quality);
  out.companions = Companions::evidence;
  return out;
}

void require_free_model(const CalibrateSettings& s) {
  if (s.out.empty()) fail_usage("--out is missing: name the model file to write, *.safetensors");
  const fs::path out = s.out;
  if (out.extension() != ".safetensors") fail_usage("--out {}: end the name in .safetensors", s.out);
  std::error_code ec;
  if (!s.overwrite && fs::exists(out, ec))
    fail("{}: exists already; pass --overwrite to replace it, or choose another name", s.out);
  require_writable(out.has_parent_path() ? out.parent_path() : fs::path("."));
}

// What is calibrated, with the folder of each. Throws UsageError where folders and directions do not match.
std::vector<std::pair<Direction, std::string>> parts_of(const WeightSet& set, const CalibrateSettings& s) {
  if (directed_generators(set.info.networks).empty())
    fail(
        "{}: does not say between which domains its generators translate; import it with torsor import from "
        "a "
        "folder that has both",
        set.source);
  std::vector<std::pair<Direction, std::string>> out;
  for (const auto& [direction, folder, flag] :
       {std::tuple{kAToB, s.a, "--a"}, std::tuple{kBToA, s.b, "--b"}}) {
    const bool there = find_translator(set.info.networks, direction) != nullptr;
    if (there && folder.empty())
      fail_usage("{} is missing: {} translates {}, which is calibrated with images of that domain", flag,
                 set.source, direction.name());
    if (!there && !folder.empty())
      fail_usage("{}: {} has no generator {} to calibrate; leave it out", flag, set.source, direction.name());
    if (there) out.emplace_back(direction, folder);
  }
  return out;
}

std::string measured_text(const std::string& what, const std::optional<Quantiles>& measure) {
  if (!measure) return fmt::format("  {:<14} not measured", what);
  return fmt::format("  {:<14} {:.4f} (median), {:.4f} (the 99th percentile)", what, measure->quantile(0.5),
                     measure->quantile(0.99));
}

int calibrate_model(const std::vector<std::string>& positionals) {
  const CalibrateSettings& s = Bound<CalibrateSettings>::instance().settings;
  s.progress.validate();
  require_free_model(s);
  use_threads(s.threads);
  WeightSet set = open_weights(positionals[0]);
  const auto parts = parts_of(set, s);
  const auto display = std::make_shared<ProgressDisplay>(s.progress.audience(), Stream::output);
  display->report({{"event", "start"}, {"model", positionals[0]}, {"out", s.out}});
  PartsLog log(display);
  CalibrationRequest request{"", s.max_images, s.format, treatment_of(s), {}};
  request.runner.norm_statistics = norm_statistics_of(s.norm_stats);
  request.runner.placement = resolve_placement(s.placement);
  try {
    for (const auto& [direction, folder] : parts) {
      request.folder = folder;
      request.runner.direction = direction.name();
      const Calibration made = calibrate(set, request, log, stop_flag());
      set_calibration(set.info, direction, made);
      display->close();
      display->say(fmt::format("{}: {} images", direction.name(), made.images));
      display->say(measured_text("cycle error", made.cycle_error));
      display->say(measured_text("worst patch", made.worst_patch));
      display->say(measured_text("discriminator", made.discriminator));
    }
  } catch (const StoppedError&) {
    display->close();
    display->say_aside("stopped: nothing is written");
    return 128 + stop_flag().signal();
  }
  if (fs::path(s.out).has_parent_path()) make_folder(fs::path(s.out).parent_path());
  write_weights(s.out, set);
  display->say(fmt::format("written to {}: {} with its calibration", s.out, set.source));
  display->report({{"event", "end"}, {"out", s.out}, {"calibration", set.info.calibration}});
  return 0;
}

}  // namespace

Command calibrate_command() {
  return {"calibrate",
          "Measure a model on held-out images, so that translate --evidence can tell what is unusual",
          {{"MODEL", "run directory or any other weights that translate takes"}},
          &Bound<CalibrateSettings>::instance().options,
          calibrate_model,
          {"torsor calibrate runs/zebras --a photos/testA --b photos/testB --out zebras.safetensors"}};
}

}  // namespace torsor::app
