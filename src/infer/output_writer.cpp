#include "infer/output_writer.h"

#include <utility>

#include "core/files.h"

namespace torsor {

void make_folder_of(const fs::path& file) {
  make_folder(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

namespace {

constexpr std::size_t kLeaving = 2;  // pages that are encoded and written during the translation

void write_single(const TranslationJob& job, const Image& image, const EncodeOptions& encode) {
  if (job.taken != nullptr) {
    *job.taken = encode_image(job.out.extension().string().substr(1), image, encode, job.out.string());
    return;
  }
  make_folder_of(job.out);
  write_image(job.out, image, encode);
}

enum class PageIs { last, one_of_more };

void write_page(const OutputFile& file, const Image& image, PageIs place, const EncodeOptions& encode) {
  if (file.writer == nullptr) return write_single(file.job, image, encode);
  file.writer->add(image);
  if (place != PageIs::last) return;
  make_folder_of(file.job.out);
  file.writer->finish();
}

}  // namespace

std::shared_ptr<OutputFile> OutputWriter::open(const TranslationJob& job, std::int64_t pages) const {
  auto file = std::make_shared<OutputFile>();
  file->job = job;
  file->pages = pages;
  if (pages > 1) file->writer = std::make_shared<PageWriter>(job.out, pages, encode_);
  return file;
}

void OutputWriter::write(const std::shared_ptr<OutputFile>& file, Image image) {
  if (leaving_.size() >= kLeaving) wait_for_first();
  // What a task holds must not outlive it: the next page's holds it by its future.
  auto before = file->handed > 0 ? std::exchange(last_, {}) : std::shared_future<void>();
  const bool is_last = ++file->handed == file->pages;
  last_ = std::async(std::launch::async, [file = file, is_last, before = std::move(before), encode = encode_,
                                          image = std::move(image)]() mutable {
            const std::shared_ptr<OutputFile> to = std::move(file);
            const Image page = std::move(image);
            if (before.valid()) std::exchange(before, {}).get();
            write_page(*to, page, is_last ? PageIs::last : PageIs::one_of_more, encode);
          }).share();
  leaving_.push_back({last_, is_last ? file->pages : 0});
}

void OutputWriter::finish() {
  while (!leaving_.empty()) wait_for_first();
}

void OutputWriter::wait_for_first() {
  const Leaving first = std::move(leaving_.front());
  leaving_.pop_front();
  first.page.get();
  if (first.completes == 0) return;
  ++files_;
  pages_ += first.completes;
}

}  // namespace torsor
