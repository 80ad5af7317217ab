// Several models that translate the same images: how far they agree, and one translation of all.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "infer/generator_runner.h"

namespace torsor {

/// What is delivered of several models' translations.
enum class EnsembleOutput { first, mean, median };

/// The option ensemble, and what its value means.
void add_ensemble(OptionSet& o, std::string& field);
/// Throws UsageError for another name.
EnsembleOutput ensemble_named(const std::string& name);
std::string ensemble_name(EnsembleOutput output);

/// Opens further models of the direction and the placement of `first`, whose generators have the hash
/// `first_hash`. Throws Error naming the file of one that cannot stand beside it (require_alike()), or that
/// has the same weights as another: such models agree whatever they do.
std::vector<GeneratorRunner> open_ensemble(const GeneratorRunner& first, const std::string& first_hash,
                                           const std::vector<std::filesystem::path>& models,
                                           const RunnerOptions& options);

/// Throws Error naming the file of `other` unless both translate in one direction, between the same channels
/// and scales.
void require_alike(const GeneratorRunner& first, const GeneratorRunner& other);

/// [M,...] of M models -> [...]. The median of an even number is the mean of the middle two.
at::Tensor combined(const at::Tensor& made, EnsembleOutput output);

/// [M,N,C,H,W] of M >= 2 models -> [N,H,W] float64: the standard deviation over the models (of M - 1), mean
/// over the channels, as a share of `span`, from black to white.
at::Tensor spread_of(const at::Tensor& made, double span);

/// A map [H,W] of spread_of() as 16 bits: 65535 is a standard deviation of 1, the whole range.
Image spread_picture(const at::Tensor& spread);

/// What spread_picture() stores for a standard deviation of 1.
constexpr int kSpreadWhite = 65535;

/// The sentence that goes with every spread.
inline constexpr const char* kSpreadSentence =
    "A low spread bounds no error: models that were trained alike can agree and be wrong together.";

}  // namespace torsor
