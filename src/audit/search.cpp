#include "audit/search.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "audit/image_distances.h"
#include "audit/training_watch.h"
#include "core/error.h"
#include "io/archive.h"
#include "io/checksum.h"
#include "io/run_directory.h"
#include "train/observers.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kSearchWidth = 16, kCriticWidth = 32, kMostCriticLayers = 3;
constexpr double kSearchRate = 1e-3;  // a few thousand steps have to do
constexpr std::int64_t kUnrelatedImages = 500, kSearchPartners = 4;
constexpr double kSecondsBetweenCheckpoints = 60;
const std::string kOptionsKey = "search.options", kMadeOfKey = "search.made_of";

// Without norms, which hide what an image's brightness and colour are, and with one halving of the sides, so
// that what stays as it is stays sharp.
GeneratorOptions search_network(const std::string& net, std::int64_t channels) {
  GeneratorOptions out;
  out.net_g = net;
  out.in_channels = out.out_channels = channels;
  out.ngf = kSearchWidth;
  out.norm = "none";
  out.output_activation = "linear";
  out.n_downsampling = 1;
  return out;
}

/// Audited images as the trainer's loader takes them.
class SearchImages : public Dataset {
 public:
  explicit SearchImages(const AuditImages& images) : images_(images) {}
  std::int64_t size() const override { return images_.size(); }
  Batch get(std::int64_t index, Rng&) const override {
    Batch out;
    out.tensors["real_a"] = images_.values[index];
    out.names["real_a"] = {images_.names[static_cast<std::size_t>(index)]};
    return out;
  }

 private:
  const AuditImages& images_;  // outlive the training
};

// With a file of the search: what has to be equal for it to be this one.
std::map<std::string, std::string> search_metadata(const SearchPlan& plan, const AuditImages& images) {
  Checksum sum;
  for (const std::string& key : images.keys) sum.update(key.data(), key.size());
  const Json made_of = {{"images", sum.hex()},
                        {"steps", plan.steps},
                        {"batch_size", plan.batch_size},
                        {"seed", std::to_string(plan.seed)}};
  return {{kOptionsKey, options_to_json(plan.options).dump()}, {kMadeOfKey, made_of.dump()}};
}

void require_same_search(const Archive& archive, const std::map<std::string, std::string>& wanted,
                         const fs::path& folder) {
  for (const auto& [key, value] : wanted) {
    const auto found = archive.metadata().find(key);
    if (found == archive.metadata().end() || found->second != value)
      fail("{}: holds a search with other images or settings; give another --out, or remove that folder",
           folder.string());
  }
}

Automorphism search_maps(const std::shared_ptr<const AutomorphismSearch>& model) {
  return {[model](const at::Tensor& x) { return model->map(x); },
          [model](const at::Tensor& x) { return model->inverse(x); }};
}

// The newest checkpoint that can be read; nothing where there is none.
std::optional<Archive> newest_search(const RunDirectory& run, LogSink& log) {
  const auto there = run.list_checkpoints();
  for (auto at = there.rbegin(); at != there.rend(); ++at) {
    try {
      return Archive::read(at->path);
    } catch (const Error& error) {
      log.warning(fmt::format("search: passed over a checkpoint: {}", error.what()));
    }
  }
  return std::nullopt;
}

// Each step counts as an epoch of the schedule, whose rate is constant.
ScheduleOptions search_schedule(std::int64_t steps) {
  ScheduleOptions out;
  out.epochs = steps;
  out.epochs_decay = 0;
  out.lr_policy = "constant";
  return out;
}

