// Gathers what the alarms look at from a training.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "alarm/evidence.h"
#include "model/model_in_use.h"
#include "train/session.h"

namespace torsor {

/// Translates the same eight training images of each domain at every look, in evaluation mode and with the
/// averaged weights where the model keeps some; four of them also there and back. Draws no random numbers of
/// the run (crops and noise have streams of their own) and leaves networks and optimisers as they are.
class EvidenceGatherer {
 public:
  /// The session must outlive it.
  explicit EvidenceGatherer(TrainSession& session);

  /// Of each direction that the model has. The images are read at the first call; throws what reading does.
  std::vector<DirectedEvidence> gather();

 private:
  /// A domain's images as the networks see them.
  struct Domain {
    std::vector<at::Tensor> images;  // [C,H,W]
    std::vector<at::Tensor> labels;  // whole numbers, undefined where there are no classes
    double black = -1;               // what black is in them; white is 1

    at::Tensor to_unit(const at::Tensor& values) const { return (values - black) / (1 - black); }
    at::Tensor from_unit(const at::Tensor& unit) const { return unit * (1 - black) + black; }
    UnitImages unit_images() const;
  };

  void read_images();
  Evidence evidence(const ModelInUse& model, const NetworkInfo& generator) const;
  RoundTrip round_trip(const ModelInUse& model, const NetworkInfo& back, const Direction& direction,
                       const std::vector<at::Tensor>& outputs) const;
  std::optional<double> discriminator_share(const ModelInUse& model, const Direction& direction,
                                            const std::vector<at::Tensor>& outputs) const;

  TrainSession& session_;
  Placement placement_;
  std::vector<NetworkInfo> networks_;
  std::map<std::string, Domain> domains_;  // by key; empty before the first look
};

}  // namespace torsor
