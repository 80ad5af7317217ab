#include "infer/calibrate_model.h"

#include <ATen/ATen.h>

#include <cmath>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "data/folder_source.h"
#include "infer/delivered_output.h"
#include "infer/input_scale.h"
#include "infer/large_images.h"
#include "infer/output_check.h"
#include "infer/page_reader.h"
#include "infer/scale_check.h"
#include "infer/translation_plan.h"
#include "io/checksum.h"
#include "model/generator_hash.h"

namespace torsor {

namespace {

std::vector<TranslationJob> calibration_jobs(const CalibrationRequest& request, LogSink& log) {
  const auto source =
      open_folder(request.folder, request.max_images, PageUse::images, request.treatment.bad_files, log);
  PlanOptions options;
  options.format = request.format;
  std::vector<TranslationJob> out;
  for (const fs::path& file : source->files()) {
    TranslationJob job{file, {}};
    job.taken = std::make_shared<std::string>();  // nothing is written
    out.push_back(plan_stream(std::move(job), options).jobs.front());
    out.back().out = fs::path(file.filename()).replace_extension(out.back().out.extension());
  }
  return out;
}

void require_enough(std::int64_t images, const CalibrationRequest& request) {
  if (images < kLeastCalibration)
    fail(
        "{}: {} images; a calibration takes {} or more, that the training has not seen, since of fewer too "
        "many "
        "right translations would lie beyond all of them",
        request.folder.string(), images, kLeastCalibration);
}

// Translates and measures one image after the other.
class Calibrator {
 public:
  Calibrator(const WeightSet& set, const CalibrationRequest& request, LogSink& log)
      : treatment_(request.treatment),
        log_(log),
        runner_(load_generator(set, request.runner.direction), request.runner),
        check_(set, runner_.loaded().direction, request.runner),
        scales_(runner_.loaded()),
        forward_(runner_, room()) {
    if (!check_.measures_something())
      fail(
          "{}: has neither a generator back from {} nor a discriminator of {} alone, so that nothing can be "
          "measured of its translations {}",
          set.source, runner_.loaded().direction.to, runner_.loaded().direction.to,
          runner_.loaded().direction.name());
    if (check_.back() != nullptr) back_ = std::make_unique<LargeImages>(*check_.back(), room());
  }

  GeneratorRunner& runner() { return runner_; }
  std::string scale_warning() const { return scales_.warning(); }
  const std::set<std::string>& formats() const { return formats_; }

  OutputMeasures measure(const TranslationJob& job) {
    const std::string name = job.in.string();
    PageReader reader(runner_, job, treatment_);
    const InputPage page = reader.read(0);
    const at::Tensor x = network_values(page, treatment_).unsqueeze(0);
    scales_.add(name, {page.input.image.width, page.input.image.height}, {x.size(3), x.size(2)});
    const at::Tensor made = forward_.translate(x, name, say());
    const DeliveredOutput output = deliver(runner_, made[0], page, job.out, treatment_.encode);
    formats_.insert(output.format);
    const TensorMapping bring_back = [&](const at::Tensor& y) {
      return back_->translate(y, name + ", brought back,", say());
    };
    return check_.measure(x, output.values, noise_seed(checksum_of(read_file(job.in))), bring_back,
                          forward_.fits(x) ? OutputCheck::ScoredAs::whole : OutputCheck::ScoredAs::too_large);
  }

 private:
  LargeImages::Room room() const {
    return [memory = treatment_.memory] {
      return memory == MemoryUse::any ? MemoryRoom{HUGE_VAL, ""} : memory_room();
    };
  }
  LargeImages::Say say() {
    return [this](const std::string& line) { log_.notice(line); };
  }

  const Treatment treatment_;
  LogSink& log_;
  GeneratorRunner runner_;
  OutputCheck check_;
  ScaleCheck scales_;
  LargeImages forward_;
  std::unique_ptr<LargeImages> back_;
  std::set<std::string> formats_;
};

// Nothing where not every image has it: quantiles of some of them would be of another set.
std::optional<Quantiles> quantiles_of(const std::vector<double>& values, std::int64_t images) {
  return std::ssize(values) == images ? std::optional(Quantiles(values)) : std::nullopt;
}

}  // namespace

Calibration calibrate(const WeightSet& set, const CalibrationRequest& request, LogSink& log,
                      const StopFlag& stop) {
  Calibrator calibrator(set, request, log);
  const std::vector<TranslationJob> jobs = calibration_jobs(request, log);
  require_enough(std::ssize(jobs), request);
  scale_inputs(calibrator.runner(), {}, jobs, log);
  const std::string what = "calibration images of " + request.runner.direction;
  std::vector<double> whole, worst, scores;
  Calibration out;
  std::int64_t done = 0;
  for (const TranslationJob& job : jobs) {
    check_stop(stop);
    try {
      const OutputMeasures measured = calibrator.measure(job);
      ++out.images;
      if (measured.cycle) whole.push_back(measured.cycle->whole);
      if (measured.cycle) worst.push_back(measured.cycle->worst_patch);
      if (measured.discriminator) scores.push_back(*measured.discriminator);
    } catch (const Error& error) {
      if (request.treatment.bad_files == BadFiles::refuse) throw;
      log.warning(fmt::format("skipped: {}", error.what()));
    }
    log.progress(what, ++done, std::ssize(jobs));
  }
  require_enough(out.images, request);
  if (const std::string doubt = calibrator.scale_warning(); !doubt.empty()) log.warning(doubt);
  out.cycle_error = quantiles_of(whole, out.images);
  out.worst_patch = quantiles_of(worst, out.images);
  out.discriminator = quantiles_of(scores, out.images);
  out.formats.assign(calibrator.formats().begin(), calibrator.formats().end());
  out.resize = request.treatment.resize;
  out.generators = hash_of_generators(set);
  return out;
}

}  // namespace torsor
