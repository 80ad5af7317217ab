#include "infer/input_scale.h"

#include <fmt/format.h>

#include "core/error.h"

namespace torsor {

void scale_inputs(GeneratorRunner& runner, const GivenScale& given, const std::vector<TranslationJob>& jobs,
                  LogSink& log) {
  SampleScale& scale = runner.scale();
  if (scale.scales_each_image() && given.any())
    fail_usage(
        "--white and --black: this model gives each image a white of its own (--scaling percentile_95); "
        "leave "
        "them out");
  scale.give(given);
  if (scale.scales_each_image() || scale.knows(PixelType::f32)) return;
  std::vector<std::filesystem::path> files;
  for (const TranslationJob& job : jobs)
    if (job.given == nullptr) files.push_back(job.in);
  SampleStatistics seen;
  look_at_deep_images(files, WhichPages::all, [&](const Image& image) {
    if (image.type == PixelType::f32) seen.add(image);
  });
  if (seen.type() != PixelType::f32) return;
  const ValueRange range = seen.range();
  scale.add(range);
  log.notice(fmt::format(
      "float inputs: {:g} is black and {:g} white, for all of them; --white and --black say otherwise",
      range.black_level, range.white));
}

}  // namespace torsor
