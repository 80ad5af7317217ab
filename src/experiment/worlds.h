// Worlds of small images whose truth is known, as folders: what translators of several seeds are trained on,
// and what tells right ones from wrong ones.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/generated.h"
#include "loss/gan_loss.h"

namespace torsor {

/// A shows discs, B squares, on grounds lit from above; one property of the object, uniform on a circle, is
/// what losses do not see: rotations and reflections of that circle keep both domains' distributions.
struct World {
  enum class Look {
    colour,     // the property is the hue
    brightness  // ... the grey level: half of the circle is lighter than the ground, half darker
  };
  std::string name;
  std::string images;  // folder of its unpaired images, which worlds share that differ in the truth alone
  std::string about;   // what is right
  Look look = Look::colour;
  double turn = 0;  // by how much of the circle the right translation of an image of A is ahead of it
};

/// kept: the right translation keeps the hue. turned: it turns the hue by 120 degrees. inverted: it exchanges
/// lighter and darker than the ground.
const std::vector<World>& worlds();
/// Throws std::logic_error for an unknown name.
const World& world_named(const std::string& name);

inline constexpr std::int64_t kWorldSide = 32;

/// How many images of a world are written.
struct WorldSize {
  std::int64_t training = 1000;  // of either domain
  std::int64_t tests = 120;      // of either domain
  std::int64_t pairs = 40;       // held out
  std::int64_t anchors = 8;      // pairs that trainings may see
  std::int64_t classes = 6;      // equal parts of the circle
};

/// Image `index` of the training images of any world.
SceneTruth training_truth(Domain domain, std::int64_t index);
/// Image `index` of the held-out images.
SceneTruth test_truth(Domain domain, std::int64_t index);

/// One image, [kWorldSide,kWorldSide] RGB u8.
Image world_image(const World& world, Domain domain, const SceneTruth& truth);

/// What the right translation of an image of `source` shows.
SceneTruth translated(const World& world, Domain source, SceneTruth truth);

/// The part of the circle that an image shows, from 0 to classes - 1.
std::int64_t world_class(const SceneTruth& truth, std::int64_t classes);

/// Where the files of a world are below `root`.
struct WorldFolders {
  std::filesystem::path train_a, train_b, test_a, test_b;  // unpaired
  std::filesystem::path pairs_a, pairs_b;                  // by name, held out
  std::filesystem::path labels_a, labels_b;  // tables of the training images' classes; an image of B has that
                                             // of the images of A that it is the right translation of
};
WorldFolders world_folders(const std::filesystem::path& root, const World& world);
/// The first `count` of the pairs for training.
std::filesystem::path anchor_folder(const std::filesystem::path& root, const World& world, Domain domain,
                                    std::int64_t count);

/// Writes all files of a world, with folders of 1, 2, 4 ... anchors, unless they are there.
void write_world(const std::filesystem::path& root, const World& world, const WorldSize& size);

/// What translations show, of the held-out images of one domain.
struct WorldDirection {
  double error = 0;  // median distance of what the object shows from what is right; 1 = the farthest there is
  double cost = 0;   // mean over the images of |G(x) - x|^2, over that of the right translations
  double pass = 0;   // share with an object of the target's shape at its place, on the ground of the input
  at::Tensor shown;  // [N,3]: mean colour of the object, on the scale from 0 to 1
  at::Tensor inputs, translated;  // [N,3,side,side] in [-1,1]
};
/// `map`: [N,3,side,side] in [-1,1] to such.
WorldDirection measure_world(const World& world, Domain source, const TensorMapping& map,
                             std::int64_t images);

/// Median distance between what two translators show of the same images, on the scale of
/// WorldDirection::error.
double shown_difference(const World& world, const WorldDirection& one, const WorldDirection& other);

/// The error of a hue that is 20 degrees off: up to it a translation counts as right.
inline constexpr double kRightError = 0.174;
/// The share of images whose shape, place and ground a right run translates at the least.
inline constexpr double kRightPass = 0.5;

}  // namespace torsor
