// Whether a translation of a generated scene is correct: the truth of the input is known, so neither people
// nor a network have to rate it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/generated.h"

namespace torsor {

// Lengths are fractions of the image side, colour differences fractions of the full range. Each bound lies
// between what a right but blurred and noisy picture shows and what wrong pictures show; the tests measure
// both sides.

/// The object's colourfulness (largest minus smallest channel) relative to the strongest in the picture from
/// which a pixel counts as object: half marks the middle of a blurred edge, so that blur does not move the
/// outline.
inline constexpr double kObjectShare = 0.5;
/// The least colourfulness an object must have: drawn ones have 0.63 to 0.73, neutral backgrounds 0, and 0.05
/// under noise of 8 grey levels.
inline constexpr double kMinColorfulness = 0.3;
/// The least overlap (intersection over union) of the object's outline with the target's shape of the same
/// area and centre. A disc and a square of one area overlap by 0.83, so below 0.85 the outline is neither.
inline constexpr double kMinShapeOverlap = 0.85;
/// The object's area relative to the truth's. Truths keep the width; a translation that keeps the area
/// instead is off by 4 / pi = 1.27 and as faithful. Half or twice the area is another object.
inline constexpr double kMinAreaRatio = 0.6, kMaxAreaRatio = 1.6;
/// The largest distance of the object's centroid from the truth's centre: 2 pixels at 32. Blur and noise move
/// it by up to 0.01, a stripe whose colour is near the background's by more; two unrelated objects are 0.2
/// apart on average.
inline constexpr double kMaxOffset = 0.0625;
/// The largest mean absolute difference to the input outside the object's neighbourhood. Noise of 8 grey
/// levels and blur cost 0.025; of unrelated backgrounds of the same task six in seven differ by more.
inline constexpr double kMaxBackgroundError = 0.05;
/// How far the neighbourhood, a square around the object, reaches beyond it: blurred edges belong to the
/// object.
inline constexpr double kNeighbourhood = 0.05;
/// Amplitude of the strongest wave of about the drawn stripes' period inside the disc, in the smallest
/// channel (0.08 to 0.29 in the coloured stripes, by hue, 0.97 in the white ones): drawn stripes have 0.41 to
/// 0.59, solid discs under noise 0.01.
inline constexpr double kMinStripes = 0.2, kMaxSolidStripes = 0.1;
/// The least mean colourfulness of a solid disc: drawn ones have 0.63 to 0.73, striped ones half of it, white
/// ones 0.
inline constexpr double kMinSolidColor = 0.5;
/// The least overlap of a disc on a landscape with a disc of its area and centre. Only its presence is asked,
/// so this is looser than kMinShapeOverlap: blurred stripes may come near the landscape's colours and leave
/// gaps.
inline constexpr double kMinDiscOverlap = 0.7;
/// The difference to the scene's bare background from which a pixel counts as part of a disc on a landscape;
/// noise and blur stay below, coloured and white stripes lie above on every background of the task.
inline constexpr double kObjectContrast = 0.2;

struct SceneScore {
  bool shape = false;           // the object is there, of the target domain's kind and about the truth's size
  bool position = false;        // its centroid lies where the input's object was
  bool background = false;      // the rest is the input's
  double shape_overlap = 0;     // of the outline with the target's shape of the same area and centre
  double area_ratio = 0;        // to the truth's object in the target domain
  double stripes = 0;           // amplitude; 0 for circles-squares
  double offset = 0;            // of the centroid, fraction of the side; 1 when there is no object
  double background_error = 0;  // mean absolute difference, 0..1
  std::optional<double> hue_error;  // degrees in [0, 180] to the truth's hue; none where there is no object
  bool pass() const { return shape && position && background; }  // the hue is the task's to leave open
};

/// Scores `output`, a translation of `input` to domain `target`, against the truth that `input` was drawn
/// from. Images are square, u8 RGB, of one size. Throws UsageError for an unknown task, Error for other
/// images and for a truth whose radius is not in (0, 0.4].
SceneScore score_scene(const std::string& task, Domain target, const SceneTruth& truth, const Image& input,
                       const Image& output);

/// Shares in [0, 1] over many scores, and the mean hue error over those that have one (none when none has).
struct SceneSummary {
  std::int64_t count = 0;
  double pass = 0, shape = 0, position = 0, background = 0;
  std::optional<double> hue_error;
};

/// Throws Error when there is no score.
SceneSummary summarize(const std::vector<SceneScore>& scores);

/// {"pass", "shape", "position", "background", "hue_error" (null where none has one)}.
Json summary_json(const SceneSummary& summary);

}  // namespace torsor
