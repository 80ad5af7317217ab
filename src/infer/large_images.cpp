#include "infer/large_images.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/allocation.h"
#include "core/error.h"
#include "model/memory_watch.h"
#include "nn/reach.h"

namespace torsor {

namespace {

constexpr std::int64_t kLargePixels = 500'000;  // smaller images are not worth the looking
constexpr std::int64_t kTrialSide = 128;
constexpr double kNotableBytes = 1024.0 * 1024 * 1024, kNotableSeconds = 10;
constexpr double kShareOfRoom = 0.8;   // that bands may fill
constexpr double kRoomForGaps = 1.05;  // what malloc cannot use between what it gave out
// Bands begin where Winograd's tiles of a map of a quarter of the size do, so that they add up in the same
// order.
constexpr std::int64_t kTiles = 4;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::int64_t alignment(const SizeRule& rule) { return std::max<std::int64_t>(1, rule.multiple) * kTiles; }

double pixels_of(const at::Tensor& images) {
  return images.dim() == 4 ? static_cast<double>(images.size(0) * images.size(2) * images.size(3)) : 0;
}

const char* const kAdvice = "--resize translates it at a smaller size";

}  // namespace

at::Tensor translate_by_bands(const GeneratorRunner& runner, const at::Tensor& images, std::int64_t reach,
                              std::int64_t rows) {
  const c10::InferenceMode inference;
  const SizeRule rule = runner.loaded().generator->size_rule();
  const auto fitting = [&](std::int64_t side) {
    return std::max(rule.minimum, round_up(side, rule.multiple));
  };
  const std::int64_t height = images.size(2), width = images.size(3);
  const at::Tensor padded = reflect_pad_to(images, fitting(height), fitting(width));
  const std::int64_t around = round_up(reach, alignment(rule));
  const std::int64_t step = round_up(std::max(rows, rule.minimum), alignment(rule));
  at::Tensor out;
  for (std::int64_t top = 0; top < height; top += step) {
    const std::int64_t bottom = std::min(top + step, padded.size(2));
    const std::int64_t first = std::max<std::int64_t>(0, top - around);
    const std::int64_t last = std::min(bottom + around, padded.size(2));
    const at::Tensor band = runner.run_unpadded(padded.slice(2, first, last).contiguous());
    if (!out.defined()) out = at::empty({band.size(0), band.size(1), height, width}, band.options());
    const std::int64_t wanted = std::min(bottom, height) - top;
    out.slice(2, top, top + wanted)
        .copy_(band.slice(2, top - first, top - first + wanted).slice(3, 0, width));
  }
  return out;
}

LargeImages::LargeImages(const GeneratorRunner& runner, Room room)
    : runner_(runner), room_(std::move(room)), reach_(reach_of(*runner.loaded().generator)) {}

TranslationCost LargeImages::cost(std::int64_t batch, std::int64_t height, std::int64_t width) {
  if (!measured_) {
    MemoryWatch watch(runner_.placement());
    const auto measure = [&](std::int64_t side) -> Measured {
      const at::Tensor image = at::zeros({1, runner_.loaded().options.in_channels, side, side});
      runner_.run_unpadded(image);  // packs weights and wakes the threads
      watch.begin_peak();
      const auto start = std::chrono::steady_clock::now();
      runner_.run_unpadded(image);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      return {static_cast<double>(side * side), {watch.peak(), seconds.count()}};
    };
    const SizeRule rule = runner_.loaded().generator->size_rule();
    const std::int64_t side = round_up(std::max(kTrialSide, rule.minimum), rule.multiple);
    Measured small = measure(side), large = measure(2 * side);
    // Weights that kernels have packed are there from now on.
    for (Measured* one : {&small, &large}) one->cost.bytes -= watch.now();
    measured_.emplace(small, large);
  }
  const auto& [small, large] = *measured_;
  const double pixels = static_cast<double>(batch * height * width);
  const double in_and_out =
      2 * sizeof(float) * pixels *
      static_cast<double>(runner_.loaded().options.in_channels + runner_.loaded().options.out_channels);
  return {
      kRoomForGaps * carried_on({small.pixels, small.cost.bytes}, {large.pixels, large.cost.bytes}, pixels) +
          in_and_out,
      carried_on({small.pixels, small.cost.seconds}, {large.pixels, large.cost.seconds}, pixels)};
}

// Rows of a band without what is around it; 0 when there is no room for the least.
std::int64_t LargeImages::rows_that_fit(const at::Tensor& images, double bytes) {
  const std::int64_t aligned = alignment(runner_.loaded().generator->size_rule());
  const std::int64_t around = 2 * round_up(*reach_, aligned);
  // What the whole image takes in addition to its band: it comes in and goes out at once.
  const double kept = 2 * sizeof(float) * static_cast<double>(images.numel());
  const auto fits = [&](std::int64_t rows) {
    const std::int64_t high = std::min(rows + around, images.size(2));
    return kept + cost(images.size(0), high, images.size(3)).bytes <= bytes;
  };
  std::int64_t rows = round_up(images.size(2), aligned);
  while (rows > 0 && !fits(rows)) rows -= std::max(aligned, rows / 8 / aligned * aligned);
  return rows;
}

void LargeImages::refuse(const at::Tensor& images, const std::string& name, const MemoryRoom& room) {
  const std::int64_t height = images.size(2), width = images.size(3);
  const double whole = cost(images.size(0), height, width).bytes;
  const double share = std::sqrt(kShareOfRoom * room.bytes / whole);
  const auto smaller = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, std::llround(std::floor(share * static_cast<double>(side))));
  };
  fail(
      "{}: {}x{} pixels take about {} of memory, but {} {}; {}; --resize {}x{} would fit{}, --force tries it "
      "nevertheless",
      name, width, height, human_bytes(whole), room.bound, human_bytes(room.bytes),
      reach_ ? "not even narrow bands of it would fit"
             : "each pixel that this network makes depends on the whole image, so that it cannot go by bands "
               "yet",
      smaller(width), smaller(height), images.size(0) > 1 ? ", or a smaller --batch-size" : "");
}

