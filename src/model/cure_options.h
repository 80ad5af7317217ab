// The options that narrow what CycleGAN's losses leave open: its solutions form a torsor (S0), and each of
// these leaves fewer of them. All are off by default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "model/side_data.h"

namespace torsor {

struct CureOptions {
  std::string anchors_a, anchors_b;  // folders of pairs by name
  std::optional<double> lambda_anchor;

  std::string content_encoder;  // a torsor classifier's file
  std::string content_hash;     // of its weights, filled in by read_files()
  std::optional<double> lambda_content;

  double lambda_jacobian = 0;
  std::string labels_a, labels_b;  // tables of classes
  std::string label_classes;       // of both, a JSON list; filled in by read_files()

  void describe(OptionSet& o);
  /// Fills in what follows from the files that are named. Throws Error naming the file.
  void read_files();
  /// Throws UsageError for one of two options that go together, for a weight of what is not there, and for
  /// files that a run did not begin with.
  void validate() const;

  bool has_anchors() const { return !anchors_a.empty(); }
  /// Of anchor_a_to_b and of anchor_b_to_a; 0 without anchors.
  double anchor_weight() const;
  /// Of content_a and of content_b; 0 without an encoder.
  double content_weight() const;
  bool has_labels() const { return !labels_a.empty(); }
  /// That the discriminators see, in the order of their planes. Throws UsageError for a damaged list.
  std::vector<std::string> classes() const;
  SideData side_data() const;
};

}  // namespace torsor
