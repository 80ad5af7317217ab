#include "infer/input_survey.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "infer/page_reader.h"

namespace torsor {

namespace {

constexpr unsigned kMostReaders = 8;  // each holds a whole image
constexpr std::size_t kNamed = 10;    // bad inputs in one message

// What was seen of one input.
struct Sight {
  std::string problem;  // why it cannot be translated, or ""
  std::vector<Size> sizes;
  NoteCount notes, conversions;
};

// Throws Error when the output's format cannot hold so many pages.
void check_output_pages(const TranslationJob& job, std::int64_t pages) {
  if (job.taken != nullptr && pages > 1)
    fail("{}: has {} pages, of which standard output can take one; name a TIFF file as OUT", job.in.string(),
         pages);
  if (job.taken == nullptr) PageWriter(job.out, pages);
}

Sight look_at(const GeneratorRunner& runner, const TranslationJob& job, const Treatment& treatment) {
  Sight out;
  try {
    PageReader reader(runner, job, treatment);
    for (std::int64_t page = 0; page < reader.pages(); ++page) {
      const Image image = reader.read(page).input.image;
      if (page == 0) check_output_pages(job, reader.pages() * reader.output_pages());
      out.sizes.push_back({image.width, image.height});
    }
    reader.add_notes_to(out.notes);
    reader.add_conversions_to(out.conversions);
  } catch (const Error& error) {
    out.problem = error.what();
  } catch (const std::bad_alloc&) {
    out.problem = fmt::format("{}: there is not enough memory to read it", job.in.string());
  }
  return out;
}

std::vector<Sight> look_at_all(const GeneratorRunner& runner, const std::vector<TranslationJob>& jobs,
                               const Treatment& treatment, TranslationListener& listener,
                               const StopFlag& stop) {
  std::vector<Sight> sights(jobs.size());
  std::atomic<std::size_t> next{0};
  std::mutex telling;
  std::int64_t done = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size() && !stop.requested(); i = next++) {
      sights[i] = look_at(runner, jobs[i], treatment);
      const std::lock_guard lock(telling);
      listener.progress(Stage::checking, ++done, static_cast<std::int64_t>(jobs.size()), jobs[i].in.string());
    }
  };
  const auto wanted =
      std::min<std::size_t>({jobs.size(), std::max(1U, std::thread::hardware_concurrency()), kMostReaders});
  std::vector<std::jthread> threads;
  for (std::size_t t = 1; t < wanted; ++t) threads.emplace_back(work);
  work();
  return sights;
}

std::int64_t area(Size size) { return size.width * size.height; }

}  // namespace

InputSurvey survey_inputs(const GeneratorRunner& runner, const std::vector<TranslationJob>& jobs,
                          const Treatment& treatment, TranslationListener& listener, const StopFlag& stop) {
  const std::vector<Sight> sights = look_at_all(runner, jobs, treatment, listener, stop);
  InputSurvey out;
  ScaleCheck scales(runner.loaded());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Sight& sight = sights[i];
    if (!sight.problem.empty()) {
      out.bad.push_back(sight.problem);
      continue;
    }
    out.good.push_back(jobs[i]);
    out.notes.add(sight.notes);
    out.conversions.add(sight.conversions);
    out.pages += static_cast<std::int64_t>(sight.sizes.size());
    for (const Size own : sight.sizes) {
      const Size used = size_used(treatment, own);
      scales.add(jobs[i].in.string(), own, used);
      if (area(used) > area(out.largest)) out.largest = used;
    }
  }
  out.scale_warning = scales.warning();
  return out;
}

void meet_bad_inputs(const InputSurvey& survey, BadFiles bad_files, TranslationListener& listener) {
  if (survey.bad.empty()) return;
  if (bad_files == BadFiles::skip) {
    for (const std::string& reason : survey.bad) listener.skipped(reason);
    if (survey.good.empty()) fail("no input is left that can be translated");
    return;
  }
  if (survey.bad.size() == 1 && survey.good.empty()) fail("{}", survey.bad.front());
  if (survey.bad.size() == 1) fail("{}; --skip-bad continues without it", survey.bad.front());
  const std::vector<std::string> named(
      survey.bad.begin(),
      survey.bad.begin() + static_cast<std::ptrdiff_t>(std::min(kNamed, survey.bad.size())));
  fail(
      "{} of {} images cannot be translated: {}{}; repair or remove them, or pass --skip-bad to continue "
      "without them",
      survey.bad.size(), survey.bad.size() + survey.good.size(), join(named, " | "),
      survey.bad.size() > named.size() ? " | ..." : "");
}

}  // namespace torsor
