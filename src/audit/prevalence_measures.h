// What of the content of images is counted, with labels and without.
#pragma once

#include "audit/audit_material.h"

namespace torsor {

/// Of a direction of the first run, where the audit has labels: classes of inputs X, translations G(X) and
/// target images Y by the classifier of each one's domain. {"classes", "source", "known" (whether tables gave
/// the classes of real images), "accuracy_from", "accuracy_to", "power_from", "power_to" (classifier_power();
/// null where not known), "without_label", "agreement", "attainable", "shortfall", "matrix" (class of the
/// input, class of the translation), "permutation", "prevalences": [{"class", "x", "translated", "y", "gap",
/// "moved" or null}]}.
Json class_content(AuditMaterial& material, const Direction& direction);

/// Bright and dark spots (local_contrast.h) of X, G(X) and Y: {"bright": ..., "dark": ...}, each {"line": the
/// value from which an image counts as having one, "p": of the energy test of X against Y, "x", "translated",
/// "y": shares of images above the line, "gap", "moved" or null, "kept": [two rank correlations or null]}.
///
/// "kept" asks whether G's changes follow the input. Where Y has fewer spots than X, does the translation
/// still tell inputs with a spot from those without? Where Y has more, does the input tell translations with
/// a spot from those without? Once by the same polarity and once by the other, since contrasts may be
/// inverted (a lesion that is dark in one sequence of an MR scan is bright in the next). A change of style
/// that is a function of what the input shows keeps one of them, structures that are added or removed keep
/// neither.
Json spot_content(AuditMaterial& material, const Direction& direction);

/// Numbers of whole images that need no labels: [{"name", "title", "x", "translated", "y" (means), "gap",
/// "moved" or null}] of brightness, contrast, colourfulness and sharpness, as image_features() defines them.
Json attribute_content(AuditMaterial& material, const Direction& direction);

}  // namespace torsor
