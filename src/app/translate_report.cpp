#include "app/translate_report.h"

#include "core/text.h"

namespace torsor::app {

namespace {

std::string counted(std::int64_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string pace(double rate) {
  if (rate == 0) return "";
  return rate >= 1 ? fmt::format("{:.1f} images/s", rate) : fmt::format("{:.1f} s/image", 1 / rate);
}

// "warning: 3 of 10 images are doubtful and withheld; ...".
std::string doubt_line(const EvidenceWriter& evidence, std::int64_t images) {
  return fmt::format("warning: {} of {} {} doubtful{}; the evidence beside each output says why",
                     evidence.doubtful(), counted(images, "image"), evidence.doubtful() == 1 ? "is" : "are",
                     evidence.withheld() > 0 ? " and withheld" : "");
}

}  // namespace

void TranslateReport::progress(Stage stage, std::int64_t done, std::int64_t total, const std::string& file) {
  const bool checking = stage == Stage::checking;
  if (!begun_ || stage != stage_) display_->start();
  begun_ = true;
  stage_ = stage;
  if (total == 1 && display_->audience() == Audience::people) return;
  ProgressState state{done, total, {}, {{"stage", checking ? "check" : "translate"}, {"file", file}}};
  const bool is_last = done == total && display_->audience() == Audience::program;
  if (!is_last && !display_->is_due()) return;
  state.parts.push_back(fmt::format("{} {}/{}", checking ? "inputs checked:" : "translated:", done, total));
  if (const std::string rate = pace(display_->rate(done)); !rate.empty()) {
    state.parts.push_back(rate);
    state.parts.push_back("left " + human_duration(display_->left(state)));
  }
  state.parts.push_back(printable(file));
  display_->update(state, is_last ? ProgressDisplay::When::now : ProgressDisplay::When::if_due);
}

void TranslateReport::start(const std::string& model, const TranslationPlan& plan) {
  display_->report({{"event", "start"}, {"model", model}, {"files", plan.jobs.size()}, {"kept", plan.kept}});
}

void TranslateReport::notes(const NoteCount& notes) {
  for (const std::string& line : notes.lines()) log_.notice(line);
}

void TranslateReport::end(const TranslationPlan& plan, const FolderTranslation& translation,
                          std::int64_t skipped, const EvidenceWriter* evidence, const std::string& where) {
  const std::int64_t written = translation.written(), pages = translation.pages_written();
  std::string line = fmt::format("{} written to {}", counted(written, "image"), where);
  if (pages > written) line += fmt::format(" ({})", counted(pages, "page"));
  if (skipped > 0) line += fmt::format(", {} skipped", skipped);
  if (plan.kept > 0)
    line += fmt::format(", {} kept that {} there", plan.kept, plan.kept == 1 ? "was" : "were");
  Json event = {
      {"event", "end"}, {"written", written}, {"pages", pages}, {"skipped", skipped}, {"kept", plan.kept}};
  display_->close();
  display_->say(line);
  if (evidence != nullptr) {
    event.update({{"doubtful", evidence->doubtful()}, {"withheld", evidence->withheld()}});
    if (evidence->doubtful() > 0) display_->say_aside(doubt_line(*evidence, written + evidence->withheld()));
  }
  display_->report(event);
}

}  // namespace torsor::app
