// What a translation costs as transport (S2-Q3, S2-Q6), as an option of the models that penalise it.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"
#include "model/content_encoder.h"
#include "nn/network.h"

namespace torsor {

inline constexpr const char* kPixelCost = "pixel";
inline constexpr const char* kFeatureCost = "features";
inline constexpr const char* kBlockCost = "blocks";

struct TransportCostOptions {
  double lambda_transport = 0;
  std::string transport_cost = kPixelCost;
  std::string transport_encoder;  // a torsor classifier's file
  std::string transport_hash;     // of its weights, filled in by read_files()

  void describe(OptionSet& o);
  /// Fills in what follows from the file that is named. Throws Error naming the file.
  void read_files();
  /// Throws UsageError for an encoder without a cost of features, a cost of features without an encoder, and
  /// an encoder that a run did not begin with.
  void validate() const;

  bool on() const { return lambda_transport > 0; }
  bool by_features() const { return transport_cost == kFeatureCost; }
  bool by_blocks() const { return transport_cost == kBlockCost; }
  EncoderFile encoder_file() const { return {"--transport-encoder", transport_encoder, transport_hash}; }
  /// A line for people.
  std::string summary() const;
};

/// Throws UsageError where translations of this generator have no such cost, or one that cannot be learnt:
/// pixels of unequal channels, blocks that there are not, or whose residuals a norm scales to 1.
void require_transport_cost(const TransportCostOptions& cost, const GeneratorOptions& generator);

}  // namespace torsor
