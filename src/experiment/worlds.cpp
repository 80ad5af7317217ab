#include "experiment/worlds.h"

#include <ATen/ATen.h>

#include <cmath>
#include <stdexcept>

#include "core/error.h"
#include "core/files.h"
#include "data/tensor_image.h"
#include "image/codec.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

using at::Tensor;

const std::string kTask = "circles-squares";
constexpr std::uint64_t kWorldSeed = 0;  // trainings differ in their own seeds alone
constexpr double kChroma = 0.42;         // of the task's objects
constexpr double kMiddle = 0.5, kLeastContrast = 0.26, kMostContrast = 0.42;  // of grey levels to the ground
constexpr double kGroundContrast = 0.4;  // of a ground, relative to the task's, about kMiddle
constexpr double kGroundLevel = 0.3;     // mean of the task's grounds
constexpr double kInside = 0.7;          // part of the radius that lies in a disc and in a square
constexpr double kMinContrast = 0.1, kMinOverlap = 0.85, kMaxGroundError = 0.05;

// Where images of one use begin in the task's sequence of test images, which a training does not draw.
constexpr std::int64_t kFirstPair = 10000, kFirstAnchor = 20000;

double wrapped(double turn) { return turn - std::floor(turn); }

// The colour at a place of the circle.
Tensor shown_at(const World& world, double place) {
  if (world.look == World::Look::colour) {
    std::vector<double> channels;
    for (int third = 0; third < 3; ++third)
      channels.push_back(kMiddle + kChroma * std::cos(2 * M_PI * (place - third / 3.0)));
    return at::tensor(channels, at::kFloat);
  }
  // Half of the circle is light, half dark; opposite places have opposite levels.
  const double half = wrapped(2 * place);
  const double contrast = kLeastContrast + (kMostContrast - kLeastContrast) * half;
  return at::full({3}, kMiddle + (place < 0.5 ? contrast : -contrast), at::kFloat);
}

// The largest distance between two colours that objects show.
double farthest(const World& world) {
  return world.look == World::Look::colour ? 2 * kChroma * std::sqrt(1.5)
                                           : 2 * kMostContrast * std::sqrt(3.0);
}

Tensor in_unit(const Image& image) { return (to_tensor(image, {}) + 1) / 2; }  // [3,H,W] in [0,1]

// The task's picture of a truth as ground [1,H,W] and the share of each pixel that the object covers [1,H,W].
struct Layers {
  Tensor ground, covered;
};
Layers layers_of(Domain domain, SceneTruth truth) {
  const Tensor whole = in_unit(render_scene(kTask, domain, truth, kWorldSide));
  truth.radius = 0;
  const Tensor ground = in_unit(render_scene(kTask, domain, truth, kWorldSide)).mean(0, true);
  // Objects have one chroma whatever their hue, grounds none.
  const Tensor chroma = (whole - whole.mean(0, true)).norm(2, 0, true);
  return {ground, (chroma / (kChroma * std::sqrt(1.5))).clamp(0, 1)};
}

Tensor ground_of(const World& world, const Tensor& ground) {
  return world.look == World::Look::colour ? ground : kMiddle + kGroundContrast * (ground - kGroundLevel);
}

Image as_image(const Tensor& unit) { return to_image(unit * 2 - 1); }

SceneTruth drawn(Domain domain, Split split, std::int64_t index) {
  return generated_truth(kTask, domain, split, kWorldSeed, index);
}

Domain other(Domain domain) { return domain == Domain::a ? Domain::b : Domain::a; }

void write_set(const fs::path& folder, std::int64_t count, const std::function<Image(std::int64_t)>& image) {
  make_folder(folder);
  for (std::int64_t i = 0; i < count; ++i) write_image(folder / fmt::format("{:05}.png", i), image(i));
}

void write_unpaired(const fs::path& folder, const World& world, Domain domain, Split split,
                    std::int64_t count) {
  write_set(folder, count,
            [&](std::int64_t i) { return world_image(world, domain, drawn(domain, split, i)); });
}

// Images of A from `first` on and their right translations.
void write_pairs(const fs::path& a, const fs::path& b, const World& world, std::int64_t first,
                 std::int64_t count) {
  const auto truth = [&](std::int64_t i) { return test_truth(Domain::a, first + i); };
  write_set(a, count, [&](std::int64_t i) { return world_image(world, Domain::a, truth(i)); });
  write_set(b, count, [&](std::int64_t i) {
    return world_image(world, Domain::b, translated(world, Domain::a, truth(i)));
  });
}

void write_labels(const fs::path& file, const World& world, Domain domain, const WorldSize& size) {
  std::string table = "name,label\n";
  for (std::int64_t i = 0; i < size.training; ++i) {
    const SceneTruth truth = training_truth(domain, i);
    const SceneTruth as_a = domain == Domain::a ? truth : translated(world, Domain::b, truth);
    table += fmt::format("{:05}.png,{}\n", i, world_class(as_a, size.classes));
  }
  write_file_atomically(file, table);
}

// Whether an output has the right object at the right place on the input's ground.
bool passes(const World& world, Domain target, const SceneTruth& right, const Tensor& output,
            const Tensor& shown) {
  const Layers layers = layers_of(target, right);
  const Tensor ground = ground_of(world, layers.ground), difference = (output - ground).abs().amax(0);
  const Tensor object = layers.covered[0] > 0.5;
  const double contrast =
      (shown.view({3, 1, 1}) - ground).abs().amax(0).masked_select(object).mean().item<double>();
  if (contrast < kMinContrast) return false;
  const Tensor seen = difference > contrast / 2;
  const auto count = [](const Tensor& mask) { return mask.sum().item<double>(); };
  const double overlap =
      count(at::logical_and(seen, object)) / std::max(1.0, count(at::logical_or(seen, object)));
  const Tensor outside = at::max_pool2d(layers.covered.unsqueeze(0), 5, 1, 2)[0][0] == 0;
  return overlap >= kMinOverlap && difference.masked_select(outside).mean().item<double>() <= kMaxGroundError;
}

