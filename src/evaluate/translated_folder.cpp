#include "evaluate/translated_folder.h"

#include <map>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "infer/folder_translation.h"
#include "infer/input_scale.h"
#include "infer/input_survey.h"

namespace torsor {

namespace {

class ToLog : public TranslationListener {
 public:
  ToLog(LogSink& log, std::string what) : log_(log), what_(std::move(what)) {}
  void skipped(const std::string& reason) override { log_.warning("skipped: " + reason); }
  void notice(const std::string& line) override { log_.notice(line); }
  void progress(Stage stage, std::int64_t done, std::int64_t total, const std::string&) override {
    log_.progress(stage == Stage::checking ? "inputs checked:" : what_, done, total);
  }

 private:
  LogSink& log_;
  std::string what_;
};

fs::path record_of(const fs::path& folder) { return folder.string() + ".json"; }

// Whether what the folder holds was made with the same weights, inputs and settings. What was made with
// others goes; what is of no evaluation stays.
bool is_up_to_date(const fs::path& folder, const Json& identity) {
  std::error_code ec;
  if (!fs::exists(folder, ec)) return false;
  if (!fs::exists(record_of(folder), ec))
    fail("{}: holds files of which no evaluation says that it made them; choose another --out",
         folder.string());
  if (read_json(record_of(folder)) == identity) return true;
  fs::remove_all(folder, ec);
  if (ec) fail("{}: cannot be removed: {}", folder.string(), ec.message());
  return false;
}

std::string format_for(const ScoredSet& inputs, BitDepth depth) {
  const bool floats = depth == BitDepth::floats ||
                      (depth == BitDepth::as_input && read_image_info(inputs.path(0)).type == PixelType::f32);
  return floats ? "tiff" : "png";
}

// The plan's jobs of these images alone, in their order.
std::vector<TranslationJob> jobs_of(const ScoredSet& inputs, const TranslationPlan& plan) {
  std::map<fs::path, const TranslationJob*> by_input;
  for (const TranslationJob& job : plan.jobs) by_input[job.in] = &job;
  std::vector<TranslationJob> out;
  for (std::int64_t i = 0; i < inputs.size(); ++i) out.push_back(*by_input.at(inputs.path(i)));
  return out;
}

}  // namespace

std::vector<fs::path> translate_set(GeneratorRunner& runner, const FolderTranslationRequest& request,
                                    const std::string& what, LogSink& log, const StopFlag& stop) {
  const bool has_some = is_up_to_date(request.folder, request.identity);
  NullLog unheard;  // what the folder holds besides was said when it was listed
  const PlanOptions options{format_for(request.inputs, request.treatment.bit_depth), ExistingOutputs::replace,
                            Place::elsewhere, BadFiles::skip};
  std::vector<TranslationJob> jobs =
      jobs_of(request.inputs, plan_translation(request.inputs.folder(), request.folder, options, unheard));
  std::vector<fs::path> made;
  for (const TranslationJob& job : jobs) made.push_back(job.out);
  std::error_code ec;
  if (has_some) std::erase_if(jobs, [&](const TranslationJob& job) { return fs::exists(job.out, ec); });
  if (jobs.empty()) return made;

  make_folder(request.folder);
  write_file_atomically(record_of(request.folder), request.identity.dump(2) + "\n");
  ToLog listener(log, what);
  scale_inputs(runner, {}, jobs, log);
  const InputSurvey survey = survey_inputs(runner, jobs, request.treatment, listener, stop);
  check_stop(stop);
  meet_bad_inputs(survey, BadFiles::refuse, listener);
  // What the files themselves give rise to was said when the folder was listed.
  for (const std::string& line : survey.conversions.lines()) log.notice(line);
  if (!survey.scale_warning.empty()) log.warning(survey.scale_warning);
  FolderTranslation translation(runner, survey.good, survey.pages, request.treatment, listener);
  translation.run(stop);
  check_stop(stop);
  if (const std::string doubt = translation.doubt(); !doubt.empty()) log.warning(doubt);
  return made;
}

}  // namespace torsor
