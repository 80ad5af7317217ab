#include "infer/folder_translation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "infer/large_images.h"
#include "infer/output_writer.h"
#include "infer/page_reader.h"

namespace torsor {

namespace {

constexpr std::size_t kComing = 2;  // files that are read during the translation

struct OpenedInput {
  std::unique_ptr<PageReader> reader;
  InputPage first;
};

OpenedInput open_input(const GeneratorRunner& runner, const TranslationJob& job, const Treatment& treatment) {
  OpenedInput out{std::make_unique<PageReader>(runner, job, treatment), {}};
  out.first = out.reader->read(0);
  return out;
}

Image channel_of(const Image& image, std::int64_t channel) {
  Image out = Image::blank(image.width, image.height, 1, image.type);
  out.with_tags_of(image);
  const std::int64_t size = bytes_per_sample(image.type);
  for (std::int64_t p = 0; p < image.width * image.height; ++p)
    std::copy_n(image.bytes.begin() + (p * image.channels + channel) * size, size,
                out.bytes.begin() + p * size);
  return out;
}

// Reads inputs in order, a few files ahead while others are translated.
class InputQueue {
 public:
  InputQueue(const GeneratorRunner& runner, const std::vector<TranslationJob>& jobs,
             const Treatment& treatment)
      : runner_(runner), jobs_(jobs), treatment_(treatment) {}

  // The next job's, its first page read. Throws as PageReader does.
  OpenedInput next() {
    while (coming_.size() < kComing && begun_ < jobs_.size())
      coming_.push_back(std::async(std::launch::async, open_input, std::cref(runner_), jobs_[begun_++],
                                   std::cref(treatment_)));
    std::future<OpenedInput> first = std::move(coming_.front());
    coming_.pop_front();
    return first.get();
  }

 private:
  const GeneratorRunner& runner_;
  const std::vector<TranslationJob>& jobs_;
  const Treatment& treatment_;
  std::size_t begun_ = 0;
  std::deque<std::future<OpenedInput>> coming_;
};

// Images that wait to be translated in one batch.
class BatchQueue {
 public:
  BatchQueue(const GeneratorRunner& runner, const Treatment& treatment, OutputWriter& writer,
             TranslationListener& listener, EvidenceWriter* evidence)
      : runner_(runner),
        treatment_(treatment),
        writer_(writer),
        listener_(listener),
        evidence_(evidence),
        images_(runner, [&treatment] {
          return treatment.memory == MemoryUse::any ? MemoryRoom{HUGE_VAL, ""} : memory_room();
        }) {}

  // `preview`: the page as 8 bits.
  void add(const std::shared_ptr<OutputFile>& file, InputPage page, const Image& preview) {
    if (treatment_.reference)
      return writer_.write(file, translate_as_reference(runner_, *treatment_.reference, std::move(page.input),
                                                        file->job.in.string()));
    const at::Tensor tensor = network_values(page, treatment_);
    page.input.image = {};  // all that is needed of it
    if (!tensors_.empty() && tensor.sizes() != tensors_.front().sizes()) flush();
    EvidenceWriter::Seen seen;
    if (evidence_ != nullptr) seen = evidence_->look_at(file->job, preview);
    waiting_.push_back({file, std::move(page), std::move(seen)});
    tensors_.push_back(tensor);
    if (static_cast<std::int64_t>(waiting_.size()) >= treatment_.batch_size) flush();
  }

  void flush() {
    if (waiting_.empty()) return;
    const std::string& name = waiting_.front().file->job.in.string();
    const at::Tensor x = at::stack(tensors_);
    const at::Tensor out =
        images_.translate(x, name, [this](const std::string& line) { listener_.notice(line); });
    if (evidence_ != nullptr)
      write_with_evidence(evidence_->combine(x, out, name));
    else
      write(out);
    waiting_.clear();
    tensors_.clear();
  }

