// Shared by the tests of the parts that train: tiny images, a run to audit, planted estimates.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "audit/parts.h"
#include "test_support.h"
#include "train/config.h"

namespace torsor::testing {

/// One compute thread while it lives: tiny networks would spend their time waiting for the others.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// Grey images of noise on a bright square, which lies as often left as right: mirroring is an automorphism.
inline AuditImages square_images(const std::string& domain, std::int64_t count, std::int64_t side,
                                 std::uint64_t seed) {
  AuditImages out;
  out.domain = domain;
  Rng rng(seed);
  out.values = at::full({count, 1, side, side}, -0.8, at::kFloat);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t left = rng.index(side / 2), half = side / 2;
    out.values[i].slice(1, 1, half).slice(2, left, left + half).fill_(rng.uniform(0.0, 1.0));
    for (std::int64_t k = 0; k < side; ++k) out.values[i][0][k][rng.index(side)] += 0.1F;
    out.ranges.emplace_back();
    out.names.push_back(std::to_string(i) + ".png");
    out.keys.push_back(fmt::format("{}-{}-{}", domain, seed, i));
    out.groups.push_back(i);
  }
  out.values = ((out.values.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1;  // as 8 bits store them
  return out;
}

/// Options of a training of tiny networks for images of 16 pixels.
inline Json tiny_training(Json more = Json::object()) {
  Json out = {{"a", "x"},
              {"b", "y"},
              {"out", "run"},
              {"channels_a", 1},
              {"channels_b", 1},
              {"load_size", 18},
              {"crop_size", 16},
              {"net_g", "resnet_1blocks"},
              {"ngf", 2},
              {"net_d", "pixel"},
              {"ndf", 2},
              {"lambda_cycle_a", 7.0},
              {"lambda_cycle_b", 5.0},
              {"gan_mode", "vanilla"},
              {"lr", 0.001},
              {"batch_size", 4},
              {"epochs", 30},
              {"epochs_decay", 10}};
  out.update(more);
  return options_to_json(config_from_json(out, "a tiny training"));
}

/// A run that copies, with these training options.
inline AuditedRun copying_run(const Json& training) {
  AuditedRun out;
  out.name = "run";
  out.source = "run/model.safetensors";
  for (const char* domain : {"a", "b"}) out.info.domains.at(domain).channels = 1;
  out.info.training = training;
  out.info.step = 4000;
  out.maps.a_to_b = out.maps.b_to_a = [](const at::Tensor& x) { return x.clone(); };
  return out;
}

/// An audit of a run by tiny images, their pixels being the features.
inline AuditInputs tiny_inputs(const Json& training, std::int64_t side) {
  FeatureOptions features;
  features.features = "pixels";
  AuditInputs out;
  out.runs = {copying_run(training)};
  out.a = square_images("a", 24, side, 1);
  out.b = square_images("b", 24, side, 2);
  out.more_a = square_images("a", 32, side, 3);
  out.extractor = make_extractor(features, at::kCPU);
  out.placement.device = "cpu";
  return out;
}

inline Json planted(double value, double low, double high) {
  return {{"value", value}, {"interval", {low, high}}};
}

}  // namespace torsor::testing
