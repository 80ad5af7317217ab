// The search for an automorphism of a domain: what is trained, resumed where it stopped, and kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "audit/audit_images.h"
#include "audit/search_model.h"
#include "core/log.h"
#include "core/stop.h"
#include "theory/translators.h"

namespace torsor {

/// A search: all that its result follows from.
struct SearchPlan {
  SearchOptions options;
  std::int64_t steps = 0, batch_size = 4;
  std::uint64_t seed = 0;
};

/// For images of this kind: a network of the name `net`, 16 filters wide and without norms; a critic of as
/// many strided layers as their size allows, at most three. Their unrelated distance is measured on at most
/// 500 of them.
SearchPlan search_plan(const AuditImages& images, const std::string& net, std::int64_t steps,
                       std::uint64_t seed);

/// Why such a network cannot map images of this size, or "".
std::string search_net_unfit(const std::string& net, const at::Tensor& images);

/// Trains it in `folder`, or goes on from its checkpoint there; where it is finished it is read. Returns the
/// map and its inverse, [N,C,H,W] float32 in the networks' range to the same. Throws StoppedError,
/// DivergedError, and Error where the folder holds a search of other images or settings.
Automorphism train_search(const SearchPlan& plan, const AuditImages& images,
                          const std::filesystem::path& folder, const Placement& placement, LogSink& log,
                          const StopFlag& stop);

/// What a finished search keeps in its folder.
std::filesystem::path search_file(const std::filesystem::path& folder);

/// The maps in such a file. Throws Error naming it.
Automorphism open_search(const std::filesystem::path& file, const Placement& placement);

}  // namespace torsor
