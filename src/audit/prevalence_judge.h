// The verdicts on content and prevalence, from numbers alone.
#pragma once

#include <string>
#include <vector>

#include "audit/audit_options.h"
#include "audit/finding.h"

namespace torsor {

/// From what class_content() measured of a direction, "a_to_b". Amber where classes change by more than the
/// classifier's errors explain ("classes-...": the shortfall's lower limit above label_shortfall) and where
/// prevalences follow the target ("prevalence-...": the lower limit of "moved" of a class above
/// prevalence_moved). A note where they do not, and where the classifier is known to be too weak to say
/// (label_power).
std::vector<AuditFinding> judge_classes(const std::string& direction, const Json& measured,
                                        const AuditThresholds& thresholds);

/// From what spot_content() measured: amber ("spots-...") where, of one polarity,
///  - X and Y differ (p below 0.01) in something that some but not all images of a domain have (a share of 10
///  to
///    90 %; what all images of a domain have, and none of the other's, is its style);
///  - the lower limit of "moved" lies above prevalence_moved; and
///  - the translation's spots no longer follow the input's: both rank correlations are known and lie between
///    -rank_kept and rank_kept with their limits.
/// Never more than amber. It misses spots whose contrast is below that of ordinary edges of the images, since
/// the strongest of an image counts, and changes of content that are no spots; it mistakes a change of style
/// for one of content where the strongest spots of the two styles are of different things (the stripes of
/// zebras).
std::vector<AuditFinding> judge_spots(const std::string& direction, const Json& measured,
                                      const AuditThresholds& thresholds);

}  // namespace torsor
