// What a Translator holds, and what its members share.
#pragma once

#include <torch/types.h>

#include <exception>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "api/pixels.h"
#include "core/error.h"
#include "infer/evidence_source.h"
#include "infer/generator_runner.h"
#include "infer/input_check.h"
#include "torsor/translator.h"

namespace torsor {

inline constexpr const char* kInput = "input image";
inline constexpr const char* kOutput = "output image";

// What leaves the library is an Error, whichever library below it failed.
template <class Action>
auto guarded(const Action& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail("out of memory; give smaller images, or translate fewer at once");
  } catch (const c10::Error& e) {
    fail("libtorch: {}", e.what_without_backtrace());
  } catch (const std::exception& e) {
    fail("{}", e.what());
  }
}

/// Throws Error for an output of another size, or of other channels than the network gives.
void check_output(const PixelLayout& in, const PixelLayout& out, std::int64_t channels);

/// Whether the networks that evidence is measured with are kept.
enum class EvidenceKept { no, yes };

struct Translator::State {
  State(const std::filesystem::path& model, const WeightSet& weights, const RunnerOptions& options,
        EvidenceKept kept);

  /// [C,H,W] of floats that the network takes.
  at::Tensor read_floats(const void* data, const PixelLayout& layout) const;
  /// Integer samples in the channels that the network takes.
  PreparedImage read_integers(const void* data, const PixelLayout& layout) const;
  /// 8 bits, for who looks at it.
  Image preview(const void* data, const PixelLayout& layout) const;
  /// [1,C,H,W], and what its numbers mean.
  std::pair<at::Tensor, PreparedImage> read(const void* data, const PixelLayout& layout) const;

  GeneratorRunner runner;
  InputCheck check;  // that has seen nothing
  std::string description;
  std::optional<EvidenceSource> evidence;  // where it is kept
};

}  // namespace torsor
