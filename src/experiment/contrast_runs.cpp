#include "experiment/contrast_runs.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "audit/loss_parts.h"
#include "audit/pair_psnr.h"
#include "core/error.h"
#include "data/folder_source.h"
#include "data/phantom.h"
#include "data/tensor_image.h"
#include "data/transform.h"
#include "data/unpaired.h"
#include "interchange/weight_source.h"
#include "io/run_directory.h"
#include "loss/distance.h"
#include "model/model_file.h"
#include "report/grid.h"
#include "theory/translators.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

using at::Tensor;

constexpr double kLambdaCycle = 10;
constexpr double kBlack = 0;  // of percentile_95, where values are not shifted
constexpr std::int64_t kTestBatch = 16, kShown = 6;
const std::string kNorm = "l1", kGanMode = "lsgan", kScaling = "percentile_95";

TransformOptions contrast_transform(const ContrastScale& scale) {
  TransformOptions t;
  t.load_size = t.crop_size = scale.side;
  t.flip = false;
  t.scaling = kScaling;
  return t;
}

std::shared_ptr<const ImageSource> images_in(const fs::path& folder) {
  return std::make_shared<FolderSource>(folder, 0);
}

void require_pairs(const ImageSource& a, const ImageSource& b, const fs::path& folder) {
  for (std::int64_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string in_a = i < a.size() ? a.name(i) : "", in_b = i < b.size() ? b.name(i) : "";
    if (in_a == in_b) continue;
    const bool lone_a = in_b.empty() || (!in_a.empty() && in_a < in_b);
    fail("{}: has no pair in {}; test slices are paired by name",
         (folder / "test" / (lone_a ? "T1" : "FLAIR") / (lone_a ? in_a : in_b)).string(),
         (folder / "test" / (lone_a ? "FLAIR" : "T1")).string());
  }
}

// All images of a source: values [N,1,side,side], whites [N,1,1,1].
std::pair<Tensor, Tensor> all_slices(std::shared_ptr<const ImageSource> source, const ContrastScale& scale) {
  const DomainReader reader(std::move(source), contrast_transform(scale), 1, std::make_shared<NullLog>());
  Rng rng(0);  // nothing is drawn: neither crop nor flip
  std::vector<Tensor> values, whites;
  for (std::int64_t i = 0; i < reader.size(); ++i) {
    const ScaledImage slice = reader.read_scaled(i, rng);
    values.push_back(slice.values);
    whites.push_back(at::full({1, 1, 1}, slice.range.white, at::kFloat));
  }
  return {at::stack(values), at::stack(whites)};
}

// In batches, so that memory does not grow with the number of slices.
Tensor mapped(const TensorMapping& map, const Tensor& x) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> out;
  for (const Tensor& batch : x.split(kTestBatch)) out.push_back(map(batch));
  return at::cat(out);
}

double mean_distance(const Tensor& x, const Tensor& y) {
  return distance(x.to(at::kDouble), y.to(at::kDouble), kNorm).item<double>();
}

// What the arm of this alpha learns.
std::vector<LossTerm> objective(double alpha) {
  CycleGanOptions options;
  options.lambda_cycle_a = options.lambda_cycle_b = kLambdaCycle;
  options.cycle_norm = kNorm;
  options.alpha_id = alpha;
  std::string notice;
  return generator_terms(options, gan_loss(kGanMode),
                         resolve_identity(options, /*channels_a=*/1, /*channels_b=*/1, notice));
}

Tensor flipped(const Tensor& x) { return x.flip({3}); }

struct Psnr {
  double all = 0, brain = 0;
};

Tensor stored(const Tensor& values, const Tensor& white) { return eight_bit_samples(values, kBlack, white); }

// Means over the slices; `made` and `truth` in stored units [N,1,H,W], `brain` of bools.
Psnr mean_psnr(const Tensor& made, const Tensor& truth, const Tensor& brain) {
  return {pair_psnr(made, truth).mean().item<double>(),
          pair_psnr_inside(made, truth, brain).mean().item<double>()};
}

