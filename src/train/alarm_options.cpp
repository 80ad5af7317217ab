#include "train/alarm_options.h"

#include "core/error.h"
#include "core/word_list.h"

namespace torsor {

void AlarmOptions::describe(OptionSet& o) {
  o.group("Alarms");
  o.add("alarm_every", alarm_every,
        "steps between looks at a few translations for signs that the training goes wrong; 0 = none")
      .at_least(0)
      .changeable();
  o.add("stop_on", stop_on,
        "end the run, with exit code 3, when one of these alarms is given, with commas between: non_finite, "
        "blank, collapse, saturated, inversion, no_op, border, hidden")
      .changeable();
}

void AlarmOptions::validate() const {
  if (!is_on() && !stop_on.empty())
    fail_usage("--stop-on {}: nothing is looked at with --alarm-every 0; give the steps between looks",
               stop_on);
}

std::vector<std::string> AlarmOptions::stops() const { return words_of(stop_on); }

}  // namespace torsor
