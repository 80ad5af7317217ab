#include "train/side_images.h"

#include "data/anchored.h"
#include "train/aligned_data.h"

namespace torsor {

namespace {

// An anchor fixes what the unpaired images leave open; who has more pairs has a paired task.
constexpr std::int64_t kMostAnchors = 50;

void add_anchors(const ImageIntake& intake, const SideData& wanted, OpenedImages& images) {
  PairedFolders anchors = open_pairs_beside(intake, wanted.anchors_a, wanted.anchors_b, kMostAnchors);
  images.train = std::make_shared<AnchoredDataset>(images.train, anchors.images);
  images.anchors_a = std::move(anchors.a);
  images.anchors_b = std::move(anchors.b);
}

}  // namespace

void add_side_data(const ImageIntake& intake, const SideData& wanted, OpenedImages& images) {
  if (wanted.has_anchors()) add_anchors(intake, wanted, images);
}

}  // namespace torsor
