#include "evaluate/evaluation.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/version.h"
#include "evaluate/evaluation_page.h"

namespace torsor {

namespace {

// RFC 4180, section 2.
std::string csv_field(const std::string& text) {
  if (text.find_first_of("\",\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string csv_number(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

// The columns of all parts: those that one lacks stay empty there.
std::vector<std::string> all_columns(const Evaluation& evaluation) {
  std::vector<std::string> out;
  for (const EvaluatedSets& part : evaluation.parts)
    for (const std::string& column : part.scores.columns)
      if (std::find(out.begin(), out.end(), column) == out.end()) out.push_back(column);
  return out;
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation) {
  Json out = {{"torsor", torsor_version()}};
  out.update(evaluation.about);
  out["protocol"] = evaluation.protocol;
  for (const EvaluatedSets& part : evaluation.parts) {
    if (part.direction.empty()) {
      out["protocol"].update(part.scores.protocol);
      out["metrics"] = part.scores.metrics_json();
    } else {
      out["directions"][part.direction] = {{"protocol", part.scores.protocol},
                                           {"metrics", part.scores.metrics_json()}};
    }
  }
  out["warnings"] = evaluation.warnings;
  return out;
}

std::string images_csv(const Evaluation& evaluation) {
  const std::vector<std::string> columns = all_columns(evaluation);
  std::string out = "direction,image,compared_with";
  for (const std::string& column : columns) out += "," + column;
  out += "\n";
  for (const EvaluatedSets& part : evaluation.parts)
    for (const ScoredImage& image : part.scores.images) {
      out += fmt::format("{},{},{}", part.direction, csv_field(part.fake->name(image.fake)),
                         csv_field(part.real->name(image.real)));
      for (const std::string& column : columns) {
        const auto& own = part.scores.columns;
        const auto at = std::find(own.begin(), own.end(), column);
        out += ",";
        if (at != own.end()) out += csv_number(image.values[static_cast<std::size_t>(at - own.begin())]);
      }
      out += "\n";
    }
  return out;
}

EvaluationFiles evaluation_files(const fs::path& out) {
  return {out / "evaluation.json", out / "images.csv", out / "index.html"};
}

EvaluationFiles write_evaluation(const Evaluation& evaluation, const Json& json, const std::string& command,
                                 const fs::path& out) {
  make_folder(out);
  const EvaluationFiles files = evaluation_files(out);
  write_file_atomically(files.csv, images_csv(evaluation));
  evaluation_page(evaluation, command).save(files.page);
  write_file_atomically(files.json, json.dump(2) + "\n");  // the last: all is there
  return files;
}

Evaluation evaluate_folders(const FolderRequest& request, SetScoring& scoring, LogSink& log) {
  const EvaluateOptions& options = scoring.options();
  const SetChoice choice = options.choice();
  const ImageReading reading{request.resize, options.data_range};
  const bool aligned = options.images_are() == Pairing::aligned;
  require_pairs_for_mask(request.mask, options.images_are());
  PairedFolders folders =
      aligned ? open_pairs(request.real, request.fake, choice, log)
              : PairedFolders{open_set(request.real, choice, log), open_set(request.fake, choice, log)};
  EvaluatedSets part;
  part.real = scored_set(folders.first, reading);
  part.fake = scored_set(folders.second, reading);
  if (!request.inputs.empty()) part.inputs = scored_set(open_set(request.inputs, choice, log), reading);
  if (!request.mask.empty()) part.masks = open_masks(folders.first, request.mask, reading, log);
  part.scores = scoring.score({*part.real, *part.fake, part.inputs.get(), part.masks.get()});
  Evaluation out;
  out.about = {{"real", request.real.string()}, {"fake", request.fake.string()}};
  if (!request.inputs.empty()) out.about["inputs"] = request.inputs.string();
  out.protocol = scoring.protocol();
  out.protocol["resize"] = size_json(request.resize);
  out.warnings = part.scores.warnings;
  out.parts.push_back(std::move(part));
  return out;
}

}  // namespace torsor