// Mean colour of the middle of the object, [3].
Tensor shown_in(const Tensor& output, const SceneTruth& truth) {
  SceneTruth middle = truth;
  middle.radius *= kInside;
  const Tensor inside = layers_of(Domain::a, middle).covered;  // a disc lies in the square too
  return (output * inside).sum({1, 2}) / inside.sum();
}

}  // namespace

const std::vector<World>& worlds() {
  static const std::vector<World> all = {
      {"kept", "colour", "the right translation keeps the hue", World::Look::colour, 0},
      {"turned", "colour", "the right translation turns the hue by 120 degrees", World::Look::colour,
       1.0 / 3},
      {"inverted", "brightness",
       "the right translation makes an object that is lighter than the ground as much darker, and the "
       "reverse",
       World::Look::brightness, 0.5}};
  return all;
}

const World& world_named(const std::string& name) {
  for (const World& world : worlds())
    if (world.name == name) return world;
  throw std::logic_error("no world " + name);
}

Image world_image(const World& world, Domain domain, const SceneTruth& truth) {
  const Layers layers = layers_of(domain, truth);
  const Tensor shown = shown_at(world, wrapped(truth.hue)).view({3, 1, 1});
  return as_image((1 - layers.covered) * ground_of(world, layers.ground) + layers.covered * shown);
}

SceneTruth training_truth(Domain domain, std::int64_t index) { return drawn(domain, Split::train, index); }

SceneTruth test_truth(Domain domain, std::int64_t index) { return drawn(domain, Split::test, index); }

SceneTruth translated(const World& world, Domain source, SceneTruth truth) {
  truth.hue = wrapped(source == Domain::a ? truth.hue + world.turn : truth.hue - world.turn);
  return truth;
}

std::int64_t world_class(const SceneTruth& truth, std::int64_t classes) {
  return std::min<std::int64_t>(classes - 1, std::floor(wrapped(truth.hue) * static_cast<double>(classes)));
}

WorldFolders world_folders(const fs::path& root, const World& world) {
  const fs::path images = root / ("images-" + world.images), truth = root / ("world-" + world.name);
  return {images / "trainA", images / "trainB", images / "testA",       images / "testB",
          truth / "pairsA",  truth / "pairsB",  truth / "labels_a.csv", truth / "labels_b.csv"};
}

fs::path anchor_folder(const fs::path& root, const World& world, Domain domain, std::int64_t count) {
  return root / ("world-" + world.name) / fmt::format("anchors{}-{}", domain == Domain::a ? "A" : "B", count);
}

void write_world(const fs::path& root, const World& world, const WorldSize& size) {
  const WorldFolders folders = world_folders(root, world);
  std::error_code ec;
  if (fs::exists(folders.labels_b, ec)) return;  // which is written last
  write_unpaired(folders.train_a, world, Domain::a, Split::train, size.training);
  write_unpaired(folders.train_b, world, Domain::b, Split::train, size.training);
  write_unpaired(folders.test_a, world, Domain::a, Split::test, size.tests);
  write_unpaired(folders.test_b, world, Domain::b, Split::test, size.tests);
  write_pairs(folders.pairs_a, folders.pairs_b, world, kFirstPair, size.pairs);
  for (std::int64_t count = 1; count <= size.anchors; count *= 2)
    write_pairs(anchor_folder(root, world, Domain::a, count), anchor_folder(root, world, Domain::b, count),
                world, kFirstAnchor, count);
  write_labels(folders.labels_a, world, Domain::a, size);
  write_labels(folders.labels_b, world, Domain::b, size);
}

WorldDirection measure_world(const World& world, Domain source, const TensorMapping& map,
                             std::int64_t images) {
  WorldDirection out;
  std::vector<Tensor> inputs, wanted;
  for (std::int64_t i = 0; i < images; ++i) {
    const SceneTruth truth = test_truth(source, i);
    inputs.push_back(to_tensor(world_image(world, source, truth), {}));
    wanted.push_back(to_tensor(world_image(world, other(source), translated(world, source, truth)), {}));
  }
  std::vector<Tensor> shown;
  out.inputs = at::stack(inputs);
  out.translated = map(out.inputs);
  const auto moved = [&](const Tensor& to) { return (to - out.inputs).square().mean().item<double>(); };
  out.cost = moved(out.translated) / moved(at::stack(wanted));
  std::vector<double> errors;
  std::int64_t passing = 0;
  for (std::int64_t i = 0; i < images; ++i) {
    const SceneTruth right = translated(world, source, test_truth(source, i));
    const Tensor output = (out.translated[i] + 1) / 2;
    shown.push_back(shown_in(output, right));
    errors.push_back((shown.back() - shown_at(world, right.hue)).norm().item<double>() / farthest(world));
    passing += passes(world, other(source), right, output, shown.back());
  }
  out.shown = at::stack(shown);
  out.pass = static_cast<double>(passing) / static_cast<double>(images);
  out.error = at::tensor(errors, at::kDouble).median().item<double>();
  return out;
}

double shown_difference(const World& world, const WorldDirection& one, const WorldDirection& other) {
  return (one.shown - other.shown).norm(2, 1).median().item<double>() / farthest(world);
}

}  // namespace torsor