Tensor brain_of(const ContrastSlices& s) { return at::logical_or(s.a > 0, s.b > 0); }

Psnr better(const Psnr& p, const Psnr& q) { return {std::max(p.all, q.all), std::max(p.brain, q.brain)}; }

// Of the input copied: as it is stored, and brought to the truth's 95th percentile.
Psnr copy_psnr(const Tensor& from, const Tensor& white_from, const Tensor& to, const Tensor& white_to,
               const Tensor& brain) {
  const Tensor truth = stored(to, white_to);
  return better(mean_psnr(stored(from, white_from), truth, brain),
                mean_psnr(stored(from, white_to), truth, brain));
}

}  // namespace

ContrastScale contrast_scale(Scale scale) {
  if (scale == Scale::smoke) return {32, 4, 4, 1, 16, 8, 8};
  if (scale == Scale::full) return {256, 32, 64, 20, 1000, 200, 0};
  return {};
}

ContrastData open_contrasts(const fs::path& folder, const ContrastScale& scale) {
  if (folder.empty())
    return {"phantom",
            {{"data", "generated:t1-flair"}, {"max_dataset_size", scale.phantoms}},
            scale.phantoms,
            make_phantom_source(Domain::a, Split::test, 0, scale.phantom_tests, scale.side),
            make_phantom_source(Domain::b, Split::test, 0, scale.phantom_tests, scale.side)};
  for (const char* part : {"train/T1", "train/FLAIR", "test/T1", "test/FLAIR"})
    if (!fs::is_directory(folder / part))
      fail("--data {}: has no folder {}; expected train/T1, train/FLAIR, test/T1 and test/FLAIR",
           folder.string(), part);
  const fs::path train_a = folder / "train/T1", train_b = folder / "train/FLAIR";
  ContrastData out{"slices",
                   {{"a", train_a.string()}, {"b", train_b.string()}},
                   std::max(images_in(train_a)->size(), images_in(train_b)->size()),
                   images_in(folder / "test/T1"),
                   images_in(folder / "test/FLAIR")};
  require_pairs(*out.test_a, *out.test_b, folder);
  return out;
}

ContrastSlices test_slices(const ContrastData& data, const ContrastScale& scale) {
  ContrastSlices out;
  std::tie(out.a, out.white_a) = all_slices(data.test_a, scale);
  std::tie(out.b, out.white_b) = all_slices(data.test_b, scale);
  return out;
}

std::vector<double> contrast_alphas() { return {0, 10, 20, 40}; }

std::string contrast_arm(double alpha) { return fmt::format("alpha-{}", alpha); }

Json contrast_settings(const ContrastScale& scale) {
  Json out = {{"channels_a", 1},
              {"channels_b", 1},
              {"load_size", scale.side},
              {"crop_size", scale.side},
              {"flip", false},
              {"scaling", kScaling},
              {"batch_size", 1},
              {"net_g", "residual_unet_4"},
              {"ngf", scale.ngf},
              {"output_activation", "linear"},
              {"ndf", scale.ndf},
              {"gan_mode", kGanMode},
              {"cycle_norm", kNorm},
              {"lambda_cycle_a", kLambdaCycle},
              {"lambda_cycle_b", kLambdaCycle},
              {"optimizer", "adam"},
              {"lr", 2e-4},
              {"lr_policy", "constant"},
              {"epochs", scale.epochs},
              {"epochs_decay", 0}};
  out.update(background_settings(500));
  return out;
}

void train_contrasts(const ContrastData& data, const ContrastScale& scale, const Request& request) {
  const std::int64_t all = scale.epochs * data.train_count;
  const std::int64_t steps = scale.most_steps > 0 ? std::min(scale.most_steps, all) : all;
  std::vector<TrainConfig> configs;
  for (const double alpha : contrast_alphas())
    for (const std::uint64_t seed : request.seeds) {
      Json settings = contrast_settings(scale);
      settings.update(data.options);
      settings["steps"] = steps;
      settings["alpha_id"] = alpha;
      configs.push_back(run_config(std::move(settings), contrast_arm(alpha), seed, request.out));
    }
  train_runs(configs, request.runs());
}

