#include "app/reference_flags.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace torsor::app {

namespace {

struct ReferenceFlag {
  std::vector<std::string> names;  // today's, then older spellings
  std::string torsor;              // what to give; "" = nothing of the kind
  std::string advice;              // what differs, or what to do instead
};

struct Section {
  std::string title;
  std::vector<ReferenceFlag> flags;
};

const std::vector<Section>& sections() {
  static const std::vector<Section> table = {
      {"Training and testing",
       {{{"--dataroot"},
         "--data",
         "or --a and --b for two folders; torsor translate reads any image or folder as IN"},
        {{"--name"}, "--out", "the run directory: --out checkpoints/NAME"},
        {{"--checkpoints_dir"}, "--out", "the run directory: --out DIR/NAME"},
        {{"--gpu_ids"},
         "--device",
         "--device cuda, or --device cpu for -1; CUDA_VISIBLE_DEVICES picks a GPU"},
        {{"--model"}, "--model", "cycle_gan is cyclegan here; pix2pix has its name"},
        {{"--input_nc"}, "--channels-a", ""},
        {{"--output_nc"}, "--channels-b", ""},
        {{"--ngf"}, "--ngf", ""},
        {{"--ndf"}, "--ndf", ""},
        {{"--netD", "--which_model_netD"}, "--net-d", "the values are the same"},
        {{"--netG", "--which_model_netG"}, "--net-g", "the values are the same"},
        {{"--n_layers_D"}, "--n-layers-d", ""},
        {{"--norm"}, "--norm", "the values are the same"},
        {{"--init_type"}, "--init-type", "the values are the same"},
        {{"--init_gain"}, "--init-gain", ""},
        {{"--no_dropout"},
         "--no-dropout",
         "which is torsor's default, as it is the reference's for cycle_gan; pix2pix has dropout in both"},
        {{"--dropout"}, "--dropout", ""},
        {{"--dataset_mode"},
         "--pairing",
         "aligned is aligned, unaligned is unpaired; by default what the model needs"},
        {{"--direction", "--which_direction"},
         "--direction",
         "of torsor translate and of pix2pix, with a_to_b for AtoB and b_to_a for BtoA; CycleGAN learns "
         "both"},
        {{"--serial_batches"}, "--serial-batches", ""},
        {{"--num_threads", "--nThreads"}, "--loader-threads", ""},
        {{"--batch_size", "--batchSize"}, "--batch-size", ""},
        {{"--load_size", "--loadSize"}, "--load-size", ""},
        {{"--crop_size", "--fineSize"}, "--crop-size", ""},
        {{"--max_dataset_size"}, "--max-dataset-size", "where 0, not inf, means all"},
        {{"--preprocess", "--resize_or_crop"}, "--preprocess", "the values are the same"},
        {{"--no_flip"}, "--no-flip", ""},
        {{"--display_winsize"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--epoch", "--which_epoch"},
         "",
         "torsor translate reads a checkpoint as MODEL: RUN/checkpoints/step_N.safetensors"},
        {{"--load_iter"},
         "",
         "torsor translate reads a checkpoint as MODEL: RUN/checkpoints/step_N.safetensors"},
        {{"--verbose"}, "--verbose", ""},
        {{"--suffix"}, "--out", "put it into the name of the run directory"},
        {{"--use_wandb"}, "", "tensorboard --logdir RUN plots all losses; RUN/log.jsonl holds them"},
        {{"--wandb_project_name"}, "", "tensorboard --logdir RUN plots all losses; RUN/log.jsonl holds them"},
        {{"--isTrain"}, "", "torsor train and torsor translate are two commands"}}},
      {"Training",
       {{{"--display_freq"}, "--sample-every", "in steps, not images; pictures go to RUN/samples"},
        {{"--display_ncols", "--display_single_pane_ncols"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--display_id"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--display_server"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--display_env"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--display_port"}, "", "tensorboard --logdir RUN displays a run"},
        {{"--update_html_freq"}, "--sample-every", "in steps, not images; pictures go to RUN/samples"},
        {{"--print_freq"}, "--log-every", "in steps, not images"},
        {{"--no_html"}, "--sample-every", "--sample-every 0 writes one picture, at the end"},
        {{"--save_latest_freq"}, "--checkpoint-every", "in steps, not images, or a time: 10min"},
        {{"--save_epoch_freq"}, "--keep-every", "in steps: checkpoints of these multiples are kept"},
        {{"--save_by_iter"}, "--keep-every", "in steps: checkpoints of these multiples are kept"},
        {{"--continue_train"},
         "--resume",
         "--resume RUN, instead of --out; the weights of the reference: --init-from"},
        {{"--epoch_count"}, "--resume", "which knows the epoch; leave it out"},
        {{"--phase"}, "", "torsor train reads trainA and trainB; give torsor translate the folder itself"},
        {{"--n_epochs", "--niter"}, "--epochs", ""},
        {{"--n_epochs_decay", "--niter_decay"}, "--epochs-decay", ""},
        {{"--beta1"}, "--beta1", ""},
        {{"--lr"}, "--lr", ""},
        {{"--gan_mode"}, "--gan-mode", "the values are the same; torsor's wgangp has its penalty"},
        {{"--no_lsgan"}, "--gan-mode", "--gan-mode vanilla"},
        {{"--pool_size"}, "--pool-size", ""},
        {{"--lr_policy"},
         "--lr-policy",
         "linear, step, plateau and cosine are there; docs/cli.md says what each does"},
        {{"--lr_decay_iters"}, "--lr-decay-epochs", "both count epochs"},
        {{"--lambda_A"}, "--lambda-cycle-a", ""},
        {{"--lambda_B"}, "--lambda-cycle-b", ""},
        {{"--lambda_identity", "--identity"},
         "--lambda-identity",
         "relative to the cycle's weight, as there"},
        {{"--lambda_L1"}, "--lambda-l1", "of --model pix2pix"}}},
      {"Testing",
       {{{"--results_dir"}, "", "torsor translate writes to OUT, its last argument"},
        {{"--aspect_ratio"}, "", "translations have the size of their inputs, or what --resize says"},
        {{"--eval"},
         "--norm-stats",
         "--norm-stats running, which is the default; batch is the reference without --eval"},
        {{"--num_test", "--how_many"},
         "",
         "torsor translate processes all images of a folder; give it those that you want"},
        {{"--ntest"}, "", "torsor translate processes all images of a folder; give it those that you want"},
        {{"--model_suffix"}, "", "name the file of weights: torsor translate latest_net_G_A.pth IN OUT"}}}};
  return table;
}

const ReferenceFlag* find_flag(const std::string& word) {
  for (const Section& section : sections())
    for (const ReferenceFlag& flag : section.flags)
      if (std::find(flag.names.begin(), flag.names.end(), word) != flag.names.end()) return &flag;
  return nullptr;
}

std::string advice_on(const std::string& word, const ReferenceFlag& flag) {
  if (flag.torsor.empty()) return fmt::format("{}: {}", word, flag.advice);
  return fmt::format("{} is {}{}", word, flag.torsor, flag.advice.empty() ? "" : " (" + flag.advice + ")");
}

}  // namespace

std::string reference_advice(const std::vector<std::string>& words) {
  std::vector<std::string> lines;
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    const ReferenceFlag* const flag = find_flag(name);
    // One of the same name belongs to another command here; its row need not say so.
    const bool says_where = flag != nullptr && flag->advice.starts_with("of torsor ");
    if (flag != nullptr && (flag->torsor != name || says_where)) lines.push_back(advice_on(name, *flag));
  }
  if (lines.empty()) return "";
  return "flags of pytorch-CycleGAN-and-pix2pix have other names here: " + join(lines, "; ");
}

