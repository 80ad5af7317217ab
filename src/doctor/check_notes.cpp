// What the readers had to say of images that they could read.
#include "data/image_notes.h"
#include "doctor/finding.h"

namespace torsor {

namespace {

// Conversions of colours are counted by the check of profiles.
Notes others_of(const ImageRecord& image) {
  Notes out = image.notes;
  if (image.has_profile) std::erase(out, conversion_note(image.profile));
  return out;
}

std::vector<ImageFinding> find_notes(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const SurveyedSet& set : survey.sets) {
    ImageNotes notes;
    for (const ImageRecord& image : set.images)
      if (image.is_usable()) notes.add(image.name, others_of(image));
    for (const std::string& line : notes.lines()) out.push_back({Level::info, "", set.title + ": " + line});
  }
  return out;
}

}  // namespace

Check check_of_notes() {
  return {"defects that cost nothing of the picture, and what reading changes", find_notes};
}

}  // namespace torsor
