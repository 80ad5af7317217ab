#include "doctor/survey.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/parallel.h"
#include "data/sample_scale.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// One set while it is read.
struct SetInWork {
  const OpenedSet* opened = nullptr;
  SurveyedSet* surveyed = nullptr;

  FeaturesOf features_of(std::int64_t index) const {
    // Only the training images of domains are compared.
    if (surveyed->split == Split::test || surveyed->holds == Holds::images) return FeaturesOf::nothing;
    const auto count = static_cast<std::int64_t>(surveyed->images.size());
    const std::int64_t chosen = std::min(count, kMostWithFeatures);
    if (index > 0 && index * chosen / count == (index - 1) * chosen / count) return FeaturesOf::nothing;
    return surveyed->holds == Holds::pairs ? FeaturesOf::halves : FeaturesOf::whole;
  }

  void look_at(std::int64_t index) const {
    ImageRecord& record = surveyed->images[static_cast<std::size_t>(index)];
    record.name = opened->images->name(index);
    record.pair_name = opened->images->pair_name(index);
    try {
      const Image image = opened->images->read_noting(index, record.notes);
      record_image(image, SampleScale("white", surveyed->range), features_of(index),
                   opened->images->file(index), record);
    } catch (const StoppedError&) {
      throw;
    } catch (const Error& error) {
      record.problem = error.what();
    }
  }
};

ValueRange range_of_files(const std::vector<fs::path>& files, PageUse pages) {
  SampleStatistics seen;
  look_at_deep_images(files, pages == PageUse::images ? WhichPages::first : WhichPages::all,
                      [&](const Image& image) { seen.add(image); });
  return seen.range();
}

SetInWork begin_set(const OpenedSet& opened, PageUse pages, SurveyedSet& surveyed) {
  surveyed.title = opened.title;
  surveyed.folder = opened.images->folder();
  surveyed.source = opened.images;
  surveyed.holds = opened.holds;
  surveyed.split = opened.split;
  surveyed.images.resize(static_cast<std::size_t>(opened.images->size()));
  surveyed.range = range_of_files(opened.images->files(), pages);
  return {&opened, &surveyed};
}

}  // namespace

std::size_t SurveyedSet::usable() const {
  return static_cast<std::size_t>(
      std::count_if(images.begin(), images.end(), [](const ImageRecord& i) { return i.is_usable(); }));
}

std::int64_t SurveyedSet::smaller_side(const ImageRecord& image) const {
  return std::min(holds == Holds::pairs ? image.width / 2 : image.width, image.height);
}

std::int64_t SurveyedSet::median_side() const {
  return median_of(sorted([this](const ImageRecord& image) { return smaller_side(image); }));
}

const SurveyedSet* Survey::find(Holds holds, Split split) const {
  for (const SurveyedSet& set : sets)
    if (set.holds == holds && set.split == split) return &set;
  return nullptr;
}

std::size_t Survey::largest_set() const {
  std::size_t out = 0;
  for (const SurveyedSet& set : sets)
    if (set.split == Split::train) out = std::max(out, set.usable());
  return out;
}

Survey survey_images(const DataPlace& place, LogSink& log, const StopFlag& stop) {
  const OpenedSets opened = open_sets(place);
  Survey out;
  out.left_out = opened.left_out;
  out.sets.resize(opened.sets.size());
  std::vector<SetInWork> works;
  std::vector<std::pair<std::size_t, std::int64_t>> jobs;  // which image of which set
  for (std::size_t s = 0; s < opened.sets.size(); ++s) {
    works.push_back(begin_set(opened.sets[s], place.pages, out.sets[s]));
    for (std::int64_t i = 0; i < opened.sets[s].images->size(); ++i) jobs.emplace_back(s, i);
  }
  std::atomic<std::int64_t> done{0};
  in_parallel(jobs.size(), stop, [&](std::size_t job) {
    works[jobs[job].first].look_at(jobs[job].second);
    log.progress("images", ++done, static_cast<std::int64_t>(jobs.size()));
  });
  check_stop(stop);
  return out;
}

}  // namespace torsor
