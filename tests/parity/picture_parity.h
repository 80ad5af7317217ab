// Pictures that the reference's test.py wrote: inputs/, G_<norm>.pth, and a folder of results for each
// <norm>_<preprocess>_<load size>_<crop size>.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "image/codec.h"
#include "infer/generator_runner.h"
#include "parity/outcome.h"

namespace torsor::parity {

namespace fs = std::filesystem;

inline constexpr int kGreyLevels = 1;  // what counts as equal
inline constexpr int kGreyLevelsBatchNorm = 2;

struct PictureFolder {
  std::string norm;
  TransformOptions preprocess;
};

inline PictureFolder parse_picture_folder(const std::string& name) {
  const auto number = [&](const std::string& digits) {
    if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos)
      fail("{}: is not <norm>_<preprocess>_<load size>_<crop size>", name);
    return std::stoll(digits);
  };
  const auto first = name.find('_'), last = name.rfind('_'), middle = name.rfind('_', last - 1);
  if (first == std::string::npos || middle == std::string::npos || first >= middle) number("");
  PictureFolder out;
  out.norm = name.substr(0, first);
  out.preprocess.preprocess = name.substr(first + 1, middle - first - 1);
  out.preprocess.load_size = number(name.substr(middle + 1, last - middle - 1));
  out.preprocess.crop_size = number(name.substr(last + 1));
  out.preprocess.flip = false;
  OptionSet known;  // refuses a preprocess mode that does not exist
  TransformOptions copy;
  copy.describe(known);
  known.find("preprocess")->set(out.preprocess.preprocess, name);
  return out;
}

inline std::map<std::string, fs::path> pictures_in(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    out.emplace(entry.path().stem().string(), entry.path());
  if (out.empty()) fail("{}: is empty", folder.string());
  return out;
}

inline int largest_difference(const Image& got, const Image& expected, const std::string& source) {
  if (got.width != expected.width || got.height != expected.height || got.channels != expected.channels)
    fail("{}: is {}x{} with {} channels, ours {}x{} with {}", source, expected.width, expected.height,
         expected.channels, got.width, got.height, got.channels);
  int largest = 0;
  for (std::int64_t i = 0; i < got.samples(); ++i)
    largest = std::max(largest, std::abs(got.u8()[i] - expected.u8()[i]));
  return largest;
}

inline Outcome run_pictures(const std::string& name, const fs::path& folder) {
  return outcome_of(name, [&](Outcome& outcome) {
    const PictureFolder what = parse_picture_folder(folder.filename().string());
    const auto inputs = pictures_in(folder.parent_path() / "inputs"), results = pictures_in(folder);
    const GeneratorRunner runner = GeneratorRunner::open(folder.parent_path() / ("G_" + what.norm + ".pth"),
                                                         {"", NormStatistics::batch, {}});
    const std::string norm = runner.loaded().options.norm;
    if (norm != what.norm) fail("{}: the network of G_{}.pth has norm {}", folder.string(), what.norm, norm);
    const int allowed = norm == "batch" ? kGreyLevelsBatchNorm : kGreyLevels;
    Comparison comparison(outcome);
    int largest = 0;
    for (const auto& [stem, path] : results) {
      if (!inputs.contains(stem)) fail("{}: there is no input of this name", path.string());
      const Image got = translate_as_reference(runner, what.preprocess, read_image(inputs.at(stem)));
      const int difference = largest_difference(got, read_image(path), path.string());
      comparison.note(stem, difference / 255.0, allowed / 255.0);
      largest = std::max(largest, difference);
    }
    if (results.size() != inputs.size())
      fail("{}: has {} pictures for {} inputs", folder.string(), results.size(), inputs.size());
    outcome.note = fmt::format("{} of 255 grey levels, {} allowed", largest, allowed);
  });
}

}  // namespace torsor::parity
