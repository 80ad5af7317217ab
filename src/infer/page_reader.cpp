#include "infer/page_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace torsor {

namespace {

ImageFile opened(const TranslationJob& job) {
  return job.given != nullptr ? ImageFile(*job.given, job.in.string()) : ImageFile(job.in);
}

}  // namespace

PageReader::PageReader(const GeneratorRunner& runner, const TranslationJob& job)
    : runner_(runner), name_(job.in.string()), file_(opened(job)) {}

InputPage PageReader::read(std::int64_t page) {
  const std::string name = pages() > 1 ? fmt::format("{}, page {}", name_, page + 1) : name_;
  InputPage out;
  std::string note;
  out.image = runner_.input_image(file_.read(page), note, name);
  out.range = runner_.input_range(out.image, name);
  if (!note.empty() && std::find(conversions_.begin(), conversions_.end(), note) == conversions_.end())
    conversions_.push_back(note);
  return out;
}

void PageReader::add_notes_to(NoteCount& notes) const {
  for (const std::string& note : file_.notes()) notes.add(name_, note);
  for (const std::string& note : conversions_) notes.add(name_, note);
}

}  // namespace torsor
