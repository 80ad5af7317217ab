#include "infer/page_reader.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "image/resize.h"

namespace torsor {

namespace {

// What the user says, else what the model was trained with.
PageUse page_use(const GeneratorRunner& runner, const Treatment& treatment) {
  if (treatment.pages) return *treatment.pages;
  const Json& trained = runner.loaded().info.preprocessing;
  return page_use_named(trained.is_object() ? trained.value("pages", TransformOptions().pages)
                                            : TransformOptions().pages);
}

// The reference knows no profiles.
ImageFile opened(const TranslationJob& job, const Treatment& treatment, PageUse use) {
  const Colours colours = treatment.reference ? Colours::as_stored : Colours::as_srgb;
  return job.given != nullptr ? ImageFile(*job.given, job.in.string(), use, colours)
                              : ImageFile(job.in, use, colours);
}

}  // namespace

PageReader::PageReader(const GeneratorRunner& runner, const TranslationJob& job, const Treatment& treatment)
    : runner_(runner),
      out_(job.out),
      hidden_(treatment.reference ? Hidden::kept : Hidden::replaced),
      depth_(treatment.reference ? BitDepth::eight : treatment.bit_depth),
      colours_(treatment.colours),
      companions_(treatment.companions),
      name_(job.in.string()),
      file_(opened(job, treatment, page_use(runner, treatment))) {}

std::int64_t PageReader::output_pages() const { return pages_out_; }

void PageReader::require_single(const InputPage& page) const {
  if (companions_ == Companions::none || file_.pages() * pages_out_ == 1) return;
  if (page.channels == ChannelsAre::pages)
    fail(
        "{}: its translation has a page for each channel, but evidence stands beside a file of one page; "
        "write "
        "another format, such as npy",
        name_);
  fail(
      "{}: has {} pages, but evidence stands beside an output of one page; write the pages as files of their "
      "own, or translate it without evidence",
      name_, file_.pages());
}

InputPage PageReader::read(std::int64_t page) {
  const std::string name = pages() > 1 ? fmt::format("{}, page {}", name_, page + 1) : name_;
  InputPage out;
  std::string note;
  std::vector<std::string> notes;
  out.input = runner_.input(file_.read(page), note, name, hidden_);
  if (hidden_ == Hidden::kept) {
    if (hides_something(out.input.aside.alpha))
      notes.push_back("alpha is left out, as the reference knows none");
    out.input.aside.alpha = {};
  }
  const std::int64_t channels = runner_.channels_out(out.input.image.channels);
  if (file_.pages() < file_.pages_stored() && format_holds_pages(out_)) out.channels = ChannelsAre::pages;
  pages_out_ = out.channels == ChannelsAre::pages ? channels : 1;
  require_single(out);
  out.output = output_form(out_, depth_, out.input.aside, channels, notes);
  out.output.profile = output_profile(out_, colours_, out.input.aside,
                                      out.channels == ChannelsAre::pages ? 1 : out.output.channels);
  say(note);
  for (const std::string& line : notes) say(line);
  return out;
}

void PageReader::say(const std::string& note) {
  if (!note.empty() && std::find(conversions_.begin(), conversions_.end(), note) == conversions_.end())
    conversions_.push_back(note);
}

at::Tensor network_values(const InputPage& page, const Treatment& treatment) {
  const Image& image = page.input.image;
  if (!treatment.resize) return to_tensor(image, page.input.range);
  return to_tensor(resize_bicubic(image, treatment.resize->width, treatment.resize->height),
                   page.input.range);
}

void PageReader::add_notes_to(NoteCount& notes) const {
  for (const std::string& note : file_.notes()) notes.add(name_, note);
  add_conversions_to(notes);
}

void PageReader::add_conversions_to(NoteCount& notes) const {
  for (const std::string& note : conversions_) notes.add(name_, note);
}

}  // namespace torsor
