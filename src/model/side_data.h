// What a model wants beside the images of its domains.
#pragma once

#include <string>
#include <vector>

namespace torsor {

/// As the model's options name it; empty: nothing.
struct SideData {
  std::string anchors_a, anchors_b;  // folders of pairs by name: "anchor_a" and "anchor_b" in each batch
  std::string labels_a, labels_b;    // tables of classes (LabelTable): "label_a" and "label_b", [N] of 0 up
  std::vector<std::string> classes;  // that both tables have, in the order of their numbers

  bool has_anchors() const { return !anchors_a.empty(); }
  bool has_labels() const { return !labels_a.empty(); }
};

}  // namespace torsor
