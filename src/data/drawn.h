// What all generated domains share: an image is drawn when it is asked for, from a stream of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/image_source.h"

namespace torsor {

/// The name of the random stream that draws a domain's truths, and of an image's file.
std::string generated_stream(const std::string& task, Domain domain, Split split);
std::string generated_file_name(Domain domain, Split split, std::int64_t index);

/// `count` images that draw(index) makes when they are asked for, from several threads. Throws UsageError for
/// a count below 1.
std::unique_ptr<ImageSource> make_drawn_source(const std::string& what, Domain domain, Split split,
                                               std::int64_t count, std::function<Image(std::int64_t)> draw);

}  // namespace torsor
