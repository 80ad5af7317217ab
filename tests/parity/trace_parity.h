// A recorded training of the reference, step by step: options.json, inputs.npz, losses.json, init_net_*.pth,
// final_net_*.pth, and, where there, step<k>_net_*.pth and what the model's counterpart knows.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/text.h"
#include "io/npz.h"
#include "io/pth.h"
#include "nn/state_dict.h"
#include "parity/counterparts.h"
#include "parity/outcome.h"

namespace torsor::parity {

namespace fs = std::filesystem;

inline constexpr double kLaterStepTolerance =
    5e-2;  // float32: the reference's own drift between versions is 2e-2

/// The biases of convolutions right in front of an instance norm, by key: it takes them away again, so that
/// their gradient is zero and what they hold is rounding noise.
inline std::set<std::string> noise_biases(const torch::nn::Module& network) {
  std::set<std::string> keys;
  for (const auto& item : network.named_modules()) {
    const auto* list = dynamic_cast<const LayerList*>(item.value().get());
    if (list == nullptr) continue;
    for (std::size_t i = 0; i + 1 < list->layers().size(); ++i)
      if (dynamic_cast<const InstanceNorm*>(list->layers()[i + 1].get()) != nullptr)
        keys.insert(fmt::format("{}.{}.bias", item.key(), i));
  }
  return keys;
}

class Trace : public BatchSource {
 public:
  explicit Trace(const fs::path& folder, const Way& way = {})
      : folder_(folder),
        way_(way),
        counterpart_(make_counterpart(folder)),
        options_(counterpart_->options()),
        losses_(read_json(folder / "losses.json")),
        inputs_(read_npz(folder / "inputs.npz")) {
    check_files();
    check_inputs();
  }

  void run(Outcome& outcome) {
    const auto model = counterpart_->make(way_, placement());
    for (const auto& [theirs, ours] : counterpart_->network_names())
      load(*network_of(*model, ours), "init", theirs);

    Comparison comparison(outcome);
    counterpart_->compare_start(*model, batch_of(0), comparison);
    RngStreams rng(0);
    GradientSync sync;
    StepContext context{*this, rng, sync};
    for (std::size_t step = 0; step < losses_.size(); ++step) {
      for (Optimizer* optimizer : model->optimizers()) optimizer->set_lr_factor(lr_factor(step));
      compare_losses(model->step(context), step, comparison);
      if (step == 0 && !options_.strict() && outcome.note.empty())
        outcome.note = fmt::format("first step {:.1e}", outcome.worst);
      const std::string stage = fmt::format("step{}", step + 1);
      if (stages_.contains(stage)) compare_weights(*model, stage, comparison);
    }
    compare_weights(*model, "final", comparison);
    counterpart_->check_all_used();
  }

  Batch next() override { return batch_of(position_++); }

 private:
  Batch batch_of(std::int64_t step) const { return counterpart_->batch(input("A")[step], input("B")[step]); }

  // Nothing in the folder is left out: each file is one that is read.
  void check_files() {
    std::set<std::string> known = counterpart_->files();
    known.insert({"options.json", "losses.json", "inputs.npz"});
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      const auto net = name.find("_net_");
      const std::string extension = entry.path().extension().string();
      if (known.contains(name) || extension == ".md" || extension == ".txt" || name.starts_with('.'))
        continue;
      const bool weights = net != std::string::npos && extension == ".pth" &&
                           is_network(entry.path().stem().string().substr(net + 5));
      if (!weights || !is_stage(name.substr(0, net)))
        fail("{}: a recorded training has no such file", entry.path().string());
      stages_.insert(name.substr(0, net));
    }
  }

  bool is_network(const std::string& theirs) const { return has(counterpart_->network_names(), theirs); }

