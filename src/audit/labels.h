// The classes of images, where the user has some: for real images from a table, for any by a classifier.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_images.h"
#include "core/log.h"
#include "metric/feature_extractor.h"
#include "model/placement.h"

namespace torsor {

/// [N,C,H,W] in the networks' range, of the domain "a" or "b" -> [N] int64 classes.
using ClassifyImages = std::function<at::Tensor(const at::Tensor& values, const std::string& domain)>;

struct AuditLabels {
  std::vector<std::string> classes;       // their names, in order
  at::Tensor a, b;                        // [N] int64 of the held-out images, -1 where one has no label
  ClassifyImages classify;                // always there
  std::string source;                     // of the classifier, in words for a reader
  std::string digest;                     // of the tables' or the classifier's bytes
  double accuracy_a = 0, accuracy_b = 0;  // of `classify` on the labelled held-out images; 0 without labels
  std::int64_t without_label_a = 0, without_label_b = 0;
  /// [N] int64: what the classifier says of the held-out images, of a labelled one without having learnt it
  /// or another of its group; hence with the errors that it makes on translations too. Undefined where
  /// nothing was learnt from these images: then classify() says it.
  at::Tensor held_out_a = {}, held_out_b = {};
};

/// More classes are refused: matrices of more cannot be read, nor be filled by the images of an audit.
inline constexpr std::int64_t kMostLabelClasses = 16;

/// A torsor classifier's file as the classifier. Images are resized to its side and brought to its channels;
/// without tables the classes of the real images are what it says of them. Throws Error naming the file.
AuditLabels labels_by_classifier(const std::filesystem::path& classifier, const AuditImages& a,
                                 const AuditImages& b, const Placement& placement);

/// Tables "name,label" (RFC 4180; a header line is recognised by its name having no image) whose names are
/// those of the images, with or without extension. The classifier is a logistic regression of the extractor's
/// features, one for each domain, of every class against the others (label_regression.h), fitted to the
/// labelled images; its accuracy is that on groups that were left out. Throws Error naming the table and line
/// for what is no such table, fewer than two classes, a class with fewer than five images in either table
/// (one that is never seen cannot be learnt, and would be taken for removed), more than kMostLabelClasses, or
/// no name that is an image's; counts images without label, and the log hears of names that are no image's.
AuditLabels labels_by_tables(const std::filesystem::path& labels_a, const std::filesystem::path& labels_b,
                             const AuditImages& a, const AuditImages& b,
                             std::shared_ptr<const FeatureExtractor> extractor, LogSink& log);

}  // namespace torsor
