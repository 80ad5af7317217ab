#include "model/cut.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "core/shuffle.h"
#include "loss/patch_nce.h"
#include "model/evaluation.h"
#include "model/generator_state.h"

namespace torsor {

using at::Tensor;

namespace {

constexpr double kMirrorShare = 0.5;
constexpr std::int64_t kAlongRows = 3;  // of [N,C,H,W]

// Throws UsageError naming `where` for layers that do not ascend.
std::vector<std::int64_t> layers_in(const std::string& text, const std::string& where) {
  const std::vector<std::int64_t> layers = whole_numbers(text, where);
  if (std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) != layers.end())
    fail_usage("{}: '{}': layers have to ascend, each named once", where, printable(text));
  return layers;
}

// Where the pixels at these positions, row by row, lie in a mirrored image of this width.
Tensor across(const Tensor& positions, std::int64_t width) {
  return positions - positions.remainder(width) * 2 + (width - 1);
}

const char* const kLayersFlag = "--nce-layers";

}  // namespace

CutOptions CutOptions::fast() {
  CutOptions o;
  o.nce_idt = false;
  o.lambda_nce = 10;
  o.flip_equivariance = true;
  return o;
}

void CutOptions::describe(OptionSet& o) {
  o.add("lambda_nce", lambda_nce, "weight of the contrastive losses between patches")
      .above(0)
      .common()
      .changeable();
  o.add("lambda_gan", lambda_gan, "weight of the generator's adversarial loss; 0 = no discriminator learns")
      .at_least(0)
      .changeable();
  o.add("nce_idt", nce_idt,
        "compare patches of B's images with what the generator makes of them too, so that it leaves B alone")
      .common();
  o.add("flip_equivariance", flip_equivariance,
        "mirror the generator's images every second time, and compare patches across the mirror");
  o.add("nce_layers", nce_layers, "layers of the generator whose outputs are compared, ascending")
      .check([](const std::string& text, const std::string& where) { layers_in(text, where); });
  o.add("nce_width", nce_width, "numbers that a patch is compared by, of each layer").range(1, 65536);
  o.add("num_patches", num_patches, "patches of an image that are compared, of each layer")
      .range(1, 1048576)
      .changeable();
  o.add("nce_t", nce_t, "temperature of the contrastive losses: how much the most similar patches count")
      .above(0)
      .changeable();
  o.add("nce_negatives", nce_negatives,
        "what a patch is told apart from: others of its image, or of all in the "
        "batch")
      .choices({"image", "batch"});
}

PatchFeatureOptions CutSpec::features() const {
  if (g_a_to_b.in_channels != g_a_to_b.out_channels)
    fail_usage(
        "A has {} channels and B has {}, but CUT looks at images of both with one encoder; make --channels-a "
        "and --channels-b equal",
        g_a_to_b.in_channels, g_a_to_b.out_channels);
  const std::vector<std::int64_t> layers = layers_in(cut.nce_layers, kLayersFlag);
  const ShapesOnly outline;
  const auto generator = make_generator(g_a_to_b);
  const std::int64_t count = generator->layer_count();
  if (count == 0)
    fail_usage(
        "--net-g {}: CUT compares outputs of a generator's layers, which this one does not have one after "
        "the "
        "other; use a resnet, resnet_9blocks for example",
        g_a_to_b.net_g);
  if (layers.back() >= count)
    fail_usage("{} {}: {} with these options has the layers 0 to {}", kLayersFlag, cut.nce_layers,
               g_a_to_b.net_g, count - 1);
  PatchFeatureOptions o;
  o.channels = number_list(generator->feature_channels(g_a_to_b.in_channels, layers));
  o.width = cut.nce_width;
  return o;
}

std::vector<std::int64_t> StreamCutDraws::patches(std::int64_t n, std::int64_t count) {
  return draw_places(n, count, streams_["patches"]);
}

