// What a model wants beside the images of its domains.
#pragma once

#include <string>

namespace torsor {

/// As the model's options name it; empty: nothing.
struct SideData {
  std::string anchors_a, anchors_b;  // folders of pairs by name: "anchor_a" and "anchor_b" in each batch

  bool has_anchors() const { return !anchors_a.empty(); }
};

}  // namespace torsor
