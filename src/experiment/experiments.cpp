#include "experiment/experiments.h"

#include "core/error.h"
#include "core/text.h"

namespace torsor {

const std::vector<std::shared_ptr<const Experiment>>& experiments() {
  static const std::vector<std::shared_ptr<const Experiment>> all = {finite_invariance(),
                                                                     finite_torsor(),
                                                                     gaussian_torsor(),
                                                                     push_forward_lemma(),
                                                                     perturbation_bound(),
                                                                     asymptotic_bound(),
                                                                     transfer(),
                                                                     atoms(),
                                                                     trained_atoms(),
                                                                     injective_maps(),
                                                                     latent_rotations(),
                                                                     truncated_immersion(),
                                                                     style_encoders(),
                                                                     cures(),
                                                                     mnist_to_mnist(),
                                                                     t1_to_flair(),
                                                                     architecture_choice(),
                                                                     adversarial_cycle(),
                                                                     six_losses(),
                                                                     without_cycle(),
                                                                     many_transports(),
                                                                     dynamic_cost(),
                                                                     cycle_cost(),
                                                                     image_cost(),
                                                                     cost_weight(),
                                                                     cost_cures(),
                                                                     flow_generators(),
                                                                     flow_images(),
                                                                     flow_inverse(),
                                                                     euler_facts(),
                                                                     unique_transport(),
                                                                     baselines(),
                                                                     loss_ablation(),
                                                                     audit_battery()};
  return all;
}

std::vector<std::string> experiment_ids() {
  std::vector<std::string> ids;
  for (const auto& experiment : experiments()) ids.push_back(experiment->info().id);
  return ids;
}

const Experiment& experiment_named(const std::string& id) {
  for (const auto& experiment : experiments())
    if (experiment->info().id == id) return *experiment;
  const std::vector<std::string> ids = experiment_ids();
  fail_usage("unknown experiment '{}'{} (one of {})", id, did_you_mean(id, ids), join(ids));
}

std::string experiment_list() {
  std::string text;
  for (const auto& experiment : experiments()) {
    const ExperimentInfo& info = experiment->info();
    text += fmt::format("{:<15} {}; needs {}; takes {} (smoke), {} (quick), {} (full)\n", info.id, info.title,
                        info.data.empty() ? "nothing" : "nothing, takes " + info.data, info.takes[0],
                        info.takes[1], info.takes[2]);
  }
  return text;
}

}  // namespace torsor
