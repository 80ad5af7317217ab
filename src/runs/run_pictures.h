// The pictures of a run for a page: its sample grids over time, and inputs with their translations.
#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "report/slides.h"
#include "runs/run_record.h"

namespace torsor {

struct SampleSlides {
  std::vector<Slide> slides;            // from the first to the last grid; empty for a run without any
  std::size_t there_are = 0;            // grids in the run
  std::int64_t shrunk = 1;              // factor by which their sides are smaller than in the files
  std::vector<std::string> unreadable;  // what was wrong with grids that are left out
};

/// The sample grids, evenly thinned so that together they take about `bytes` of the page.
SampleSlides sample_slides(const RunRecord& run, std::int64_t bytes);

/// What the rows and columns of the grids are, in words; "" for a run that does not say.
std::string grid_words(const RunRecord& run);

struct TranslatedPairs {
  std::string direction;  // "horses → zebras"
  std::vector<Comparison> pairs;
};

struct RunPairs {
  std::string source;  // where they come from, in words
  std::vector<TranslatedPairs> directions;
  std::string missing;  // why there are none; "" where there are
};

/// Inputs, translations and what differs: of the held-out images where the run has such a grid, else of its
/// last sample grid; at most `most` of a direction.
RunPairs run_pairs(const RunRecord& run, std::size_t most);

/// The distance of each sample, channel by channel: black where both are alike. Throws Error unless they have
/// one size; u8.
Image difference_image(const Image& a, const Image& b);

}  // namespace torsor
