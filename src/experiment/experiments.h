// Every experiment that `torsor reproduce` knows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "experiment/reproduction.h"

namespace torsor {

/// In the order of the paper.
const std::vector<std::shared_ptr<const Experiment>>& experiments();

std::vector<std::string> experiment_ids();

/// Throws UsageError that suggests when there is none of that id.
const Experiment& experiment_named(const std::string& id);

/// One line an experiment, the id first: what it is, what it needs, what it takes.
std::string experiment_list();

// One file each.
std::shared_ptr<const Experiment> finite_invariance();    // S0-C1
std::shared_ptr<const Experiment> finite_torsor();        // S0-C2
std::shared_ptr<const Experiment> gaussian_torsor();      // S0-C2-gaussian
std::shared_ptr<const Experiment> push_forward_lemma();   // S0-C3
std::shared_ptr<const Experiment> perturbation_bound();   // S0-C4
std::shared_ptr<const Experiment> asymptotic_bound();     // S0-C5
std::shared_ptr<const Experiment> transfer();             // S0-C6
std::shared_ptr<const Experiment> atoms();                // S0-C7
std::shared_ptr<const Experiment> trained_atoms();        // S0-C7-trained
std::shared_ptr<const Experiment> injective_maps();       // S0-C8
std::shared_ptr<const Experiment> latent_rotations();     // S0-C9
std::shared_ptr<const Experiment> truncated_immersion();  // S0-C10
std::shared_ptr<const Experiment> style_encoders();       // S0-C11
std::shared_ptr<const Experiment> cures();                // S0-C11-trained
std::shared_ptr<const Experiment> mnist_to_mnist();       // S0-E1
std::shared_ptr<const Experiment> architecture_choice();  // S0-C13
std::shared_ptr<const Experiment> without_cycle();        // S4-C1
std::shared_ptr<const Experiment> t1_to_flair();          // S0-E2
std::shared_ptr<const Experiment> many_transports();      // S2-C1
std::shared_ptr<const Experiment> dynamic_cost();         // S2-Q4
std::shared_ptr<const Experiment> cycle_cost();           // S2-E1
std::shared_ptr<const Experiment> image_cost();           // S2-E1 on images
std::shared_ptr<const Experiment> cost_weight();          // S2-E2
std::shared_ptr<const Experiment> cost_cures();           // S2-E2 on images
std::shared_ptr<const Experiment> flow_generators();      // S2-E3
std::shared_ptr<const Experiment> flow_images();          // S2-E3 on images
std::shared_ptr<const Experiment> flow_inverse();         // S2-E4
std::shared_ptr<const Experiment> euler_facts();          // S2-C3
std::shared_ptr<const Experiment> unique_transport();     // S2-C2
std::shared_ptr<const Experiment> adversarial_cycle();    // S0-Q4
std::shared_ptr<const Experiment> six_losses();           // S1-C1
std::shared_ptr<const Experiment> baselines();            // S3-B1
std::shared_ptr<const Experiment> loss_ablation();        // S3-E1
std::shared_ptr<const Experiment> audit_battery();        // torsor's own

}  // namespace torsor
