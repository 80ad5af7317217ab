// Does a transformation keep the distribution of a domain's images? Classifiers that try to tell originals
// from transformed images say so, each with an interval; networks that were trained against the data never
// do.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/estimate.h"
#include "audit/symmetries.h"
#include "core/json.h"
#include "metric/metric_options.h"

namespace torsor {

/// shown: the classifier's accuracy lies below the threshold with its whole interval, which is moved up to
/// 1/2 where the accuracy lies below; excluded: above it.
enum class Equivalence { shown, excluded, undecided };
std::string equivalence_name(Equivalence state);
Equivalence equivalence_of(const Estimate& accuracy, double threshold);

/// About how many images (of their own groups) would decide with a probability of 90 %, when `images` gave
/// this accuracy; 0 where there is no interval to tell by. An accuracy below 1/2 is taken for 1/2.
std::int64_t images_to_decide(const Estimate& accuracy, std::int64_t images, double threshold);

/// Accuracy of the classifier two-sample test (metric c2st) between the features of images [N,d] and of the
/// transformed images [N,d], row by row of the same images, whose groups these are: an image and its
/// transform never lie in different folds. Wide features are reduced to principal components, an eighth of N
/// but at least 8 and at most 128, half of both sets together and half of the differences between an image
/// and its transform, and to what is left of each row's length. Equal features give 1/2. No interval, with
/// the reason, of fewer than 5 groups or than folds.
Estimate transformed_accuracy(const at::Tensor& features, const at::Tensor& transformed,
                              const std::vector<std::int64_t>& groups, const MetricOptions& options);

/// The tests of one domain's symmetries: by 32x32 pixels and by the audit's extractor. Features of the images
/// themselves are computed once.
class EquivalenceTests {
 public:
  /// Held-out images and, up to `most` together, training images that are not among them.
  EquivalenceTests(AuditMaterial& material, const std::string& domain, std::int64_t most);

  std::int64_t size() const { return images_.size(); }
  /// Images of screen().
  std::int64_t screened() const;

  /// [{"extractor", "images", "groups", "accuracy": estimate}] on at most 128 held-out images; pixels first,
  /// and alone where they exclude it.
  Json screen(const Symmetry& phi);
  /// The same on `count` images, evenly over all.
  Json decide(const Symmetry& phi, std::int64_t count);

 private:
  struct Rows {
    at::Tensor values;
    std::vector<std::int64_t> places, groups;
  };
  Rows rows(std::int64_t count, std::int64_t of) const;
  Json tests(const Symmetry& phi, const Rows& rows);
  at::Tensor features_of(std::size_t extractor, const std::vector<std::int64_t>& places);

  AuditMaterial& material_;
  std::string domain_;
  std::int64_t held_out_ = 0;
  AuditImages images_;  // held-out ones first
  std::vector<std::shared_ptr<const FeatureExtractor>> extractors_;
  std::vector<std::map<std::int64_t, at::Tensor>> known_;  // by extractor: place -> [d]
};

/// What the tests of all extractors say together: excluded where one excludes, shown where each shows.
Equivalence equivalence_of_tests(const Json& tests, double threshold);
/// The test that decides or, of those that do not, the one with the highest accuracy.
const Json& telling_test(const Json& tests, double threshold);

}  // namespace torsor
