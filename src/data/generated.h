// Generated domains: drawn on demand at any size from (seed, task, domain, split, index), with their truth
// kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/drawn.h"

namespace torsor {

/// What was drawn: one object on a background. Lengths are fractions of the image side, angles radians, hue
/// in [0, 1).
struct SceneTruth {
  double center_x = 0.5, center_y = 0.5;  // of the object
  double radius = 0.2;                    // disc: radius; square: half side
  double hue = 0;                         // of the object
  double stripe_angle = 0;                // striped discs only
  double stripe_phase = 0;
  std::uint64_t background = 0;  // seed of the background
};

/// One coloured and one white stripe as a fraction of the image side: 6 pixels at 32.
inline constexpr double kStripePeriod = 0.19;

/// Tasks with a scene: "circles-squares" (A: a coloured disc, B: a coloured square, on a grey background lit
/// from above; hue uniform on a circle around the grey axis, so that a rotation of the hues is an
/// automorphism of the data; S1-E2) and "solid-striped" (A: a solid disc, B: the same with nearly level
/// stripes; on a landscape-like background).
std::vector<std::string> scene_tasks();

/// The tasks with a scene, "glyphs" (A and B: the same ten classes of glyphs; see glyphs.h) and "t1-flair"
/// (two contrasts of a made-up brain slice; see phantom.h).
std::vector<std::string> generated_tasks();

/// The domain's name: "circles", "squares", "glyphs", "t1".
std::string generated_domain_name(const std::string& task, Domain domain);

/// Truth of image `index`. Throws UsageError for an unknown task.
SceneTruth generated_truth(const std::string& task, Domain domain, Split split, std::uint64_t seed,
                           std::int64_t index);

/// Draws a truth as an RGB u8 image of size x size, antialiased. render_scene of another domain's truth is
/// the right translation of an image (up to what the task leaves open).
Image render_scene(const std::string& task, Domain domain, const SceneTruth& truth, std::int64_t size);

/// `count` images of B that are the right translations of A's: image i shows what image i of A in this split
/// does, up to what the task leaves open (the stripes of a solid disc are those of its truth). Throws
/// UsageError for a task without such partners (glyphs) and an unknown one.
std::unique_ptr<ImageSource> make_generated_partners(const std::string& task, Split split, std::uint64_t seed,
                                                     std::int64_t count, std::int64_t size);

/// `count` images of that domain and split.
std::unique_ptr<ImageSource> make_generated_source(const std::string& task, Domain domain, Split split,
                                                   std::uint64_t seed, std::int64_t count, std::int64_t size);

}  // namespace torsor
