// What turns cures on in tests of the models.
#pragma once

#include <filesystem>

#include "model/classifier.h"
#include "model/model_test_support.h"

namespace torsor::testing {

inline void anchor(CureOptions& cures) { cures.anchors_a = cures.anchors_b = "pairs"; }

inline void see_classes(CycleGanSpec& spec) {
  CureOptions& cures = spec.cyclegan.cures;
  cures.labels_a = cures.labels_b = "labels.csv";
  cures.label_classes = R"(["disc","ring"])";
  for (DiscriminatorOptions* d : {&spec.d_a, &spec.d_b}) d->in_channels += NoiseBatches::kClasses;
}

/// A classifier's file with random weights.
inline std::filesystem::path write_classifier(const TestFolder& folder, std::int64_t channels,
                                              std::uint64_t seed = 3) {
  ClassifierOptions options;
  options.in_channels = channels;
  options.side = 8;
  options.width = 2;
  Classifier model(options, {}, {}, seed);
  Archive archive;
  model.save(archive);
  archive.write(folder / "classifier.safetensors", {{"options", options_to_json(options).dump()}});
  return folder / "classifier.safetensors";
}

inline void encode(CycleGanSpec& spec, const std::filesystem::path& classifier) {
  spec.encoder = std::make_shared<ContentEncoder>(classifier);
  spec.cyclegan.cures.content_encoder = classifier.string();
  spec.cyclegan.cures.content_hash = spec.encoder->hash();
}

}  // namespace torsor::testing
