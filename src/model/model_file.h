// The self-describing model file: weights of all networks, and everything needed to use them again.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "data/tensor_image.h"
#include "data/transform.h"
#include "io/archive.h"
#include "model/network_info.h"

namespace torsor {

struct DomainInfo {
  std::string name;
  std::int64_t channels = 3;
  ValueRange range = {};  // of stored samples; of percentile_95 the mean over the training images
  Json fingerprint = {};  // make_fingerprints() of the training images; null when nobody saw them
};

/// The description of a model in its file.
struct ModelInfo {
  std::string type = "cyclegan";
  std::vector<NetworkInfo> networks;
  std::map<std::string, DomainInfo> domains = {{"a", {}}, {"b", {}}};  // by key
  Json preprocessing = Json::object();                                 // TransformOptions of the training
  Json training = Json::object();                                      // the run's resolved options
  Json environment = Json::object();  // describe_environment() of the training
  std::int64_t step = 0;
  std::string note, licence;  // the user's, "" = none
  Json calibration = {};      // by direction: what translations of held-out images measure; null = none
  /// content_key() of the files of both domains that anchored its training, or one that it began from,
  /// sorted.
  std::vector<std::string> anchors;

  /// TransformOptions::scaling of the training; "white" where nothing is said.
  std::string scaling() const;
  /// Throws Error naming the key when there is no such domain.
  const DomainInfo& domain(const std::string& key) const;
  Json to_json() const;
  /// Throws Error naming `source` when something is missing or of a newer format.
  static ModelInfo from_json(const Json& json, const std::string& source, int format);
};

/// The options --note and --licence.
void add_note_and_licence(OptionSet& o, std::string& note, std::string& licence);

/// Format 2 added the environment and the header's checksum, 3 moved the value range to the domains, 4 stores
/// the domains of each network and allows any number of both. All are read.
constexpr int kModelFormat = 4;

/// Metadata that makes an archive a model file (checkpoints carry it too).
std::map<std::string, std::string> model_metadata(const ModelInfo& info);

/// The description in a file's metadata. Throws Error naming `source` when it is not a torsor model or has a
/// format that this version cannot read.
ModelInfo read_model_info(const std::map<std::string, std::string>& metadata, const std::string& source);

/// Networks with their weights, wherever they came from.
struct WeightSet {
  std::string source;                        // path, for messages
  std::string what;                          // "torsor model", "torsor checkpoint", "reference weights"
  ModelInfo info;                            // lists the networks
  std::map<std::string, TensorMap> weights;  // by network name, then by state-dict key
  std::map<std::string, TensorMap>
      averaged;                    // of networks with a moving average; it is what they are used with
  std::vector<std::string> notes;  // what was inferred or had to be assumed
};

/// The weights that a network of the set is used with: the average where there is one, else those of the last
/// step.
const TensorMap& used_weights(const WeightSet& set, const std::string& network);

/// A model file or checkpoint of torsor. Throws Error naming the file.
WeightSet read_weights(const std::filesystem::path& path);

/// Writes the set as a model file. Throws Error.
void write_weights(const std::filesystem::path& path, const WeightSet& set);

/// The discriminator of these domains' images alone, and of no class, by what the file says of its networks,
/// not by their names; null when there is none.
const NetworkInfo* find_discriminator(const ModelInfo& info, const std::vector<std::string>& sees);

/// The generator of this direction, "a_to_b", or the flow of the opposite one (find_translator()); ""
/// stands for that, or for the only one there is. Throws Error naming the source, or UsageError for a
/// direction that it does not have.
const NetworkInfo& generator_for(const WeightSet& set, const std::string& direction);

/// A generator ready to run.
struct LoadedGenerator {
  std::shared_ptr<Generator> generator;  // on the CPU, float32, evaluation mode
  GeneratorOptions options;
  Direction direction;
  std::string source;  // path, for messages; "" when it is from no file
  ModelInfo info;
  std::vector<std::string> notes;  // what was inferred or had to be assumed
};

/// generator_for(), built and filled; a flow of the opposite direction as its inverse. Throws as that does, and Error when the weights are for another
/// network.
LoadedGenerator load_generator(const WeightSet& set, const std::string& direction);

/// The domain that it translates to; of an unknown direction b.
const DomainInfo& target_of(const LoadedGenerator& generator);

/// The discriminator of this domain alone, "a" or "b"; on the CPU, float32, evaluation mode. Throws Error
/// naming the source when it has none, or weights for another network.
std::shared_ptr<Network> load_discriminator(const WeightSet& set, const std::string& domain);

/// One of the set's networks, of either kind; on the CPU, float32, evaluation mode. Throws Error naming the
/// source when the weights are for another network.
std::shared_ptr<Network> load_network(const WeightSet& set, const NetworkInfo& network);

}  // namespace torsor
