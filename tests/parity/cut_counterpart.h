// Recorded trainings of CUT and FastCUT. They begin behind the first batch that the program passes through
// all networks to make the projection: that batch's draws are recorded too, as those of step 0.
#pragma once

#include "io/npz.h"
#include "model/cut.h"
#include "nn/state_dict.h"
#include "parity/counterpart.h"

namespace torsor::parity {

/// Names and defaults of the program; `norm` is its normG.
struct CutRecording : ReferenceOptions {
  std::string cut_mode = "CUT", norm_d = "instance", net_f = "mlp_sample", nce_layers = "0,4,8,12,16";
  bool no_antialias = false, no_antialias_up = false, nce_idt = true, flip_equivariance = false,
       all_negatives = false;
  double lambda_gan = 1, lambda_nce = 1, nce_t = 0.07, beta2 = 0.999;
  std::int64_t net_f_nc = 256, num_patches = 256;

  CutRecording() {
    model = "cut";
    init_type = "xavier";
    n_epochs = n_epochs_decay = 200;
    pool_size = 0;  // without effect, whatever it is: this model has no buffer
  }
  void describe(OptionSet& o) {
    describe_shared(o);
    o.add("CUT_mode", cut_mode, "");
    o.add("normG", norm, "").choices({"instance", "batch", "none"});
    o.add("normD", norm_d, "").choices({"instance", "batch", "none"});
    o.add("no_antialias", no_antialias, "");
    o.add("no_antialias_up", no_antialias_up, "");
    o.add("lambda_GAN", lambda_gan, "").at_least(0);
    o.add("lambda_NCE", lambda_nce, "").above(0);
    o.add("nce_idt", nce_idt, "");
    o.add("nce_layers", nce_layers, "");
    o.add("nce_includes_all_negatives_from_minibatch", all_negatives, "");
    o.add("nce_T", nce_t, "").above(0);
    o.add("netF", net_f, "").choices({"mlp_sample"});
    o.add("netF_nc", net_f_nc, "").at_least(1);
    o.add("num_patches", num_patches, "").at_least(1);
    o.add("flip_equivariance", flip_equivariance, "");
    o.add("beta2", beta2, "").range(0, 1);
  }
};

struct FastCutRecording : CutRecording {
  FastCutRecording() {
    nce_idt = false;
    lambda_nce = 10;
    flip_equivariance = true;
    n_epochs = 150;
    n_epochs_decay = 50;
  }
};

inline CutRecording read_cut_recording(const fs::path& path) {
  const Json options = read_json(path);
  const Json mode = options.is_object() ? options.value("CUT_mode", Json("CUT")) : Json();
  const std::string name = mode.is_string() ? lower(mode.get<std::string>()) : "";
  if (name == "fastcut") return read_recorded_options<FastCutRecording>(path);
  if (name == "cut" || !options.is_object()) return read_recorded_options<CutRecording>(path);
  fail("{}: CUT_mode is {}, expected CUT or FastCUT", path.string(), mode.dump());
}

/// Plays back mirrorings and patches, those of step 0 left out.
class RecordedCutDraws : public CutDraws {
 public:
  explicit RecordedCutDraws(const fs::path& path) : path_(path) {
    const Json all = read_json(path);
    if (!all.is_array()) fail("{}: is not a list of draws", path.string());
    for (const Json& draw : all)
      if (draw.at("step") != 0) draws_.push_back(draw);
  }
  double mirror() override { return next("flip").at("uniform").get<double>(); }
  std::vector<std::int64_t> patches(std::int64_t n, std::int64_t count) override {
    const Json& draw = next("patch_ids");
    const std::vector<std::int64_t> ids = draw.at("ids");
    if (draw.at("positions") != n || static_cast<std::int64_t>(ids.size()) != count)
      fail("{}: draw {} is of {} in {} positions, but {} in {} are wanted", path_.string(), position_,
           ids.size(), draw.at("positions").dump(), count, n);
    for (const std::int64_t id : ids)
      if (id < 0 || id >= n) fail("{}: draw {} has the position {} of {}", path_.string(), position_, id, n);
    return ids;
  }
  std::size_t left() const { return draws_.size() - position_; }

 private:
  const Json& next(const std::string& kind) {
    if (position_ >= draws_.size() || draws_[position_].at("kind") != kind)
      fail("{}: a draw of kind {} is wanted in place {} behind step 0, but {}", path_.string(), kind,
           position_ + 1, position_ < draws_.size() ? "another is recorded" : "no more are recorded");
    return draws_[position_++];
  }

  fs::path path_;
  std::vector<Json> draws_;
  std::size_t position_ = 0;
};

/// As the program picks pixels. Their gradient comes back with the channels last in memory, of which libtorch
/// 2.13 makes a wrong gradient in an instance norm of one image on a CPU. The recordings were made so, and
/// their weights show it; see pixels_at() and NormGradient.
inline at::Tensor pick_as_recorded(const at::Tensor& feature, const at::Tensor& positions) {
  return feature.permute({0, 2, 3, 1}).flatten(1, 2).index_select(1, positions).flatten(0, 1);
}

class CutCounterpart : public Counterpart {
 public:
  explicit CutCounterpart(const fs::path& folder)
      : folder_(folder), options_(read_cut_recording(folder / "options.json")) {}

