#include "transport/transport_options.h"

#include "core/text.h"
#include "metric/groups.h"

namespace torsor {

void TransportOptions::describe(OptionSet& o) {
  o.add(
       "features", features.features,
       "what costs compare: pixels (the images as the networks see them, from -1 to 1), or features: auto, " +
           join(extractor_names()) + ", or a file (docs/features.md)")
      .suggest(extractor_names())
      .common();
  o.add("protocol", features.protocol, "how images become the input of Inception features");
  o.add("feature_width", features.feature_width,
        "which Inception features: 64, 192, 768 or 2048; 0 = the extractor's own")
      .at_least(0);
  cost.describe(o);
  o.add("groups", groups,
        "pattern of names (regular expression): images with the same match, such as slices of a patient, "
        "count as one observation")
      .check([](const std::string& value, const std::string& where) { check_group_pattern(value, where); });
  o.add("resize", resize, "compare images of this size: SIDE or WIDTHxHEIGHT [the training's]");
  o.add("max_images", max_images, "images of each folder, the first that many; 0 = all").at_least(0).common();
  o.add("subsamples", subsamples, "random halves of the images, which intervals come from; 0 = no intervals")
      .range(0, 10000);
  o.add("splits", splits, "into halves, whose mean corrects the optimal cost").range(1, 1000);
  o.add("transport_seed", transport_seed, "of everything that is drawn").at_least(0);
  o.add("path_images", path_images, "images of each domain whose way through the blocks is shown")
      .range(0, 32);
}

}  // namespace torsor
