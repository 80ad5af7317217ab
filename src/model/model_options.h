// The options of a model type, and all that follows from them: the only interface that training, estimates
// and the command line have to a model before it is built.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/pairing.h"
#include "model/model.h"
#include "model/network_info.h"
#include "model/placement.h"
#include "model/side_data.h"
#include "nn/init.h"

namespace torsor {

struct DomainChannels {
  std::int64_t a = 3, b = 3;
};

/// One size that a time budget may choose.
struct ModelSize {
  std::int64_t crop = 0, width = 0;  // --crop-size; --ngf and --ndf
  std::string net_g;
};

/// Epochs at the full learning rate and epochs of decay that a model is trained for by default.
struct Epochs {
  std::int64_t full = 100, decay = 100;
};

/// The options of one model type; ModelOptionsOf implements copying.
class ModelOptions {
 public:
  virtual ~ModelOptions() = default;
  virtual std::unique_ptr<ModelOptions> clone() const = 0;
  /// Assigns the values of another one's fields in place: options bound to the fields stay bound. Throws
  /// std::logic_error when the other is of another type.
  virtual void assign(const ModelOptions& other) = 0;

  virtual void describe_networks(OptionSet& o) = 0;
  virtual void describe_losses(OptionSet& o) = 0;

  /// Throws UsageError when options contradict each other or the channels.
  virtual void validate(const DomainChannels& channels) const = 0;

  /// All networks that it trains, in the order of Model::networks(). Throws UsageError for unusable options.
  virtual std::vector<NetworkInfo> networks(const DomainChannels& channels) const = 0;

  /// Builds the model; each network's weights come from (seed, "init." and its name). Throws UsageError.
  virtual std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                                      const Placement& placement, std::uint64_t seed) const = 0;

  virtual Pairing pairing() const { return Pairing::unpaired; }
  virtual SideData side_data() const { return {}; }

  /// Fills in what follows from the files that options name, before validate() and when a run begins; a
  /// continued run has it from its beginning. Throws Error naming the file.
  virtual void read_files() {}
  virtual Epochs epochs() const { return {}; }

  /// Warnings about these options for such images, one line each; `scaling` is TransformOptions::scaling.
  virtual std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const;

  /// A summary of the model in lines, printed before a run.
  virtual std::vector<std::string> summary(const DomainChannels& channels) const;

  /// Generated images of each domain in its history, for the estimate of memory.
  virtual std::int64_t images_kept() const { return 0; }
  /// The same model without a history, for a trial.
  virtual std::unique_ptr<ModelOptions> without_history() const { return clone(); }

  /// The options that a preset sets for this model; `json` has those that it sets for every model.
  virtual Json preset(const std::string& name, Json json) const;

  /// Sizes that a time budget chooses from, the largest first.
  virtual std::vector<ModelSize> sizes() const = 0;
};

/// 6 blocks up to 128 pixels and 9 above, the paper's rule (S3-Q1); for generators that are ResNets.
std::vector<ModelSize> resnet_sizes();

/// Implements copying for a derived struct: struct XSettings : ModelOptionsOf<XSettings>, of a `Base` with
/// what several have in common.
template <class Self, class Base = ModelOptions>
class ModelOptionsOf : public Base {
 public:
  std::unique_ptr<ModelOptions> clone() const override {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
  void assign(const ModelOptions& other) override {
    const auto* same = dynamic_cast<const Self*>(&other);
    if (same == nullptr) throw std::logic_error("options of two types of model");
    static_cast<Self&>(*this) = *same;
  }
};

/// A warning for a generator whose output cannot reach the values that the scaling puts above 1; else empty.
std::vector<std::string> reach_notice(const GeneratorOptions& generator, const std::string& scaling);

/// Options of the networks that a model of one generator architecture and one discriminator architecture has.
struct NetworkChoice {
  GeneratorOptions generator;
  DiscriminatorOptions discriminator;
  std::string norm_d = "same";
  InitOptions init;

  void describe(OptionSet& o);
  /// Throws UsageError for a generator that cannot be trained.
  void validate() const;
  /// With the channels filled in.
  GeneratorOptions generator_of(std::int64_t in, std::int64_t out) const;
  DiscriminatorOptions discriminator_of(std::int64_t channels) const;
  /// `json` with what unpaired models of these networks have in the preset "laptop".
  Json laptop_preset(Json json) const;
};

}  // namespace torsor