MemoryRoom LargeImages::room_now() const {
  return runner_.placement().device.is_cpu() ? room_() : MemoryRoom{HUGE_VAL, ""};
}

bool LargeImages::fits(const at::Tensor& images) {
  if (pixels_of(images) < kLargePixels) return true;
  return cost(images.size(0), images.size(2), images.size(3)).bytes <= room_now().bytes;
}

at::Tensor LargeImages::translate(const at::Tensor& images, const std::string& name, const Say& say) {
  const auto whole = [&] {
    return for_purpose(fmt::format("the translation of {}", name), kAdvice,
                       [&] { return runner_.translate(images); });
  };
  if (pixels_of(images) < kLargePixels) return whole();
  const TranslationCost expected = cost(images.size(0), images.size(2), images.size(3));
  const MemoryRoom room = room_now();
  const auto tell = [&](const std::string& more) {
    if (expected.bytes > kNotableBytes || expected.seconds > kNotableSeconds || !more.empty())
      say(fmt::format("{}: {}x{} pixels take about {} of memory and {}{}", name, images.size(3),
                      images.size(2), human_bytes(expected.bytes), human_duration(expected.seconds), more));
  };
  if (expected.bytes <= room.bytes) {
    tell("");
    return whole();
  }
  const std::int64_t rows = reach_ ? rows_that_fit(images, kShareOfRoom * room.bytes) : 0;
  if (rows == 0) refuse(images, name, room);
  tell(fmt::format("; {} {}, so that it goes by bands of {} rows, to the same result", room.bound,
                   human_bytes(room.bytes), rows));
  return for_purpose(fmt::format("the translation of {}", name), kAdvice,
                     [&] { return translate_by_bands(runner_, images, *reach_, rows); });
}

}  // namespace torsor
