// Which files a translation reads, and where each output goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/folder_source.h"

namespace torsor {

struct TranslationJob {
  std::filesystem::path in, out;
  /// An input that is in no file: its bytes; `in` stands for it in messages.
  std::shared_ptr<const std::string> given = nullptr;
  /// For an output that shall be in no file: receives its bytes; the extension of `out` names its format.
  std::shared_ptr<std::string> taken = nullptr;
};

/// What is done about outputs that exist.
enum class ExistingOutputs { refuse, replace, keep };

/// Whether outputs replace their inputs.
enum class Place { elsewhere, in_place };

/// Endings of files that stand beside an output, behind its whole name.
inline constexpr const char* kEvidenceEnding = ".evidence.json";
inline constexpr const char* kSpreadEnding = ".spread.png";

/// "zebra.png" and ".evidence.json" -> "zebra.png.evidence.json".
std::filesystem::path beside(const std::filesystem::path& out, const std::string& ending);

struct PlanOptions {
  std::string format;  // extension that all outputs get, "" = the input's
  ExistingOutputs existing = ExistingOutputs::refuse;
  Place place = Place::elsewhere;
  BadFiles bad_files = BadFiles::refuse;  // entries of a folder that cannot be listed
  /// Files beside each output: an output that lacks one of them is not there yet.
  std::vector<std::string> companions = {};
};

struct TranslationPlan {
  std::vector<TranslationJob> jobs;
  std::int64_t kept = 0;      // outputs that were there; their inputs are not among the jobs
  std::int64_t replaced = 0;  // outputs that are there and will be replaced
};

/// IN: an image file or a folder of images, whose tree is mirrored. OUT: a folder, or for one image also a
/// file. An output has the name of its input; where that has no image's extension, the one of its content is
/// added. `log` receives what a folder holds and is left out. Throws Error when IN is missing or holds no
/// image, when OUT lies inside IN or an output would replace an input (unless in_place), when two inputs
/// would end in one output, when OUT cannot be written to, and as `existing` says when an output is there;
/// UsageError when OUT's name and the options do not agree. Nothing is written.
TranslationPlan plan_translation(const std::filesystem::path& in, const std::filesystem::path& out,
                                 const PlanOptions& options, LogSink& log);

/// The same for one image whose input is `given` or whose output is `taken`; the other end is a file as
/// above. What is taken gets the format of the options, else the input's.
TranslationPlan plan_stream(TranslationJob job, const PlanOptions& options);

/// The place that a path leads to, whether it exists or not: absolute, without links and "..".
std::filesystem::path resolved_place(const std::filesystem::path& path);

}  // namespace torsor
