#include "infer/folder_translation.h"

#include <ATen/ATen.h>

#include <deque>
#include <functional>
#include <future>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/resize.h"

namespace torsor {

namespace {

constexpr std::size_t kAhead =
    2;  // images that are read, and images that are written, beside the translation

// An image as the generator takes it.
struct Input {
  Image image;  // u8 in its channels
  ValueRange range;
  std::string note;  // what was converted
};

// Throws Error naming the job's file when it cannot be read, converted or scaled.
Input read_input(const GeneratorRunner& runner, const TranslationJob& job) {
  const std::string name = job.in.string();
  Input input;
  input.image = runner.input_image(read_image(job.in), input.note, name);
  input.range = runner.input_range(input.image, name);
  return input;
}

// Reads inputs in order, a few of them ahead while others are translated.
class Reader {
 public:
  Reader(const GeneratorRunner& runner, const std::vector<TranslationJob>& jobs)
      : runner_(runner), jobs_(jobs) {}

  // The next job's. Throws as read_input() does.
  Input next() {
    while (coming_.size() < kAhead && begun_ < jobs_.size())
      coming_.push_back(std::async(std::launch::async, read_input, std::cref(runner_), jobs_[begun_++]));
    std::future<Input> first = std::move(coming_.front());
    coming_.pop_front();
    return first.get();
  }

 private:
  const GeneratorRunner& runner_;
  const std::vector<TranslationJob>& jobs_;
  std::size_t begun_ = 0;
  std::deque<std::future<Input>> coming_;
};

// Nothing when the input is left out.
std::optional<Input> next_input(Reader& reader, BadFiles bad_files, TranslationListener& listener) {
  try {
    return reader.next();
  } catch (const Error& e) {
    if (bad_files == BadFiles::refuse) fail("{}; --skip-bad goes on without it", e.what());
    listener.skipped(e.what());
    return std::nullopt;
  }
}

// Writes images while others are translated; an image that cannot be written is told of a few images later.
class Writer {
 public:
  explicit Writer(std::int64_t& written) : written_(written) {}

  void write(const TranslationJob& job, Image image) {
    if (leaving_.size() >= kAhead) wait_for_first();
    leaving_.push_back(std::async(std::launch::async, [out = job.out, image = std::move(image)] {
      make_folder(out.has_parent_path() ? out.parent_path() : fs::path("."));
      write_image(out, image);
    }));
  }
  void finish() {
    while (!leaving_.empty()) wait_for_first();
  }

 private:
  void wait_for_first() {
    std::future<void> first = std::move(leaving_.front());
    leaving_.pop_front();
    first.get();
    ++written_;
  }

  std::deque<std::future<void>> leaving_;
  std::int64_t& written_;
};

// Images that wait to be translated in one batch.
class Queue {
 public:
  Queue(const GeneratorRunner& runner, const Treatment& treatment, Writer& writer)
      : runner_(runner), treatment_(treatment), writer_(writer) {}

  void add(const TranslationJob& job, const Input& input) {
    if (treatment_.reference)
      return writer_.write(
          job, translate_as_reference(runner_, *treatment_.reference, input.image, job.in.string()));
    const Image ready = resized(input.image);
    if (!waiting_.empty() && (ready.width != width_ || ready.height != height_)) flush();
    width_ = ready.width;
    height_ = ready.height;
    waiting_.push_back(job);
    tensors_.push_back(to_tensor(ready, input.range));
    if (static_cast<std::int64_t>(waiting_.size()) >= treatment_.batch_size) flush();
  }

  void flush() {
    if (waiting_.empty()) return;
    const at::Tensor out = runner_.translate(at::stack(tensors_));
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      writer_.write(waiting_[i], runner_.picture(out[static_cast<std::int64_t>(i)]));
    waiting_.clear();
    tensors_.clear();
  }

 private:
  Image resized(const Image& image) const {
    if (!treatment_.resize) return image;
    return resize_bicubic(image, treatment_.resize->width, treatment_.resize->height);
  }

  const GeneratorRunner& runner_;
  const Treatment& treatment_;
  Writer& writer_;
  std::vector<TranslationJob> waiting_;
  std::vector<at::Tensor> tensors_;
  std::int64_t width_ = 0, height_ = 0;
};

}  // namespace

FolderTranslation::FolderTranslation(const GeneratorRunner& runner, std::vector<TranslationJob> jobs,
                                     Treatment treatment, TranslationListener& listener)
    : runner_(runner),
      jobs_(std::move(jobs)),
      treatment_(std::move(treatment)),
      listener_(listener),
      check_(runner.loaded()) {}

void FolderTranslation::run(const StopFlag& stop) {
  Reader reader(runner_, jobs_);
  Writer writer(written_);
  Queue queue(runner_, treatment_, writer);
  std::int64_t done = 0;
  for (const TranslationJob& job : jobs_) {
    if (stop.requested()) break;
    if (const std::optional<Input> input = next_input(reader, treatment_.bad_files, listener_)) {
      if (!input->note.empty()) listener_.note(job.in.string(), input->note);
      check_.add(job.in.string(), input->image);
      queue.add(job, *input);
    } else {
      ++skipped_;
    }
    listener_.progress(++done, static_cast<std::int64_t>(jobs_.size()));
  }
  queue.flush();
  writer.finish();
}

}  // namespace torsor
