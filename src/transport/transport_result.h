// The result of `torsor transport`: what transport.json holds (docs/transport.md), and its page.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "image/image.h"
#include "report/html.h"
#include "transport/block_energy.h"
#include "transport/map_transport.h"
#include "transport/plane_map.h"

namespace torsor {

/// A generator's residual blocks.
struct BlockMeasures {
  std::int64_t count = 0;
  TransportNumber energy, straightness;
  std::vector<double> shares;  // of the energy, each block's
  bool normalised = false;     // each residual has a mean square of 1, whatever was learnt
};

/// What could be measured of them.
struct GeneratorBlocks {
  std::optional<BlockMeasures> measures;
  std::string why_not = {};  // "" where they were measured
  Json json() const;         // "blocks" of transport.json
};

/// Of all images' block energy.
BlockMeasures block_measures(const BlockEnergy& energy, const SampleUnits& units);

/// One image on its way: the input, then what was decoded after 0 ... K blocks.
struct ShownPath {
  std::string name;
  std::vector<Image> images;  // u8, of one size
};

struct DirectionTransport {
  std::string name;  // a_to_b
  std::int64_t images = 0, targets = 0;
  MapTransport map;
  std::optional<PlaneMap> plane;
  GeneratorBlocks blocks;
  std::vector<ShownPath> paths;
  std::string no_paths;  // why none is shown; "" where none was asked for
};

struct TransportResult {
  Json about = Json::object();     // the run and the images
  Json protocol = Json::object();  // what numbers have to share to be comparable
  std::string cost;                // in words
  std::vector<DirectionTransport> directions;
};

Json transport_json(const TransportResult& result);

/// "1.03 (1.01 to 1.05)", or without the interval where there is none, or the reason where there is no value.
std::string transport_text(const TransportNumber& number);

/// The files in `out`.
struct TransportFiles {
  std::filesystem::path json, page;
};
TransportFiles transport_files(const std::filesystem::path& out);

/// Writes both, the JSON last. Throws Error naming the path.
void write_transport(const TransportResult& result, const std::string& command,
                     const std::filesystem::path& out);

/// `command` is shown on the page.
HtmlPage transport_page(const TransportResult& result, const std::string& command);

}  // namespace torsor
