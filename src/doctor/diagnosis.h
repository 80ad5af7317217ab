// All that torsor doctor has to say of a folder of data.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "doctor/domain_comparison.h"
#include "doctor/finding.h"
#include "doctor/preset_cost.h"
#include "report/html.h"

namespace torsor {

struct DoctorOptions {
  std::int64_t max_images = 0;
  std::string pages = "images";
  std::string presets;  // names with commas between; "" = all, "none" = none

  void describe(OptionSet& o);
  /// Throws UsageError for an unknown preset.
  std::vector<std::string> presets_to_measure() const;
};

struct Diagnosis {
  Survey survey;
  std::vector<ImageFinding> findings;          // warnings first
  std::optional<DomainComparison> comparison;  // none where there are no two domains
  std::vector<PresetCost> costs;
  std::string command;  // suggested_command()

  std::size_t warnings() const;
};

/// `data` is a folder, or what else --data names; "" where `a` and `b` are folders. Reads every image once.
/// Throws Error where there is no image at all, UsageError for options, and StoppedError.
Diagnosis diagnose(const std::string& data, const std::string& a, const std::string& b,
                   const DoctorOptions& options, LogSink& log, const StopFlag& stop);

/// What doctor.json holds; docs/doctor.md lists the keys.
Json diagnosis_json(const Diagnosis& diagnosis);

/// "trainA: 300 images, 256x256, 3 channels, 8-bit".
std::string set_text(const SurveyedSet& set);

/// "laptop (128 pixels): 0.41 s a step, 1h02m in all, 1.1 GiB".
std::string cost_text(const PresetCost& cost);

/// A page with the findings, A against B, the presets, and a contact sheet of each set. Reads the images
/// shown.
HtmlPage doctor_page(const Diagnosis& diagnosis, const std::string& command);

}  // namespace torsor