ContrastNetworks composed_with_flip(const ContrastNetworks& n) {
  ContrastNetworks out = n;
  const Translators both = moved({n.a_to_b, n.b_to_a}, {flipped, flipped});
  out.a_to_b = both.a_to_b;
  out.b_to_a = both.b_to_a;
  return out;
}

Json measure_contrasts(const ContrastNetworks& n, const ContrastSlices& s, double alpha) {
  const MeasuredPair measured = measure_pair(objective(alpha), n, s.a, s.b);
  const Tensor brain = brain_of(s);
  const Psnr there = mean_psnr(stored(measured.fake_b, s.white_b), stored(s.b, s.white_b), brain);
  const Psnr back = mean_psnr(stored(measured.fake_a, s.white_a), stored(s.a, s.white_a), brain);
  const Json& loss = measured.loss;
  return {{"gan", loss.at("gan")},       {"cycle", loss.at("cycle")}, {"identity", loss.at("identity")},
          {"loss", loss.at("loss")},     {"psnr_a_to_b", there.all},  {"psnr_b_to_a", back.all},
          {"brain_a_to_b", there.brain}, {"brain_b_to_a", back.brain}};
}

Json measure_copies(const ContrastSlices& s) {
  const Tensor brain = brain_of(s);
  const Psnr there = copy_psnr(s.a, s.white_a, s.b, s.white_b, brain);
  const Psnr back = copy_psnr(s.b, s.white_b, s.a, s.white_a, brain);
  return {{"a_to_b", there.all},
          {"b_to_a", back.all},
          {"brain_a_to_b", there.brain},
          {"brain_b_to_a", back.brain}};
}

Json measure_flip(const ContrastSlices& s) {
  return {{"a", mean_distance(flipped(s.a), s.a)}, {"b", mean_distance(flipped(s.b), s.b)}};
}

ContrastNetworks open_contrast_run(const fs::path& folder, const Placement& placement) {
  const WeightSet set = open_weights(RunDirectory(folder).model());
  const auto network = [&](std::shared_ptr<Network> n) -> TensorMapping {
    n->to(placement.device);
    return [n, device = placement.device](const Tensor& x) { return n->forward(x.to(device)).cpu(); };
  };
  return {network(load_generator(set, "a_to_b").generator),
          network(load_generator(set, "b_to_a").generator),
          network(load_discriminator(set, "a")),
          network(load_discriminator(set, "b")),
          {},
          {}};
}

Image contrast_samples(const ContrastNetworks& n, const ContrastSlices& s) {
  const std::int64_t count = s.a.size(0), shown = std::min(kShown, count);
  const auto picture = [](const Tensor& values, const Tensor& white) {  // [1,H,W]
    return to_image(values.expand({3, -1, -1}).contiguous(), {white.item<double>(), 0});
  };
  std::vector<std::vector<Image>> rows(6);
  for (std::int64_t k = 0; k < shown; ++k) {
    const std::int64_t i = (2 * k + 1) * count / (2 * shown);  // from all over the set
    const Tensor a = s.a.slice(0, i, i + 1), b = s.b.slice(0, i, i + 1);
    const std::vector<std::pair<Tensor, Tensor>> cells = {
        {a[0], s.white_a[i]}, {mapped(n.a_to_b, a)[0], s.white_b[i]}, {b[0], s.white_b[i]},
        {b[0], s.white_b[i]}, {mapped(n.b_to_a, b)[0], s.white_a[i]}, {a[0], s.white_a[i]}};
    for (std::size_t row = 0; row < rows.size(); ++row)
      rows[row].push_back(picture(cells[row].first, cells[row].second));
  }
  return make_grid(rows);
}

}  // namespace torsor
