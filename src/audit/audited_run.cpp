#include "audit/audited_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "audit/audit_images.h"
#include "core/error.h"
#include "infer/generator_runner.h"
#include "interchange/weight_source.h"
#include "io/run_directory.h"
#include "model/cyclegan_settings.h"
#include "model/generator_hash.h"
#include "train/config.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kRunBatch = 8;  // images that pass through a network together

// In batches, so that memory does not grow with the number of images.
TensorMapping in_batches(TensorMapping map) {
  return [map = std::move(map)](const at::Tensor& x) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> out;
    for (const at::Tensor& batch : x.to(at::kFloat).split(kRunBatch)) out.push_back(map(batch));
    return at::cat(out);
  };
}

TensorMapping generator_of(const WeightSet& set, const Direction& direction, const Placement& placement) {
  if (find_translator(set.info.networks, direction) == nullptr) return {};
  RunnerOptions options;
  options.direction = direction.name();
  options.placement = placement;
  const auto runner = std::make_shared<const GeneratorRunner>(load_generator(set, direction.name()), options);
  return in_batches([runner](const at::Tensor& x) { return runner->translate(x); });
}

TensorMapping discriminator_of(const WeightSet& set, const std::string& domain, const Placement& placement) {
  if (find_discriminator(set.info, {domain}) == nullptr) return {};
  const std::shared_ptr<Network> network = load_discriminator(set, domain);
  set_placement(*network, placement);
  return in_batches([network, placement](const at::Tensor& x) {
    return network->forward(x.to(placement.device, placement.dtype)).to(at::kCPU, at::kFloat);
  });
}

// Those that compare translations alone stay, as distances of images do.
void leave_out_transport(CycleGanOptions& options, std::vector<std::string>& unmeasured) {
  TransportCostOptions& cost = options.transport;
  if (!cost.on() || cost.transport_cost == kPixelCost) return;
  cost.lambda_transport = 0;
  unmeasured.insert(unmeasured.end(), {"transport_a", "transport_b"});
}

// Of a CycleGAN that torsor trained; what other models minimise is no loss of two translators.
void set_terms(AuditedRun& run) {
  const ModelInfo& info = run.info;
  if (info.type != kDefaultModel || info.training.empty()) return;
  const TrainConfig config = config_from_json(info.training, "the model's training options");
  const auto* settings = dynamic_cast<const CycleGanSettings*>(&*config.model);
  if (settings == nullptr) return;
  CycleGanOptions options = settings->cyclegan;
  options.lambda_feature_cycle = options.lambda_feature_identity = 0;
  options.cures = {};
  leave_out_transport(options, run.unmeasured);
  std::string notice;
  run.terms = generator_terms(
      options, gan_loss(settings->gan.gan_mode),
      resolve_identity(options, info.domain("a").channels, info.domain("b").channels, notice));
  run.cycle_norm = options.cycle_norm;
}

std::string name_of(const fs::path& path) {
  const fs::path whole = fs::weakly_canonical(path);
  return (whole.filename().empty() ? whole.parent_path() : whole).filename().string();
}

// What has to be equal of two runs, in words; "" where all is.
std::string unlikeness(const AuditedRun& x, const AuditedRun& y) {
  for (const std::string domain : {"a", "b"}) {
    const DomainInfo &p = x.info.domain(domain), &q = y.info.domain(domain);
    if (p.channels != q.channels)
      return fmt::format("domain {} has {} channels in one and {} in the other", domain, p.channels,
                         q.channels);
    if (!p.name.empty() && !q.name.empty() && p.name != q.name)
      return fmt::format("domain {} is '{}' in one and '{}' in the other", domain, p.name, q.name);
  }
  for (const Direction& direction : {kAToB, kBToA})
    if (x.has(direction) != y.has(direction))
      return fmt::format("only one of them translates {}", direction.name());
  const Size p = output_size(audit_transform(x.info, "")), q = output_size(audit_transform(y.info, ""));
  if (!(p == q))
    return fmt::format("one was trained at {}x{} and the other at {}x{} pixels", p.width, p.height, q.width,
                       q.height);
  if (x.info.scaling() != y.info.scaling())
    return fmt::format("their images are scaled in two ways, {} and {}", x.info.scaling(), y.info.scaling());
  return "";
}

}  // namespace

const TensorMapping& AuditedRun::generator(const Direction& direction) const {
  return direction.from == "a" ? maps.a_to_b : maps.b_to_a;
}

AuditedRun open_audited_run(const fs::path& path, const Placement& placement) {
  return audited_run_of(open_weights(path), path, placement);
}

AuditedRun audited_run_of(const WeightSet& set, const fs::path& path, const Placement& placement) {
  AuditedRun out;
  out.name = name_of(path);
  out.source = set.source;
  out.hash = hash_of_generators(set);
  out.info = set.info;
  std::error_code ec;
  out.finished = !fs::is_directory(path, ec) || !fs::exists(RunDirectory(path).config(), ec) ||
                 fs::exists(RunDirectory(path).model(), ec);
  out.maps.a_to_b = generator_of(set, kAToB, placement);
  out.maps.b_to_a = generator_of(set, kBToA, placement);
  out.maps.d_a = discriminator_of(set, "a", placement);
  out.maps.d_b = discriminator_of(set, "b", placement);
  out.network = [set](const Direction& direction) { return load_generator(set, direction.name()); };
  if (!out.has(kAToB) && !out.has(kBToA))
    fail("{}: has no generator whose direction is known; import it with --direction", set.source);
  set_terms(out);
  out.anchors = set.info.anchors;
  return out;
}

std::vector<AuditedRun> open_audited_runs(const std::vector<std::string>& paths, const Placement& placement) {
  std::vector<AuditedRun> out;
  std::set<std::string> names;
  for (const std::string& path : paths) {
    AuditedRun run = open_audited_run(path, placement);
    for (const AuditedRun& other : out) {
      if (other.hash == run.hash)
        fail("{} and {}: have the same weights; an audit compares runs of several seeds", other.source,
             run.source);
      if (const std::string unlike = unlikeness(other, run); !unlike.empty())
        fail("{} and {}: cannot be audited together, since {}", other.source, run.source, unlike);
    }
    if (!names.insert(run.name).second) run.name = path;
    out.push_back(std::move(run));
  }
  return out;
}

}  // namespace torsor
