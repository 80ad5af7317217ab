#include "metric/metric_options.h"

#include "metric/groups.h"

namespace torsor {

void MetricOptions::describe(OptionSet& o) {
  o.group("Metrics");
  o.add("groups", groups,
        "images that belong together, of one patient or clip: a regular expression, whose first parenthesis "
        "(or whole match) in the file's name is the group; intervals and folds go by groups")
      .check(check_group_pattern);
  o.add("metric_seed", metric_seed, "seed of subsets, folds and resampling").at_least(0);
  o.add("resamples", resamples, "bootstrap samples of a 95 % interval; 0 = no intervals").at_least(0);
  o.add("nearest_k", nearest_k, "neighbour that sets a radius in precision, recall, density and coverage")
      .at_least(1);
  o.add("kid_subsets", kid_subsets, "random subsets on which KID is computed too; 0 = all images only")
      .at_least(0);
  o.add("kid_subset_size", kid_subset_size, "images of each set in such a subset").at_least(2);
  o.add("c2st_folds", c2st_folds, "folds of the classifier two-sample test").at_least(2);
  o.add("c2st_penalty", c2st_penalty, "weight decay of its logistic regression").above(0);
}

}  // namespace torsor
