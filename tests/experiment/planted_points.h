// Results of the experiments on transport, planted.
#pragma once

#include <string>

#include "core/json.h"

namespace torsor::testing {

// Six starts that meet the target, of every arm, with these numbers, each a little about its value.
inline void plant_starts(Json& results, const Json& numbers, double apart = 0) {
  for (Json& row : results["rows"]) {
    Json run = row["runs"][0];
    run["miss"] = 0.0;
    if (row["problem"] == "line") run["increasing"] = true;
    row["runs"] = Json::array();
    row["apart"] = apart;
    for (int k = 0; k < 6; ++k) {
      for (const auto& [key, value] : numbers.items()) run[key] = value.get<double>() + 0.001 * k;
      row["runs"].push_back(run);
    }
  }
}

// The same of one arm alone.
inline void plant_arm(Json& results, const std::string& arm, const Json& numbers) {
  for (Json& row : results["rows"])
    if (row["arm"] == arm)
      for (Json& run : row["runs"])
        for (const auto& [key, value] : numbers.items())
          run[key] = value.get<double>() + 1e-3 * run["gap"].get<double>();
}

inline void plant_apart(Json& results, const std::string& arm, double apart) {
  for (Json& row : results["rows"])
    if (row["arm"] == arm) row["apart"] = apart;
}

// All runs are solutions with a gap near this one.
inline void plant_image_gaps(Json& results, double gap) {
  int k = 0;
  for (Json& row : results["rows"])
    for (Json& of : row["directions"]) {
      of["solution"] = true;
      of["gap"] = gap + 1e-3 * (k++ % 2);
    }
}

// Blocks that are even Euler steps, a ResNet cheaper than the same without skips, a cycle that lowers cost.
inline void plant_facts(Json& results, double straightness, double without_skips, double without_cycle) {
  plant_starts(results, {{"gap", 0.1}, {"straightness", straightness}, {"largest_share", 0.3}});
  plant_arm(results, "plain, cycle 3", {{"gap", without_skips}});
  plant_arm(results, "ResNet, cycle 0", {{"gap", without_cycle}});
}

// All starts right if the angle is kept from this weight on, with this error if it is turned.
inline void plant_weights(Json& results, double kept, double turned) {
  plant_starts(results, {{"gap", 0.1}, {"error_kept", kept}, {"error_turned", turned}});
  plant_arm(results, "cost 0", {{"error_kept", 0.5}});
}

}  // namespace torsor::testing
