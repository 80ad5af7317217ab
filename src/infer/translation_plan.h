// Which files a translation reads, and where each output goes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace torsor {

struct TranslationJob {
  std::filesystem::path in, out;
};

/// What is done about outputs that exist.
enum class ExistingOutputs { refuse, replace };

struct PlanOptions {
  std::string format;  // extension that all outputs get, "" = the input's
  ExistingOutputs existing = ExistingOutputs::refuse;
};

/// IN: an image file or a folder of images, whose tree is mirrored. OUT: a folder, or for one image also a
/// file. Throws Error when IN is missing or holds no image, when two inputs would end in one output, and as
/// `existing` says when an output is there; UsageError when OUT's name and the format do not agree.
std::vector<TranslationJob> plan_translation(const std::filesystem::path& in,
                                             const std::filesystem::path& out, const PlanOptions& options);

}  // namespace torsor
