#include "interchange/weight_choice.h"

#include "core/error.h"
#include "nn/network.h"

namespace torsor {

void WeightChoice::describe(OptionSet& o) {
  describe_foreign(o);
  o.add("weights", weights,
        "of a model trained with --ema: averaged, or those of its last step [averaged where it has some]")
      .choices({"averaged", "last"});
}

void WeightChoice::describe_foreign(OptionSet& o) {
  o.group("Weights that do not describe themselves");
  o.add("network", network, "which network of a file with several, as torsor inspect lists them");
  o.add("norm", norm, "its normalisation [what keys and train_opt.txt tell]").choices(norm_names());
  o.add("net_g", net_g, "its architecture [what its keys tell]").check(check_generator_name);
  o.add("dropout", dropout, "whether it was trained with dropout [what keys and train_opt.txt tell]")
      .choices({"on", "off"});
  o.group("");
}

void require_undecided(const WeightChoice& choice, const std::string& source) {
  WeightChoice given = choice;
  OptionSet options;
  given.describe_foreign(options);
  for (const Option& option : options.options())
    if (!option.value().get<std::string>().empty())
      fail_usage("{} {}: {} is a torsor model, which describes its networks itself; leave {} out",
                 option.flag(), option.value().get<std::string>(), source, option.flag());
}

}  // namespace torsor
