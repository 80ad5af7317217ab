// What an audit is asked to look at, and how that is opened.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/audit_options.h"
#include "core/log.h"
#include "model/placement.h"

namespace torsor {

/// Where the images and runs are; what may be "" is optional.
struct AuditRequest {
  std::vector<std::string> runs;  // whatever open_weights() takes; the first is judged
  /// What --data of a training names: its test images are the held-out ones and its test pairs, where it has
  /// some, evidence. "": `a` and `b` are given.
  std::string data = {};
  bool data_pairs = true;                    // whether its test pairs are used
  std::filesystem::path a, b;                // held-out images
  std::filesystem::path pairs_a, pairs_b;    // pairs by name that training never saw
  std::filesystem::path labels_a, labels_b;  // tables "name,label"
  std::filesystem::path classifier;          // or a classifier of torsor's
  std::filesystem::path train_a, train_b;    // training images; "" = those that the run remembers, if there
  std::filesystem::path rival;               // folder for the strongest rival as a model, see write_rival()
  std::filesystem::path out;
  PlacementOptions placement = {};
};

/// Opens runs, images, pairs, labels and the feature extractor. Throws Error naming what cannot be read,
/// UsageError for options that do not go together.
AuditInputs open_audit(const AuditRequest& request, const AuditOptions& options,
                       const std::shared_ptr<LogSink>& log);

}  // namespace torsor
