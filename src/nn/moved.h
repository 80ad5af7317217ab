// Generators with a fixed map of images in front of them or behind them: G o phi as a network of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/network.h"

namespace torsor {

/// Where the map stands.
enum class MapPlace { before, after };

/// The parts of a generator's name "before_<map>_<net>" or "after_<map>_<net>", where <net> is any
/// generator's name.
struct MovedName {
  MapPlace place = MapPlace::before;
  std::string map, net;
};
/// Nothing for a name of another form.
std::optional<MovedName> moved_name(const std::string& net_g);
std::string name_of_moved(const MovedName& name);

/// hflip, vflip, rot90, rot180, rot270 (to the left), shiftright, shiftleft, shiftdown, shiftup (circular, by
/// an eighth of the side, at least a pixel).
std::vector<std::string> spatial_map_names();
/// [N,C,H,W], moved. Throws Error for quarter turns of images that are not square, std::logic_error for
/// another name.
at::Tensor spatial_map(const std::string& name, const at::Tensor& x);

/// The map that is an affine change of the channels of each pixel: a 1x1 convolution whose weight [C,C,1,1]
/// and bias [C] are stored with the network's, under kColourKey.
inline constexpr const char* kColourMap = "colour";
inline constexpr const char* kColourKey = "colour.";
/// Under which the weights of the generator itself are stored.
inline constexpr const char* kMovedKey = "net.";

/// Sides that do not fit the generator are reflect-padded behind the map and cropped again. Cannot be
/// exported with a spatial map (its describe() throws Error). Throws UsageError for an unknown map or net.
std::shared_ptr<Generator> make_moved_generator(const GeneratorOptions& options, const MovedName& name);

}  // namespace torsor
