#include "train/tensorboard_log.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace torsor {

namespace {

const std::string kPictures = "samples";

}  // namespace

void rewind_event_files(const RunDirectory& run, std::int64_t step, const EventSink& kept) {
  for (const std::filesystem::path& file : run.list_event_files())
    rewind_events(file, step, run.discarded_events(), kept);
}

TensorBoardLog::TensorBoardLog(RunDirectory run, std::int64_t every, std::string configuration)
    : ScalarLog(every), run_(std::move(run)), configuration_(std::move(configuration)) {}

// The options hold from the next step on; with its number they are set aside like the step.
void TensorBoardLog::on_start(const TrainState& state) {
  rewind_event_files(run_, state.step, [&](const EventHead& event) {
    if (std::find(event.tags.begin(), event.tags.end(), kPictures) != event.tags.end())
      picture_step_ = event.step;
  });
  if (state.finished()) return;
  file().begin_session(state.step + 1);
  file().text(state.step + 1, "configuration", configuration_);
}

EventFile& TensorBoardLog::file() {
  if (!file_) file_.emplace(run_.new_event_file());
  return *file_;
}

void TensorBoardLog::write(const TrainState& state, const StepScalars& scalars) {
  std::vector<NamedScalar> tagged;
  for (const auto& [name, value] : scalars.losses()) tagged.emplace_back("loss/" + name, value);
  for (const auto& [name, value] : scalars.published()) tagged.emplace_back("metric/" + name, value);
  tagged.emplace_back("lr", state.lr);
  file().scalars(state.step, tagged);
}

// A run that is resumed where it had ended draws its last picture again.
void TensorBoardLog::add(const SamplePicture& picture) {
  if (picture.step <= picture_step_) return;
  file().picture(picture.step, kPictures, picture.image);
  picture_step_ = picture.step;
}

}  // namespace torsor