std::string reference_markdown() {
  std::string text =
      "# From pytorch-CycleGAN-and-pix2pix\n\nMade by `torsor docs from-the-reference`; do not edit.\n\n"
      "What its command line has, and what torsor has for it. `RUN` is torsor's run directory, which holds\n"
      "what the reference keeps in `checkpoints/NAME`. [training.md](training.md) compares the names of the "
      "losses,\n[cli.md](cli.md) lists all options of torsor. Instead of\n\n"
      "    python train.py --dataroot ./datasets/maps --name maps --model cycle_gan --gpu_ids 0\n"
      "    python test.py --dataroot ./datasets/maps/testA --name maps --model test --no_dropout\n\n"
      "it is\n\n"
      "    torsor train --data ./datasets/maps --out checkpoints/maps --device cuda\n"
      "    torsor translate checkpoints/maps ./datasets/maps/testA results\n";
  for (const Section& section : sections()) {
    text += fmt::format("\n## {}\n\n| the reference | torsor | remarks |\n|---|---|---|\n", section.title);
    for (const ReferenceFlag& flag : section.flags) {
      const std::string older =
          flag.names.size() > 1
              ? fmt::format(" (older: `{}`)", join({flag.names.begin() + 1, flag.names.end()}, "`, `"))
              : "";
      text += fmt::format("| `{}`{} | {} | {} |\n", flag.names.front(), older,
                          flag.torsor.empty() ? "-" : "`" + flag.torsor + "`", flag.advice);
    }
  }
  return text;
}

}  // namespace torsor::app
