// What the readers had to say of images that they could read.
#include "data/image_notes.h"
#include "doctor/finding.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_notes(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const SurveyedSet& set : survey.sets) {
    ImageNotes notes;
    for (const ImageRecord& image : set.images)
      if (image.is_usable()) notes.add(image.name, image.notes);
    for (const std::string& line : notes.lines()) out.push_back({Level::info, "", set.title + ": " + line});
  }
  return out;
}

}  // namespace

Check check_of_notes() {
  return {"defects that cost nothing of the picture, and what reading changes", find_notes};
}

}  // namespace torsor
