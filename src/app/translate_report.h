// What translating says of its course.
#pragma once

#include <memory>
#include <string>

#include "app/progress.h"
#include "infer/folder_translation.h"
#include "infer/input_survey.h"

namespace torsor::app {

class TranslateReport : public TranslationListener {
 public:
  explicit TranslateReport(std::shared_ptr<ProgressDisplay> display)
      : display_(std::move(display)), log_(display_) {}

  void skipped(const std::string& reason) override { log_.warning("skipped: " + reason); }
  void notice(const std::string& line) override { log_.notice(line); }
  void progress(Stage stage, std::int64_t done, std::int64_t total, const std::string& file) override;

  void start(const std::string& model, const TranslationPlan& plan);
  void notes(const NoteCount& notes);
  /// How it ended; `evidence` is null where none was asked for, `where` is OUT.
  void end(const TranslationPlan& plan, const FolderTranslation& translation, std::int64_t skipped,
           const EvidenceWriter* evidence, const std::string& where);

  ProgressDisplay& display() { return *display_; }
  ConsoleLog& log() { return log_; }

 private:
  std::shared_ptr<ProgressDisplay> display_;
  ConsoleLog log_;
  Stage stage_ = Stage::checking;
  bool begun_ = false;
};

}  // namespace torsor::app
