// The types of model that torsor trains, by name.
#pragma once

#include <memory>
#include <string>

#include "core/registry.h"
#include "model/model_options.h"

namespace torsor {

struct ModelType {
  std::string help;  // one line
  std::unique_ptr<ModelOptions> (*make_options)();
};

/// --model's names; one line each in model_types.cpp.
const Registry<ModelType>& model_types();

inline constexpr const char* kDefaultModel = "cyclegan";

/// A model type with its options, as a value.
class ModelChoice {
 public:
  /// Throws UsageError, with the nearest name, when there is no such model.
  explicit ModelChoice(const std::string& name = kDefaultModel);
  ModelChoice(const ModelChoice& other);
  /// Options bound to this one stay bound when the other is of the same type.
  ModelChoice& operator=(const ModelChoice& other);

  /// Declares --model. Another name than this one's is refused: its options are other ones.
  void describe(OptionSet& o);

  const std::string& name() const { return name_; }
  ModelOptions& operator*() { return *options_; }
  const ModelOptions& operator*() const { return *options_; }
  ModelOptions* operator->() { return options_.get(); }
  const ModelOptions* operator->() const { return options_.get(); }

 private:
  std::string name_;
  std::unique_ptr<ModelOptions> options_;
};

/// The name of the model that a stored configuration or a config file is of; the default where it says none,
/// as those written before there were several. Throws UsageError naming `source` when it is no text.
std::string model_in(const Json& json, const std::string& source);

}  // namespace torsor
