#include "experiment/digit_runs.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/files.h"
#include "data/data_source.h"
#include "data/loader.h"
#include "data/tensor_image.h"
#include "experiment/class_training.h"
#include "image/codec.h"
#include "infer/generator_runner.h"
#include "io/run_directory.h"
#include "report/grid.h"
#include "train/run_set.h"

namespace torsor {

namespace {

constexpr std::uint64_t kClassifierSeed = 0;
constexpr std::int64_t kBatch = 32;  // of all trainings
constexpr std::int64_t kDigitBatch = 250;
constexpr std::int64_t kSamples = 12;  // in a figure
constexpr std::int64_t kGlyphTests = 2000;

TransformOptions digit_transform(const DigitScale& scale) {
  TransformOptions t;
  t.load_size = t.crop_size = scale.side;
  t.flip = false;
  return t;
}

// [N,1,side,side] and labels [N] of the test images from `first` on.
Batch test_batch(const DigitData& data, const DigitScale& scale, std::int64_t first, std::int64_t count) {
  const LabelledDataset set(data.test, digit_transform(scale), 1, std::make_shared<NullLog>());
  std::vector<Batch> items;
  Rng rng(0);  // nothing is drawn: neither crop nor flip
  for (std::int64_t i = first; i < first + count; ++i) items.push_back(set.get(i, rng));
  return collate(items);
}

std::int64_t test_count(const DigitData& data, const DigitScale& scale) {
  return std::min(data.test->size(), scale.test_images);
}

// Calls `look` with all test images, a batch at a time.
template <class Look>
void for_each_test_batch(const DigitData& data, const DigitScale& scale, Look look) {
  const std::int64_t all = test_count(data, scale);
  for (std::int64_t first = 0; first < all; first += kDigitBatch)
    look(test_batch(data, scale, first, std::min(kDigitBatch, all - first)));
}

double accuracy_of(const Classifier& classifier, const DigitData& data, const DigitScale& scale) {
  std::int64_t right = 0;
  for_each_test_batch(data, scale, [&](const Batch& batch) {
    right += (classifier.predict(batch.at("image")) == batch.at("label")).sum().item<std::int64_t>();
  });
  return static_cast<double>(right) / static_cast<double>(test_count(data, scale));
}

std::vector<Image> pictures(const at::Tensor& images, std::int64_t count) {
  std::vector<Image> out;
  for (std::int64_t i = 0; i < std::min(count, images.size(0)); ++i)
    out.push_back(to_image(images[i].expand({3, -1, -1}).contiguous()));
  return out;
}

}  // namespace

DigitScale digit_scale(Scale scale) {
  if (scale == Scale::smoke) return {16, 4, 4, 20, 120, 1000, 200};
  if (scale == Scale::full) return {32, 16, 24, 20000, 8000, 60000, 10000};
  return {};
}

DigitData open_digits(const fs::path& folder, const DigitScale& scale) {
  const bool drawn = folder.empty();
  DataRequest request;
  request.data = drawn ? "generated:glyphs" : folder.string();
  request.limit = drawn ? scale.glyphs : 0;
  request.drawn_tests = kGlyphTests;
  request.seed = kClassifierSeed;
  request.size = scale.side;
  const auto source = open_data_source(request);
  return {drawn ? "glyphs" : "MNIST", request.data, source->open_labelled(Split::train),
          source->open_labelled(Split::test)};
}

Json digit_settings(const DigitScale& scale) {
  Json out = {{"channels_a", 1},
              {"channels_b", 1},
              {"load_size", scale.side},
              {"crop_size", scale.side},
              {"flip", false},
              {"batch_size", kBatch},
              {"max_dataset_size", scale.glyphs},
              {"ngf", scale.ngf},
              {"norm", "batch"},
              {"net_d", fmt::format("full_{}", scale.side)},
              {"ndf", scale.ndf},
              {"norm_d", "none"},
              {"gan_mode", "lsgan"},
              {"pool_size", 256},
              {"lambda_identity", 0.0},
              {"lambda_cycle_a", 10.0},
              {"lambda_cycle_b", 10.0},
              {"optimizer", "sgd"},
              {"momentum", 0.9},
              {"lr", 3e-3},
              {"lr_d", 1.5e-3},
              {"lr_policy", "constant"},
              {"epochs", 1000},
              {"steps", scale.steps},
              {"log_every", std::max<std::int64_t>(1, scale.steps / 200)}};
  out.update(background_settings(std::max<std::int64_t>(10, scale.steps / 8)));
  return out;
}

DigitArm bottleneck_arm(const DigitScale& scale) {
  return {"bottleneck",
          "autoencoder with a fully connected bottleneck, no skips",
          {{"net_g", fmt::format("autoencoder_{}", scale.side)}}};
}

DigitArm no_cycle_arm(const DigitScale& scale) {
  DigitArm arm = bottleneck_arm(scale);
  arm.name = "no-cycle";
  arm.what += ", without the cycle loss";
  arm.settings["lambda_cycle_a"] = arm.settings["lambda_cycle_b"] = 0.0;
  return arm;
}

DigitArm resnet_arm(const DigitScale& scale) {
  return {"resnet",
          "ResNet generator, skips in the residual stream",
          {{"net_g", "resnet_3blocks"}, {"ngf", std::max<std::int64_t>(2, scale.ngf / 2)}}};
}

DigitClassifier train_digit_classifier(const DigitData& data, const DigitScale& scale,
                                       const Request& request) {
  ClassTraining training{data.option, data.train, {}, scale.classifier_steps};
  training.options.side = scale.side;
  training.options.width = 2 * scale.ngf;
  const auto model = trained_classifier(training, request.out / "runs" / "classifier.safetensors", request);
  const double accuracy = accuracy_of(*model, data, scale);
  request.log->notice(fmt::format("classifier: {:.2f} % of the test images right", 100 * accuracy));
  return {model, accuracy};
}

void train_digit_arms(const std::vector<DigitArm>& arms, const DigitData& data, const DigitScale& scale,
                      const Request& request) {
  std::vector<TrainConfig> configs;
  for (const DigitArm& arm : arms)
    for (const std::uint64_t seed : request.seeds) {
      Json settings = digit_settings(scale);
      settings.update(arm.settings);
      settings["data"] = data.option;
      configs.push_back(run_config(std::move(settings), arm.name, seed, request.out));
    }
  train_runs(configs, request.runs());
}

DigitDirection measure_digits(const TensorMapping& there, const TensorMapping& back, const DigitData& data,
                              const DigitScale& scale, const Classifier& classifier) {
  DigitDirection out;
  double sum = 0;
  for_each_test_batch(data, scale, [&](const Batch& batch) {
    const at::Tensor real = batch.at("image"), fake = there(real), rec = back(fake);  // [N,1,side,side]
    const at::Tensor from = batch.at("label"), to = classifier.predict(fake);
    for (std::int64_t i = 0; i < from.size(0); ++i)
      out.matrix.add(from[i].item<std::int64_t>(), to[i].item<std::int64_t>());
    sum += (rec - real).abs().mean({1, 2, 3}).sum().item<double>();
    if (out.samples.width == 0) {
      GridOptions options;
      options.min_cell = 48;
      out.samples =
          make_grid({pictures(real, kSamples), pictures(fake, kSamples), pictures(rec, kSamples)}, options);
    }
  });
  out.cycle_l1 = sum / static_cast<double>(out.matrix.total());
  return out;
}

Json digit_direction_json(const std::string& direction, const DigitDirection& measured) {
  const ConfusionSummary s = summarize(measured.matrix);
  return {{"direction", direction},
          {"counts", measured.matrix.counts()},
          {"cycle_l1", measured.cycle_l1},
          {"permutation", s.permutation},
          {"permutation_share", s.permutation_share},
          {"identity_share", s.identity_share},
          {"mutual_information", s.mutual_information},
          {"row_entropy", s.row_entropy},
          {"output_entropy", s.output_entropy}};
}

Json measure_digit_run(const DigitArm& arm, std::uint64_t seed, const DigitData& data,
                       const DigitScale& scale, const Classifier& classifier, const Request& request) {
  const fs::path model = RunDirectory(run_folder(request.out, arm.name, seed)).model();
  const auto open = [&](const char* direction) -> TensorMapping {
    const RunnerOptions options = {direction, NormStatistics::running, resolve_placement(request.placement)};
    return [runner = GeneratorRunner::open(model, options)](const at::Tensor& x) {
      return runner.translate(x).cpu();
    };
  };
  const TensorMapping forward = open("a_to_b"), backward = open("b_to_a");
  make_folder(request.out / "figures");
  Json directions = Json::array();
  for (const auto& [name, there, back] :
       {std::tuple{"a_to_b", forward, backward}, std::tuple{"b_to_a", backward, forward}}) {
    const DigitDirection measured = measure_digits(there, back, data, scale, classifier);
    write_image(request.out / "figures" / fmt::format("samples-{}-seed{}-{}.png", arm.name, seed, name),
                measured.samples);
    directions.push_back(digit_direction_json(name, measured));
  }
  return {{"arm", arm.name}, {"seed", seed}, {"directions", directions}};
}

}  // namespace torsor
