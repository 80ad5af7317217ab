// The result of an evaluation: what was compared, how, and the numbers; and the files that hold it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "evaluate/set_scores.h"

namespace torsor {

/// One comparison of two sets.
struct EvaluatedSets {
  std::string direction;  // "a_to_b" of a model; "" of two folders
  std::shared_ptr<const ScoredSet> real, fake;
  std::shared_ptr<const ScoredSet> inputs, masks;  // null where there are none
  SetScores scores;
};

struct Evaluation {
  Json about = Json::object();     // what was evaluated: paths, the model's hash
  Json protocol = Json::object();  // what all comparisons share
  std::vector<EvaluatedSets> parts;
  std::vector<std::string> warnings;
};

/// What evaluation.json holds, see docs/evaluate.md.
Json evaluation_json(const Evaluation& evaluation);

/// What images.csv holds: direction, image, what it is compared with, and its values. Infinite ones are inf.
std::string images_csv(const Evaluation& evaluation);

/// The files in `out`, which must exist.
struct EvaluationFiles {
  std::filesystem::path json, csv, page;
};
EvaluationFiles evaluation_files(const std::filesystem::path& out);

/// Writes all three; `json` is evaluation_json() of it, `command` is shown on the page. Throws Error.
EvaluationFiles write_evaluation(const Evaluation& evaluation, const Json& json, const std::string& command,
                                 const std::filesystem::path& out);

/// Folders of anybody's images. `inputs` and `mask` may be "".
struct FolderRequest {
  std::filesystem::path real, fake, inputs, mask;
  std::optional<Size> resize;
};

/// Throws UsageError for a mask of images that are no pairs, Error and StoppedError as SetScoring does.
Evaluation evaluate_folders(const FolderRequest& request, SetScoring& scoring, LogSink& log);

}  // namespace torsor