void run_search(AutomorphismSearch& model, const SearchPlan& plan, const AuditImages& images,
                const fs::path& folder, LogSink& log, const StopFlag& stop) {
  const std::map<std::string, std::string> metadata = search_metadata(plan, images);
  const RunDirectory run(folder);
  run.make();
  std::string warning;
  const RunLock lock(run, warning);
  if (!warning.empty()) log.warning(warning);
  run.remove_leftovers();
  const std::optional<Archive> begun = newest_search(run, log);
  TrainState state(plan.seed);
  if (begun) {
    require_same_search(*begun, metadata, folder);
    state.load(*begun);
  }
  state.epochs = state.total_steps = plan.steps;
  Loader loader(std::make_shared<SearchImages>(images), LoaderOptions{plan.batch_size, 0, true, plan.seed, 0},
                state.loader);
  Trainer trainer(model, loader, Schedule(search_schedule(plan.steps)), std::move(state));
  if (begun) trainer.load(*begun);
  trainer.add(std::make_unique<TrainingWatch>(log, "search: steps"));
  trainer.set_checkpointer(std::make_unique<Checkpointer>(run, Cadence{0, kSecondsBetweenCheckpoints},
                                                          Retention{1, 0}, [&](const fs::path& path) {
                                                            Archive archive;
                                                            trainer.save(archive);
                                                            archive.write(path, metadata);
                                                          }));
  trainer.run(stop);
  check_stop(stop);
}

}  // namespace

SearchPlan search_plan(const AuditImages& images, const std::string& net, std::int64_t steps,
                       std::uint64_t seed) {
  SearchPlan out;
  out.steps = steps;
  out.seed = seed;
  SearchOptions& o = out.options;
  o.net = search_network(net, images.values.size(1));
  o.critic.net_d = "n_layers";
  o.critic.ndf = kCriticWidth;
  o.critic.n_layers_d = kMostCriticLayers;
  const std::int64_t side = std::min(images.values.size(2), images.values.size(3));
  while (o.critic.n_layers_d > 1 && size_rule_of(o.critic).minimum > side) --o.critic.n_layers_d;
  if (size_rule_of(o.critic).minimum > side) o.critic.net_d = "pixel";
  o.optimizer.lr = kSearchRate;
  o.low = images.values.min().item<double>();
  o.high = images.values.max().item<double>();
  Rng rng(derive_seed(seed, "unrelated"));
  const AuditImages some = images.first(kUnrelatedImages);
  // Rounded, so that a search goes on where another number of threads gives other last bits.
  const double unrelated = unrelated_distances(coarse(some.values), some.groups, kSearchPartners, rng).whole;
  o.unrelated = std::stod(fmt::format("{:.5g}", unrelated));
  if (!(o.unrelated > 0))
    fail("{}: all images are equal; there is nothing to search", images.folder.string());
  return out;
}

std::string search_net_unfit(const std::string& net, const at::Tensor& images) {
  const SizeRule rule = size_rule_of(search_network(net, images.size(1)));
  const std::int64_t height = images.size(2), width = images.size(3);
  if (height % rule.multiple == 0 && width % rule.multiple == 0 && std::min(height, width) >= rule.minimum)
    return "";
  return fmt::format(
      "--search-net {} takes images whose sides are multiples of {}, at least {}; these are {}x{}: give "
      "another --search-net, or --resize",
      net, rule.multiple, rule.minimum, width, height);
}

Automorphism train_search(const SearchPlan& plan, const AuditImages& images, const fs::path& folder,
                          const Placement& placement, LogSink& log, const StopFlag& stop) {
  const fs::path file = search_file(folder);
  std::error_code ec;
  if (fs::exists(file, ec)) {
    require_same_search(Archive::read(file), search_metadata(plan, images), folder);
    return open_search(file, placement);
  }
  const auto model = std::make_shared<AutomorphismSearch>(plan.options, placement, plan.seed);
  run_search(*model, plan, images, folder, log, stop);
  Archive archive;
  model->save(archive);
  archive.write(file, search_metadata(plan, images));
  return search_maps(model);
}

fs::path search_file(const fs::path& folder) { return folder / "search.safetensors"; }

Automorphism open_search(const fs::path& file, const Placement& placement) {
  const Archive archive = Archive::read(file);
  const auto stored = archive.metadata().find(kOptionsKey);
  if (stored == archive.metadata().end())
    fail("{}: is no result of a search for automorphisms", file.string());
  const auto options =
      options_from_json<SearchOptions>(parse_json(stored->second, file.string()), file.string());
  const auto model = std::make_shared<AutomorphismSearch>(options, placement, /*seed=*/0);
  model->load(archive);
  return search_maps(model);
}

}  // namespace torsor
