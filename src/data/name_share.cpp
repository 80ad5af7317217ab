#include "data/name_share.h"

#include "core/error.h"
#include "core/rng.h"

namespace torsor {

namespace {

// Uniform in [0, 1); it must stay as it is, or resumed runs would see other images.
double place_of(const std::string& name) {
  return static_cast<double>(derive_seed(0, "held out/" + name) >> 11) * 0x1.0p-53;
}

}  // namespace

NameShare share_by_name(const ImageSet& set, double share) {
  NameShare out;
  for (std::int64_t i = 0; i < set.size(); ++i)
    (place_of(set.name(i)) < share ? out.held_out : out.kept).push_back(i);
  if (out.held_out.empty() || out.kept.empty())
    fail_usage(
        "--val-share {}: {} of the {} images in {} would be held out; give {} share, or --val-a and --val-b",
        share, out.held_out.empty() ? "none" : "all", set.size(), set.title(),
        out.held_out.empty() ? "a larger" : "a smaller");
  return out;
}

}  // namespace torsor
