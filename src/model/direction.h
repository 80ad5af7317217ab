// The direction of a generator, in the keys of its model's domains.
#pragma once

#include <string>

namespace torsor {

/// From one domain to another. Both keys are empty where it is unknown.
struct Direction {
  std::string from, to;  // keys of ModelInfo::domains: "a", "b"

  /// "a_to_b" as that; what has no other form is of no known direction.
  static Direction named(const std::string& text);

  bool is_known() const { return !from.empty(); }
  std::string name() const { return is_known() ? from + "_to_" + to : ""; }
  Direction opposite() const { return {to, from}; }
  bool operator==(const Direction&) const = default;
};

inline const Direction kAToB{"a", "b"}, kBToA{"b", "a"};

}  // namespace torsor
