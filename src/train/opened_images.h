// The opened images of a training run.
#pragma once

#include <memory>

#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/image_set.h"
#include "model/model_file.h"

namespace torsor {

/// Images that no step of the training sees, whole and in order, without random transforms; for metrics.
/// Where metrics are wanted and nothing else is held out, the source's test images.
struct HeldOut {
  std::shared_ptr<const Dataset> images;  // null: none. Item i has image i of A and of B; where one domain
                                          // has fewer, its images come again
  std::int64_t count_a = 0, count_b = 0;
};

/// What was opened, by one of the two ways to pair.
struct OpenedImages {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> shown;                // in order and whole, for sample grids
  std::shared_ptr<const ImageSet> source_a, source_b;  // the training images
  std::shared_ptr<FingerprintBuilder> seen_a, seen_b;  // the training images
  HeldOut held_out;
  std::int64_t anchor_pairs = 0;
  std::vector<std::string> anchors = {};  // ModelInfo::anchors
  Json beside = Json::object();           // what TrainData::files has beside "a" and "b"
};

/// The images of both domains, opened and checked.
struct TrainData {
  std::shared_ptr<const Dataset> train;
  Batch fixed;  // sample_count test images (else the first training ones), for sample grids
  HeldOut held_out;
  std::int64_t count_a = 0, count_b = 0;
  DomainInfo a, b;
  Size largest;  // that training images have after resizing, where that varies
  Json files;    // {"a": {"count", "digest"}, "b": ...}: tells whether these are the same ones
  std::int64_t anchor_pairs = 0;
  std::vector<std::string> anchors;  // ModelInfo::anchors
};

}  // namespace torsor
