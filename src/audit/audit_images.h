// The images that an audit looks at, as the networks see them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/stop.h"
#include "data/data_source.h"
#include "data/image_set.h"
#include "data/tensor_image.h"
#include "data/transform.h"
#include "metric/feature_extractor.h"
#include "metric/groups.h"
#include "model/model_file.h"

namespace torsor {

/// Images of one domain, all of one size.
struct AuditImages {
  std::string domain;                // "a" or "b"
  std::filesystem::path folder;      // "" where they are from no folder
  at::Tensor values;                 // [N,C,H,W] float32, in the range of the model's scaling
  std::vector<ValueRange> ranges;    // N: what turns an image's values into samples again
  std::vector<std::string> names;    // N, relative to the folder
  std::vector<std::string> keys;     // N: content_key() of the files
  std::vector<std::int64_t> groups;  // N: 0 ... , images of one are not independent

  std::int64_t size() const { return values.defined() ? values.size(0) : 0; }
  /// The first `count` of them, or all.
  AuditImages first(std::int64_t count) const;
  AuditImages at(const std::vector<std::int64_t>& places) const;
};

/// How images are read.
struct AuditReading {
  DomainInfo info;             // channels and range
  TransformOptions transform;  // without anything random, to one size; see audit_transform()
  std::string groups;          // pattern; "" = every image on its own
};

/// The transform of a model's training without its random parts: images whole, at the size of its crops or,
/// where `resize` is given (SIDE or WIDTHxHEIGHT), at that. Throws UsageError for a resize that is none.
TransformOptions audit_transform(const ModelInfo& info, const std::string& resize);

/// The images below a folder, each looked at. Throws Error naming the folder or file: missing, empty,
/// unreadable.
std::shared_ptr<ImageSet> open_audit_folder(const std::filesystem::path& folder, std::int64_t limit,
                                            LogSink& log);

/// Reads the images of a set. Throws Error naming the file for one of another size than the first where
/// nothing resizes them.
AuditImages read_audit_images(const std::string& domain, std::shared_ptr<const ImageSet> set,
                              const AuditReading& reading, const std::shared_ptr<LogSink>& log);

/// Held-out images of both domains.
struct AuditSets {
  std::shared_ptr<ImageSet> a, b;
};

/// What --data of a training names.
struct RunData {
  std::string data;
  std::int64_t max_images = 0;  // of a domain; 0: all
};
/// What that run's own --data opens, at this size in pixels; drawn images are those of its seed.
DataRequest run_data_request(const RunData& data, const ModelInfo& info, std::int64_t size,
                             const std::shared_ptr<LogSink>& log);

/// The test images of both domains. Throws Error naming `data`, which the source was opened for, when it has
/// none of one.
AuditSets open_test_sets(DataSource& source, const std::string& data);

/// Throws Error naming both folders for images of different sizes.
void require_one_size(const AuditImages& a, const AuditImages& b);

/// Images of two sets that belong together by name: image i of one to image i of the other, with the same
/// groups.
struct AuditPairs {
  AuditImages a, b;
  std::int64_t size() const { return a.size(); }
};
/// Throws as read_audit_images() and keep_partners() do.
AuditPairs read_audit_pairs(std::shared_ptr<ImageSet> set_a, std::shared_ptr<ImageSet> set_b,
                            const AuditReading& a, const AuditReading& b,
                            const std::shared_ptr<LogSink>& log);

/// What an extractor sees of images [N,C,H,W] of this range: [N,width] float64. Throws StoppedError.
at::Tensor features_of(const FeatureExtractor& extractor, const at::Tensor& values, const ValueRange& range,
                       const StopFlag& stop);

/// An image as 8 bits, for extractors and pages: [C,H,W] -> u8, 1 or 3 channels (of others the first).
Image preview_of(const at::Tensor& values, const ValueRange& range);

}  // namespace torsor