  const ReferenceOptions& options() const override { return options_; }
  Names network_names() const override { return {{"G", "g_a_to_b"}, {"D", "d_b"}, {"F", "f_a_to_b"}}; }
  Names loss_names() const override {
    Names names = {
        {"G_GAN", "g_a_to_b"}, {"D_real", "d_real"}, {"D_fake", "d_fake"}, {"G", "g"}, {"NCE", "nce"}};
    if (options_.nce_idt) names.emplace_back("NCE_Y", "nce_y");
    return names;
  }
  std::set<std::string> files() const override { return {kDrawsFile, kDebugFile}; }
  std::vector<Way> ways() const override {
    return {{.engine = Engine::automatic}, {.engine = Engine::fast}, {.engine = Engine::torch}};
  }

  /// Features are taken in front of the norms behind them.
  std::set<std::string> learnt_biases(const std::string& ours) const override {
    std::set<std::string> keys;
    if (ours == "g_a_to_b")
      for (const std::int64_t layer : whole_numbers(options_.nce_layers, "nce_layers"))
        keys.insert(fmt::format("model.{}.bias", layer));
    return keys;
  }

  std::shared_ptr<Network> network(const std::string& ours) const override {
    const CutSpec of = spec();
    if (ours == "g_a_to_b") return make_generator(of.g_a_to_b);
    if (ours == "d_b") return make_discriminator(of.d_b);
    return std::make_shared<PatchFeatures>(of.features());
  }

  std::unique_ptr<Model> make(const Way& way, const Placement& placement) override {
    placement_ = placement;
    return make_playing(draws_);
  }

  /// Everything on the way to the losses, by a model of its own that takes the step before.
  void compare_start(const Model& model, const Batch& first, Comparison& comparison) const override {
    const fs::path path = folder_ / kDebugFile;
    if (!fs::exists(path)) return;
    const RecordedCutDraws* unused = nullptr;
    const auto twin = make_playing(unused);
    for (const auto& [name, network] : model.networks())
      load_state_dict(*network_of(*twin, name), state_dict(*network), name);
    const TensorMap recorded = read_npz(path);
    std::set<std::string> compared;
    twin->set_watch([&](const std::string& name, const at::Tensor& value) {
      const std::string theirs = name_in_recording(name);
      const at::Tensor expected = find_tensor(recorded, theirs);
      if (!expected.defined()) fail("{}: has no {}", path.string(), theirs);
      comparison.elements(theirs + " of step 1", value, expected,
                          options_.strict() ? kStrictTolerance : kFirstStepTolerance);
      compared.insert(theirs);
    });
    FirstBatch batches(first);
    RngStreams rng(0);
    GradientSync sync;
    StepContext context{batches, rng, sync};
    twin->step(context);
    for (const auto& [name, value] : recorded)
      if (!compared.contains(name)) fail("{}: has an array {} that no step makes", path.string(), name);
  }

  void check_all_used() const override {
    if (draws_->left() > 0) fail("{}: {} recorded draws were not made", folder_.string(), draws_->left());
  }

 private:
  static constexpr const char* kDrawsFile = "patch_ids.json";
  static constexpr const char* kDebugFile = "step1_debug.npz";

  class FirstBatch : public BatchSource {
   public:
    explicit FirstBatch(const Batch& batch) : batch_(batch) {}
    Batch next() override { return batch_; }

   private:
    const Batch& batch_;
  };

  // q_nce_0 -> q_NCE_0, loss_nce_y_1 -> loss_NCE_Y_1.
  static std::string name_in_recording(std::string name) {
    const auto term = name.find("nce");
    for (std::size_t i = term; i < name.size(); ++i)
      name[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[i])));
    return name;
  }

  std::unique_ptr<Cut> make_playing(const RecordedCutDraws*& draws) const {
    auto model = std::make_unique<Cut>(spec(), placement_, /*seed=*/0);
    auto recorded = std::make_unique<RecordedCutDraws>(folder_ / kDrawsFile);
    draws = recorded.get();
    model->set_draws(std::move(recorded));
    model->set_pick(pick_as_recorded);
    for (const auto& [name, network] : model->networks())
      set_norm_gradient(*network, NormGradient::as_it_comes);
    return model;
  }

  CutSpec spec() const {
    CutSpec spec;
    spec.g_a_to_b = options_.generator(options_.input_nc, options_.output_nc);
    spec.d_b = options_.discriminator(options_.output_nc);
    spec.d_b.norm = options_.norm_d;
    if (!options_.no_antialias) spec.g_a_to_b.downsample = spec.d_b.downsample = "blur";
    if (!options_.no_antialias_up) spec.g_a_to_b.upsample = "blur";
    spec.cut.lambda_gan = options_.lambda_gan;
    spec.cut.lambda_nce = options_.lambda_nce;
    spec.cut.nce_idt = options_.nce_idt;
    spec.cut.flip_equivariance = options_.flip_equivariance;
    spec.cut.nce_layers = options_.nce_layers;
    spec.cut.nce_width = options_.net_f_nc;
    spec.cut.num_patches = options_.num_patches;
    spec.cut.nce_t = options_.nce_t;
    spec.cut.nce_negatives = options_.all_negatives ? "batch" : "image";
    spec.gan.gan_mode = options_.gan_mode;
    spec.gan.gp_weight = 0;  // nor does this program add a gradient penalty
    spec.init = options_.init();
    spec.optimizer = options_.optimizer();
    spec.optimizer.beta2 = options_.beta2;
    return spec;
  }

  fs::path folder_;
  CutRecording options_;
  Placement placement_;
  const RecordedCutDraws* draws_ = nullptr;  // the model's
};

}  // namespace torsor::parity
