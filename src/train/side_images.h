// What a model wants beside the images of a training.
#pragma once

#include "model/side_data.h"
#include "train/image_intake.h"

namespace torsor {

/// Puts beside each training image what `wanted` names: its class (ConditionedDataset), and one of the
/// anchors' pairs (AnchoredDataset), under the training's transform with one crop and one flip for both.
/// Images for sample grids and metrics stay as they are. Throws Error naming the folder that is missing or
/// empty, images without a partner, more than 50 pairs; the table with other classes than `wanted`, images
/// without a label (the first three and how many there are), and a class without an image.
void add_side_data(const ImageIntake& intake, const SideData& wanted, OpenedImages& images);

}  // namespace torsor
