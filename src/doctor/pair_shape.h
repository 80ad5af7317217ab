// Whether images have the shape of pairs side by side.
#pragma once

#include "doctor/survey.h"

namespace torsor {

/// How many usable images are about twice as wide as high: two squares, or nearly so.
std::size_t pair_shaped(const SurveyedSet& set);

/// Whether nearly all usable images are; false without one.
bool looks_paired(const SurveyedSet& set);

/// The training set of pairs, where it is the one to train on: the only layout, and of images that look so.
/// Null for none.
const SurveyedSet* pairs_to_train_on(const Survey& survey);

}  // namespace torsor
