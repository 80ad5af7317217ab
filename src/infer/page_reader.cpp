#include "infer/page_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace torsor {

namespace {

ImageFile opened(const TranslationJob& job) {
  return job.given != nullptr ? ImageFile(*job.given, job.in.string()) : ImageFile(job.in);
}

}  // namespace

PageReader::PageReader(const GeneratorRunner& runner, const TranslationJob& job, const Treatment& treatment)
    : runner_(runner),
      out_(job.out),
      hidden_(treatment.reference ? Hidden::kept : Hidden::replaced),
      depth_(treatment.reference ? BitDepth::eight : treatment.bit_depth),
      name_(job.in.string()),
      file_(opened(job)) {}

InputPage PageReader::read(std::int64_t page) {
  const std::string name = pages() > 1 ? fmt::format("{}, page {}", name_, page + 1) : name_;
  InputPage out;
  std::string note;
  std::vector<std::string> notes;
  out.input = runner_.input(file_.read(page), note, name, hidden_);
  out.output =
      output_form(out_, depth_, out.input.aside, runner_.channels_out(out.input.image.channels), notes);
  say(note);
  for (const std::string& line : notes) say(line);
  return out;
}

void PageReader::say(const std::string& note) {
  if (!note.empty() && std::find(conversions_.begin(), conversions_.end(), note) == conversions_.end())
    conversions_.push_back(note);
}

void PageReader::add_notes_to(NoteCount& notes) const {
  for (const std::string& note : file_.notes()) notes.add(name_, note);
  for (const std::string& note : conversions_) notes.add(name_, note);
}

}  // namespace torsor
