// What the demonstration shows: pictures, and a page that explains them to a newcomer.
#pragma once

#include "experiment/demo.h"

namespace torsor {

/// One line on a result: "solid-striped: a_to_b 99 %, b_to_a 97 % of the images right: passed".
std::string describe(const LessonResult& result);

/// Rows real, fake, rec; a column an example. Throws Error when there is none.
Image example_grid(const std::vector<DemoExample>& examples);

/// Writes out/index.html (self-contained), a PNG for each direction and out/scores.json; returns what was
/// written. Throws Error naming the path.
std::vector<std::filesystem::path> write_demo(const std::vector<LessonResult>& results,
                                              const DemoOptions& options);

}  // namespace torsor
