// The arms of cure_runs.h and how they are trained.
#include <algorithm>

#include "core/error.h"
#include "experiment/class_training.h"
#include "experiment/cure_runs.h"
#include "experiment/demo.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kLambdaIdentity = 2, kLambdaJacobian = 1;
const std::string kAnchors = "anchors-";

fs::path data_root(const fs::path& out) { return out / "data"; }

fs::path encoder_file(const fs::path& out, const World& world) {
  return out / "runs" / fmt::format("encoder-{}.safetensors", world.images);
}

// Images of both domains of a world with the part of the circle that each shows.
class ShownClasses : public LabelledSource {
 public:
  ShownClasses(const World& world, const WorldSize& size) : world_(world), size_(size) {}
  std::int64_t size() const override { return 2 * size_.training; }
  Image read(std::int64_t index) const override { return world_image(world_, domain(index), truth(index)); }
  std::string name(std::int64_t index) const override { return fmt::format("{:05}", index); }
  std::int64_t label(std::int64_t index) const override { return world_class(truth(index), size_.classes); }

 private:
  static Domain domain(std::int64_t index) { return index % 2 == 0 ? Domain::a : Domain::b; }
  static SceneTruth truth(std::int64_t index) { return training_truth(domain(index), index / 2); }
  const World& world_;
  WorldSize size_;
};

void train_encoder(const World& world, const CureScale& scale, const Request& request) {
  ClassTraining training{
      "world " + world.images, std::make_shared<ShownClasses>(world, scale.world), {}, scale.encoder_steps};
  training.options.in_channels = 3;
  training.options.side = kWorldSide;
  training.options.classes = scale.world.classes;
  training.options.width = scale.ngf;
  trained_classifier(training, encoder_file(request.out, world), request);
}

void use_anchors(Json& settings, const World& world, std::int64_t count, const fs::path& out) {
  const fs::path root = data_root(out);
  settings["anchors_a"] = anchor_folder(root, world, Domain::a, count).string();
  settings["anchors_b"] = anchor_folder(root, world, Domain::b, count).string();
}

// The files that an arm adds.
Json arm_files(const std::string& arm, const World& world, const fs::path& out) {
  Json settings = Json::object();
  const WorldFolders folders = world_folders(data_root(out), world);
  if (arm.starts_with(kAnchors)) use_anchors(settings, world, std::stoll(arm.substr(kAnchors.size())), out);
  if (arm == "labels") {
    settings["labels_a"] = folders.labels_a.string();
    settings["labels_b"] = folders.labels_b.string();
  }
  if (arm == "content") settings["content_encoder"] = encoder_file(out, world).string();
  if (arm == "jacobian-anchor") use_anchors(settings, world, 1, out);
  return settings;
}

// The lesson of the demonstration that trains without an identity term, on images in folders.
Json shared_settings(const World& world, const CureScale& scale, std::int64_t steps, const fs::path& out) {
  Json settings = background_lesson(demo_lesson("circles-squares"), {steps, scale.ngf, scale.ndf});
  settings.erase("data");
  const WorldFolders folders = world_folders(data_root(out), world);
  settings.update({{"a", folders.train_a.string()},
                   {"b", folders.train_b.string()},
                   {"load_size", kWorldSide},
                   {"crop_size", kWorldSide}});
  return settings;
}

}  // namespace

CureScale cure_scale(Scale scale) {
  if (scale == Scale::smoke) return {8, 4, 4, 20, 1, 100, "hflip,hue-120", {32, 16, 8, 2, 6}};
  if (scale == Scale::full) return {2300};
  return {};
}

const std::vector<CureArm>& cure_arms() {
  static const std::vector<CureArm> arms = {
      {"none", "no cure: neither identity term nor anything else"},
      {"identity",
       fmt::format("identity term, --lambda-identity {}", kLambdaIdentity),
       false,
       {{"lambda_identity", kLambdaIdentity}}},
      {"anchors-1", "one anchor pair", true},
      {"anchors-2", "two anchor pairs", true},
      {"anchors-4", "four anchor pairs", true},
      {"anchors-8", "eight anchor pairs", true},
      {"labels", "discriminators that see six classes of the property", true},
      {"content",
       "content encoder: a classifier of six classes of the property, which takes both domains alike"},
      {"jacobian",
       fmt::format("sparse Jacobian, --lambda-jacobian {}", kLambdaJacobian),
       false,
       {{"lambda_jacobian", kLambdaJacobian}}},
      {"jacobian-anchor",
       "sparse Jacobian with one anchor pair",
       true,
       {{"lambda_jacobian", kLambdaJacobian}}}};
  return arms;
}

std::string CureCase::runs() const {
  if (arm->sees_truth) return name();
  const auto first = std::find_if(worlds().begin(), worlds().end(),
                                  [this](const World& w) { return w.images == world->images; });
  return CureCase{arm, &*first}.name();
}

std::vector<CureCase> cases_of(const World& world, const std::vector<CureArm>& arms,
                               const std::vector<std::string>& names) {
  std::vector<CureCase> out;
  for (const CureArm& arm : arms)
    if (names.empty() || std::find(names.begin(), names.end(), arm.name) != names.end())
      out.push_back({&arm, &world});
  return out;
}

std::vector<CureCase> cure_cases(Scale scale) {
  std::vector<CureCase> out;
  const auto add = [&](const std::string& world, const std::vector<std::string>& arms) {
    for (const CureCase& one : cases_of(world_named(world), cure_arms(), arms)) out.push_back(one);
  };
  if (scale == Scale::smoke) {
    add("kept", {"none", "anchors-2"});
  } else if (scale == Scale::quick) {
    add("kept", {"none", "identity", "anchors-1", "anchors-2", "anchors-4", "anchors-8", "labels", "content",
                 "jacobian"});
    add("turned", {"none", "identity", "content", "jacobian", "anchors-4"});
    add("inverted", {"none", "identity", "anchors-4"});
  } else {
    for (const World& world : worlds()) add(world.name, {});
  }
  return out;
}

TrainConfig cure_config(const CureCase& one, std::uint64_t seed, const CureScale& scale,
                        const fs::path& out) {
  Json settings = shared_settings(*one.world, scale, one.arm->length * scale.steps, out);
  settings.merge_patch(one.arm->settings);
  settings.update(arm_files(one.arm->name, *one.world, out));
  return run_config(std::move(settings), one.runs(), seed, out);
}

void train_cures(const std::vector<CureCase>& cases, const CureScale& scale, const Request& request) {
  std::vector<std::string> named;
  std::vector<TrainConfig> configs;
  for (const CureCase& one : cases) {
    write_world(data_root(request.out), *one.world, scale.world);
    if (one.arm->name == "content") train_encoder(*one.world, scale, request);
    if (std::find(named.begin(), named.end(), one.runs()) != named.end()) continue;
    named.push_back(one.runs());
    for (const std::uint64_t seed : request.seeds)
      configs.push_back(cure_config(one, seed, scale, request.out));
  }
  train_runs(std::move(configs), request.runs());
}

}  // namespace torsor