  static bool has(const Names& names, const std::string& theirs) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return name.first == theirs; });
  }

  bool is_stage(const std::string& stage) const {
    if (stage == "init" || stage == "final") return true;
    for (std::size_t step = 1; step <= losses_.size(); ++step)
      if (stage == fmt::format("step{}", step)) return true;
    return false;
  }

  void check_inputs() const {
    if (!losses_.is_array() || losses_.empty())
      fail("{}: is not a list of steps", (folder_ / "losses.json").string());
    const auto steps = static_cast<std::int64_t>(losses_.size());
    if (options_.steps.value_or(steps) != steps)
      fail("{}: options.json says {} steps, losses.json has {}", folder_.string(), *options_.steps, steps);
    for (const std::string name : {"A", "B"}) {
      const at::Tensor x = input(name);
      const std::int64_t channels =
          (name == "A") != options_.swapped() ? options_.input_nc : options_.output_nc;
      if (x.dim() != 5 || x.size(0) != steps || x.size(1) != options_.batch_size || x.size(2) != channels)
        fail("{}: inputs.npz: {} must be [{} steps, {} images, {} channels, height, width]", folder_.string(),
             name, steps, options_.batch_size, channels);
    }
  }

  Placement placement() const {
    Placement out;
    out.dtype = options_.scalar_type();
    out.engine = way_.engine;
    return out;
  }

  at::Tensor input(const std::string& name) const {
    const at::Tensor found = find_tensor(inputs_, name);
    if (!found.defined()) fail("{}: inputs.npz has no {}", folder_.string(), name);
    return found;
  }

  // A step may have its own rate recorded beside its losses.
  double lr_factor(std::size_t step) const {
    return losses_[step].contains("lr") ? losses_[step]["lr"].get<double>() / options_.lr
                                        : options_.lr_factor();
  }

  void load(Network& target, const std::string& stage, const std::string& theirs) const {
    const fs::path path = folder_ / fmt::format("{}_net_{}.pth", stage, theirs);
    load_state_dict(target, read_pth(path), path.string());
  }

  // float32: relative to the loss's own size in the recording, since a loss may pass through zero.
  double scale(const std::string& theirs, std::size_t step) const {
    if (options_.strict()) return std::max(1.0, std::abs(losses_[step].at(theirs).get<double>()));
    double largest = 1e-30;
    for (const Json& losses : losses_) largest = std::max(largest, std::abs(losses.at(theirs).get<double>()));
    return largest;
  }

  void compare_losses(const StepReport& report, std::size_t step, Comparison& comparison) const {
    const Json& reference = losses_[step];
    for (const auto& [name, value] : reference.items())
      if (name != "lr" && !has(counterpart_->loss_names(), name))
        fail("{}: losses.json: step {} has an unknown loss {}", folder_.string(), step + 1, name);
    const double allowed = options_.strict() ? kStrictTolerance
                           : step == 0       ? kFirstStepTolerance
                                             : kLaterStepTolerance;
    for (const auto& [theirs, ours] : counterpart_->loss_names()) {
      if (!reference.contains(theirs))
        fail("{}: losses.json: step {} has no {}", folder_.string(), step + 1, theirs);
      const double got = report.loss(ours), expected = reference[theirs].get<double>();
      comparison.note(fmt::format("loss {} of step {}: {:.10g}, the reference's {:.10g}", theirs, step + 1,
                                  got, expected),
                      std::abs(got - expected) / scale(theirs, step), allowed);
    }
  }

  // In float32 Adam's first steps make +-lr steps of rounding noise: only the counters can be compared.
  void compare_weights(const Model& model, const std::string& stage, Comparison& comparison) const {
    for (const auto& [theirs, ours] : counterpart_->network_names()) {
      const auto recorded = counterpart_->network(ours);
      Network& reference = *recorded;
      reference.to(options_.scalar_type());
      load(reference, stage, theirs);
      const auto live = network_of(model, ours);
      const auto got = state_dict(*live), expected = state_dict(reference);
      std::set<std::string> noise = noise_biases(*live);
      for (const std::string& key : counterpart_->learnt_biases(ours)) noise.erase(key);
      for (std::size_t i = 0; i < got.size(); ++i) {
        const bool comparable = options_.strict() || !got[i].second.is_floating_point();
        if (comparable && !noise.contains(got[i].first))
          comparison.elements(fmt::format("{} {} {}", stage, theirs, got[i].first), got[i].second.detach(),
                              expected[i].second.detach(), kStrictTolerance);
      }
    }
  }

  fs::path folder_;
  Way way_;
  std::unique_ptr<Counterpart> counterpart_;
  const ReferenceOptions& options_;  // the counterpart's
  Json losses_;
  TensorMap inputs_;
  std::set<std::string> stages_;
  std::int64_t position_ = 0;
};

inline Outcome run_trace(const std::string& name, const fs::path& folder) {
  return outcome_of(name, [&](Outcome& outcome) {
    for (const Way& way : make_counterpart(folder)->ways()) Trace(folder, way).run(outcome);
  });
}

}  // namespace torsor::parity
