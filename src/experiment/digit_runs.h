// Trainings that translate digits to digits (S0-E1), and what they did to the classes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/labelled.h"
#include "experiment/reproduction.h"
#include "loss/gan_loss.h"
#include "metric/confusion.h"
#include "model/classifier.h"

namespace torsor {

/// How large an experiment is at a scale.
struct DigitScale {
  std::int64_t side = 32;           // of the images
  std::int64_t ngf = 16, ndf = 24;  // widths
  std::int64_t steps = 4500;        // of a translator's training
  std::int64_t classifier_steps = 4000;
  std::int64_t glyphs = 20000;       // training images where no data are given
  std::int64_t test_images = 10000;  // at most
};
DigitScale digit_scale(Scale scale);

/// Where the digits come from.
struct DigitData {
  std::string name;    // "MNIST" or "glyphs"
  std::string option;  // of torsor train --data
  std::shared_ptr<const LabelledSource> train, test;
};

/// MNIST's files in a folder, or for "" the glyphs that torsor draws. Throws Error naming what is missing.
DigitData open_digits(const std::filesystem::path& folder, const DigitScale& scale);

/// One way to train a translator.
struct DigitArm {
  std::string name, what;
  Json settings;  // options of torsor train, over digit_settings()
};

DigitArm bottleneck_arm(const DigitScale& scale);  // autoencoder without skips
DigitArm no_cycle_arm(const DigitScale& scale);    // the same without cycle loss
DigitArm resnet_arm(const DigitScale& scale);      // skips in the residual stream

/// The options that all arms share, without data, seed and run directory.
Json digit_settings(const DigitScale& scale);

/// The classifier that labels translations; trained once and kept in OUT/runs/classifier.safetensors.
struct DigitClassifier {
  std::shared_ptr<const Classifier> model;
  double accuracy = 0;  // on the test images
};
DigitClassifier train_digit_classifier(const DigitData& data, const DigitScale& scale,
                                       const Request& request);

/// Trains every arm with every seed in OUT/runs/ARM-seedN, several at a time on one thread each. Runs that
/// are there are resumed where they stopped. Throws StoppedError, and Error for a run with other settings.
void train_digit_arms(const std::vector<DigitArm>& arms, const DigitData& data, const DigitScale& scale,
                      const Request& request);

/// What one direction did to the test images; translators map [N,1,side,side] in [-1,1] to such.
struct DigitDirection {
  ConfusionMatrix matrix{10};
  double cycle_l1 = 0;  // mean |reconstruction - input|, on the scale from -1 to 1
  Image samples;        // rows: inputs, translations, reconstructions
};
DigitDirection measure_digits(const TensorMapping& there, const TensorMapping& back, const DigitData& data,
                              const DigitScale& scale, const Classifier& classifier);

/// Measures both directions of a run: {"arm", "seed", "directions": [{"direction", "counts", "cycle_l1",
/// "permutation", "permutation_share", "identity_share", "mutual_information", "row_entropy",
/// "output_entropy"}]}; writes OUT/figures/samples-ARM-seedN-DIRECTION.png.
Json measure_digit_run(const DigitArm& arm, std::uint64_t seed, const DigitData& data,
                       const DigitScale& scale, const Classifier& classifier, const Request& request);

/// The numbers of a direction as measure_digit_run stores them.
Json digit_direction_json(const std::string& direction, const DigitDirection& measured);

}  // namespace torsor