 private:
  struct Waiting {
    std::shared_ptr<OutputFile> file;
    InputPage page;
    EvidenceWriter::Seen seen;
  };

  void write_with_evidence(const EvidenceWriter::Made& made) {
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      evidence_->write(waiting_[i].file->job, waiting_[i].page, waiting_[i].seen, made,
                       static_cast<std::int64_t>(i));
  }

  void write(const at::Tensor& out) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const auto& [file, page, seen] = waiting_[i];
      Image made = runner_.picture(out[static_cast<std::int64_t>(i)], page.input, page.output.type);
      made = finished(std::move(made), page.input.aside, page.output);
      if (page.channels == ChannelsAre::together)
        writer_.write(file, std::move(made));
      else
        for (std::int64_t c = 0; c < made.channels; ++c) writer_.write(file, channel_of(made, c));
    }
  }

  const GeneratorRunner& runner_;
  const Treatment& treatment_;
  OutputWriter& writer_;
  TranslationListener& listener_;
  EvidenceWriter* const evidence_;  // null: no output has any
  LargeImages images_;
  std::vector<Waiting> waiting_;
  std::vector<at::Tensor> tensors_;
};

}  // namespace

Size size_used(const Treatment& treatment, Size own) {
  if (treatment.reference) return resized_size(*treatment.reference, own);
  return treatment.resize.value_or(own);
}

FolderTranslation::FolderTranslation(const GeneratorRunner& runner, std::vector<TranslationJob> jobs,
                                     std::int64_t pages, Treatment treatment, TranslationListener& listener,
                                     EvidenceWriter* evidence)
    : runner_(runner),
      jobs_(std::move(jobs)),
      pages_(pages),
      treatment_(std::move(treatment)),
      listener_(listener),
      evidence_(evidence),
      check_(runner.loaded()) {}

// Nothing when the input is left out.
template <class Read>
std::optional<std::invoke_result_t<Read>> FolderTranslation::attempt(const Read& read) {
  try {
    return read();
  } catch (const Error& e) {
    if (treatment_.bad_files == BadFiles::refuse)
      fail("{}{}", e.what(), jobs_.size() > 1 ? "; --skip-bad continues without it" : "");
    listener_.skipped(e.what());
    ++skipped_;
    return std::nullopt;
  }
}

void FolderTranslation::count(const OutputWriter& writer) {
  const std::int64_t with_evidence = evidence_ != nullptr ? evidence_->written() : 0;
  written_ = writer.files() + with_evidence;
  pages_written_ = writer.pages() + with_evidence;
}

void FolderTranslation::run(const StopFlag& stop) {
  InputQueue inputs(runner_, jobs_, treatment_);
  OutputWriter writer(treatment_.encode);
  BatchQueue batches(runner_, treatment_, writer, listener_, evidence_);
  std::int64_t done = 0;
  const auto tell = [&](const TranslationJob& job) {
    count(writer);
    listener_.progress(Stage::translating, ++done, std::max(done, pages_), job.in.string());
  };
  for (const TranslationJob& job : jobs_) {
    if (stop.requested()) break;
    const std::optional<OpenedInput> input = attempt([&] { return inputs.next(); });
    if (!input) {
      tell(job);
      continue;
    }
    const std::int64_t pages = input->reader->pages();
    const auto file = writer.open(job, pages * input->reader->output_pages());
    for (std::int64_t i = 0; i < pages && !stop.requested(); ++i) {
      std::optional<InputPage> page = i == 0 ? input->first : attempt([&] { return input->reader->read(i); });
      if (!page) break;  // a file that lacks a page is never finished
      const Image preview = to_preview(page->input.image, page->input.range);
      check_.add(job.in.string(), preview);
      batches.add(file, std::move(*page), preview);
      tell(job);
    }
    input->reader->add_notes_to(notes_);
  }
  batches.flush();
  writer.finish();
  count(writer);
}

}  // namespace torsor
