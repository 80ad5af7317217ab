// The options.json of a recorded training: the reference's own option names, each of them honoured. One that
// is not known is an error, since what it does to the training would be missing here.
#pragma once

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "core/json.h"
#include "core/options.h"
#include "model/optimizer.h"
#include "nn/init.h"
#include "nn/network.h"

namespace torsor::parity {

/// What recorded trainings of all models have in common. Names and defaults as in the reference, a model's
/// own where they differ; steps and dtype are the recording's own.
struct ReferenceOptions {
  virtual ~ReferenceOptions() = default;

  std::string model = "cycle_gan";
  std::string net_g = "resnet_9blocks", net_d = "basic", norm = "instance", init_type = "normal";
  std::int64_t ngf = 64, ndf = 64, n_layers_d = 3, input_nc = 3, output_nc = 3;
  bool no_dropout = true;
  double init_gain = 0.02;
  std::string gan_mode = "lsgan";
  std::int64_t pool_size = 50, batch_size = 1;
  double lr = 0.0002, beta1 = 0.5;
  std::string lr_policy = "linear";
  std::int64_t epoch_count = 1, n_epochs = 100, n_epochs_decay = 100;
  std::string direction = "AtoB";
  std::string dtype = "float32";
  std::optional<std::int64_t> steps;

  /// All but norm, which some models have one of for each network.
  void describe_shared(OptionSet& o) {
    describe_networks(o);
    o.add("model", model, "");
    o.add("gan_mode", gan_mode, "").choices({"lsgan", "vanilla", "wgangp"});
    o.add("pool_size", pool_size, "").at_least(0);
    o.add("batch_size", batch_size, "").at_least(1);
    o.add("lr", lr, "").above(0);
    o.add("beta1", beta1, "").range(0, 1);
    o.add("lr_policy", lr_policy, "").choices({"linear", "step", "plateau", "cosine"});
    o.add("epoch_count", epoch_count, "").at_least(1);
    o.add("n_epochs", n_epochs, "").at_least(0);
    o.add("n_epochs_decay", n_epochs_decay, "").at_least(0);
    o.add("direction", direction, "").choices({"AtoB", "BtoA"});
    o.add("dtype", dtype, "").choices({"float32", "float64"});
    o.add("steps", steps, "").at_least(1);
  }

  void describe_norm(OptionSet& o) {
    o.add("norm", norm, "").choices({"instance", "batch", "none", "syncbatch"});
  }

  bool strict() const { return dtype == "float64"; }
  bool swapped() const { return direction == "BtoA"; }
  c10::ScalarType scalar_type() const { return strict() ? c10::kDouble : c10::kFloat; }

  /// The first epoch's learning rate relative to lr.
  double lr_factor() const {
    if (lr_policy != "linear") return 1;
    return 1 - static_cast<double>(std::max<std::int64_t>(0, epoch_count - n_epochs)) /
                   static_cast<double>(n_epochs_decay + 1);
  }

  GeneratorOptions generator(std::int64_t in, std::int64_t out) const {
    GeneratorOptions o;
    o.net_g = net_g, o.ngf = ngf, o.norm = norm_name(), o.in_channels = in, o.out_channels = out;
    return o;
  }
  DiscriminatorOptions discriminator(std::int64_t channels) const {
    DiscriminatorOptions o;
    o.net_d = net_d, o.ndf = ndf, o.n_layers_d = n_layers_d, o.norm = norm_name(), o.in_channels = channels;
    return o;
  }
  InitOptions init() const {
    InitOptions o;
    o.init_type = init_type, o.init_gain = init_gain;
    return o;
  }
  OptimizerOptions optimizer() const {
    OptimizerOptions o;
    o.lr = lr, o.beta1 = beta1;
    return o;
  }

 private:
  // Synchronised over one process, batch norm is batch norm.
  std::string norm_name() const { return norm == "syncbatch" ? "batch" : norm; }

  void describe_networks(OptionSet& o) {
    o.add("netG", net_g, "").check(check_generator_name);
    o.add("netD", net_d, "").choices({"basic", "n_layers", "pixel"});
    o.add("n_layers_D", n_layers_d, "").at_least(1);
    o.add("ngf", ngf, "").at_least(1);
    o.add("ndf", ndf, "").at_least(1);
    o.add("no_dropout", no_dropout, "");
    o.add("init_type", init_type, "").choices({"normal", "xavier", "kaiming", "orthogonal"});
    o.add("init_gain", init_gain, "");
    o.add("input_nc", input_nc, "").at_least(1);
    o.add("output_nc", output_nc, "").at_least(1);
  }
};

/// Options of the reference that choose files, pictures, logs and when they are written. The recording holds
/// the tensors that entered each step and the weights it began with, so that these cannot change it.
inline const std::set<std::string>& options_outside_a_step() {
  static const std::set<std::string> names = {"aspect_ratio",
                                              "checkpoints_dir",
                                              "continue_train",
                                              "crop_size",
                                              "dataroot",
                                              "dataset_mode",
                                              "display_env",
                                              "display_freq",
                                              "display_id",
                                              "display_ncols",
                                              "display_port",
                                              "display_server",
                                              "display_winsize",
                                              "epoch",
                                              "gpu_ids",
                                              "isTrain",
                                              "load_iter",
                                              "load_size",
                                              "lr_decay_iters",
                                              "max_dataset_size",
                                              "name",
                                              "no_flip",
                                              "no_html",
                                              "num_threads",
                                              "phase",
                                              "preprocess",
                                              "print_freq",
                                              "save_by_iter",
                                              "save_epoch_freq",
                                              "save_latest_freq",
                                              "serial_batches",
                                              "suffix",
                                              "update_html_freq",
                                              "use_wandb",
                                              "verbose",
                                              "wandb_project_name"};
  return names;
}

/// The options of one model's recording. Throws Error naming the file for what cannot be honoured.
template <class Options>
Options read_recorded_options(const std::filesystem::path& path) {
  const Json all = read_json(path);
  if (!all.is_object()) fail("{}: is not a list of options", path.string());
  Json inside = Json::object();
  for (const auto& [name, value] : all.items())
    if (!options_outside_a_step().contains(name)) inside[name] = value;
  const auto options = options_from_json<Options>(inside, path.string());
  if (!options.no_dropout)
    fail("{}: no_dropout is false{}, but dropout's random draws are not recorded", path.string(),
         inside.contains("no_dropout") ? "" : " by default");
  return options;
}

}  // namespace torsor::parity