Cut::Cut(const CutSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      layers_(layers_in(spec.cut.nce_layers, kLayersFlag)),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(make_generator(spec.g_a_to_b)),
      d_b_(make_discriminator(spec.d_b)),
      f_a_to_b_(std::make_shared<PatchFeatures>(spec.features())),
      dropout_generator_(make_dropout_generator(seed)) {
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ = std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({g_a_to_b_.get()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       parameters_of({d_b_.get()}));
  opt_f_ = std::make_unique<Optimizer>("opt_f", spec.optimizer, parameters_of({f_a_to_b_.get()}));
}

StepReport Cut::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  StreamCutDraws own(context.rng);
  CutDraws& draws = draws_ ? *draws_ : own;
  const Batch batch = pull_batch(context, report);
  Images images;
  images.real_a = placed(batch, "real_a", placement_);
  images.real_b = placed(batch, "real_b", placement_);
  translate(images, draws);
  if (spec_.cut.lambda_gan > 0) update_discriminator(images, losses, context);
  update_generator(images, losses, draws, context.sync);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

void Cut::translate(Images& i, CutDraws& draws) {
  // One pass for both: batch norm normalises them together.
  Tensor seen = spec_.cut.nce_idt ? at::cat({i.real_a, i.real_b}) : i.real_a;
  if (spec_.cut.flip_equivariance && draws.mirror() < kMirrorShare) i.mirrored = Mirrored::yes;
  if (i.mirrored == Mirrored::yes) seen = seen.flip(kAlongRows);
  const Tensor made = run(*g_a_to_b_, seen);
  tell("fake", made);
  i.fake_b = made.narrow(0, 0, i.real_a.size(0));
  if (spec_.cut.nce_idt) i.idt_b = made.narrow(0, i.real_a.size(0), i.real_b.size(0));
}

void Cut::update_discriminator(const Images& images, LossTensors& losses, StepContext& context) {
  unfreeze(*d_b_);
  opt_d_->zero_grad();
  const Tensor fake = images.fake_b.detach();
  // Fake first: batch norm's running statistics depend on the order.
  losses["d_fake"] = gan_.of_fake(run(*d_b_, fake));
  losses["d_real"] = gan_.of_real(run(*d_b_, images.real_b));
  Tensor total = losses["d_fake"] + losses["d_real"];
  if (has_penalty()) {
    losses["gradient_penalty"] =
        drawn_gradient_penalty(*d_b_, images.real_b, fake, context.rng) * spec_.gan.gp_weight;
    total = total + losses["gradient_penalty"];
  }
  (total * 0.5).backward();
  for (auto& [name, loss] : losses) loss = loss.detach();
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

void Cut::update_generator(const Images& images, LossTensors& losses, CutDraws& draws, GradientSync& sync) {
  freeze(*d_b_);
  opt_g_->zero_grad();
  opt_f_->zero_grad();
  Tensor total;
  if (spec_.cut.lambda_gan > 0) {
    total = gan_.generator(run(*d_b_, images.fake_b)) * spec_.cut.lambda_gan;
    losses["g_a_to_b"] = total.detach();
  }
  Tensor contrastive = nce("nce", images.real_a, images.fake_b, images.mirrored, draws);
  losses["nce"] = contrastive.detach();
  if (spec_.cut.nce_idt) {
    const Tensor of_b = nce("nce_y", images.real_b, images.idt_b, images.mirrored, draws);
    losses["nce_y"] = of_b.detach();
    contrastive = (contrastive + of_b) * 0.5;
  }
  total = total.defined() ? total + contrastive : contrastive;
  losses["g"] = total.detach();
  total.backward();
  for (Optimizer* optimizer : {opt_g_.get(), opt_f_.get()}) {
    sync.sync(*optimizer);
    optimizer->step();
  }
}

std::vector<Tensor> Cut::encode(const Tensor& images) {
  const AutocastScope autocast(placement_);
  std::vector<Tensor> features = g_a_to_b_->features(images, layers_);
  for (Tensor& feature : features) feature = feature.to(placement_.dtype);
  return features;
}

Tensor Cut::nce(const std::string& name, const Tensor& source, const Tensor& target, Mirrored mirrored,
                CutDraws& draws) {
  // The target first: batch norm's running statistics depend on the order.
  const std::vector<Tensor> of_target = encode(target);
  std::vector<Tensor> of_source;
  {
    const at::NoGradGuard constant;
    of_source = encode(source);
  }
  Tensor total;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Tensor loss =
        nce_of_layer(name, i, of_source[i], of_target[i], mirrored, draws).mean() * spec_.cut.lambda_nce;
    total = total.defined() ? total + loss : loss;
  }
  return total / static_cast<double>(layers_.size());
}

// Features [N,C,H,W] of source and target -> [N x patches].
Tensor Cut::nce_of_layer(const std::string& name, std::size_t layer, const Tensor& source,
                         const Tensor& target, Mirrored mirrored, CutDraws& draws) {
  const std::int64_t pixels = source.size(2) * source.size(3);
  const Tensor positions =
      at::tensor(draws.patches(pixels, std::min(spec_.cut.num_patches, pixels)), at::kLong)
          .to(source.device());
  Tensor keys;
  {
    const at::NoGradGuard constant;
    keys = f_a_to_b_->project(layer, pick_(source, positions));
  }
  const Tensor in_target = mirrored == Mirrored::yes ? across(positions, target.size(3)) : positions;
  const Tensor queries = f_a_to_b_->project(layer, pick_(target, in_target));
  const std::int64_t groups = spec_.cut.nce_negatives == "image" ? source.size(0) : 1;
  const Tensor loss = patch_nce(queries, keys, groups, spec_.cut.nce_t);
  tell(fmt::format("q_{}_{}", name, layer), queries);
  tell(fmt::format("k_{}_{}", name, layer), keys);
  tell(fmt::format("loss_{}_{}", name, layer), loss);
  return loss;
}

void Cut::tell(const std::string& name, const Tensor& value) const {
  if (watch_) watch_(name, value.detach());
}

bool Cut::has_penalty() const {
  return gan_.needs_penalty && spec_.gan.gp_weight > 0 && spec_.cut.lambda_gan > 0;
}

Tensor Cut::run(Network& network, const Tensor& x) const { return run_network(network, x, placement_); }

std::vector<NamedNetwork> Cut::networks() const {
  return {{"g_a_to_b", g_a_to_b_}, {"d_b", d_b_}, {"f_a_to_b", f_a_to_b_}};
}

std::vector<Optimizer*> Cut::optimizers() { return {opt_g_.get(), opt_d_.get(), opt_f_.get()}; }

std::vector<std::string> Cut::loss_names() const {
  std::vector<std::string> names = {"g_a_to_b", "d_real", "d_fake", "g", "nce"};
  if (spec_.cut.nce_idt) names.push_back("nce_y");
  if (has_penalty()) names.push_back("gradient_penalty");
  return names;
}

std::vector<std::vector<LabelledImages>> Cut::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  const Tensor real_a = placed(batch, "real_a", placement_), real_b = placed(batch, "real_b", placement_);
  std::vector<LabelledImages> row = {
      {"real_a", real_a}, {"fake_b", run(*g_a_to_b_, real_a)}, {"real_b", real_b}};
  if (spec_.cut.nce_idt) row.push_back({"idt_b", run(*g_a_to_b_, real_b)});
  return {row};
}

void Cut::save_extra(Archive& archive) const {
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void Cut::load_extra(const Archive& archive) {
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
