#include "audit/symmetries.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "audit/folder_program.h"
#include "core/error.h"
#include "core/word_list.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kGamma = 1.5, kDimming = 0.8;
constexpr std::int64_t kShiftShare = 8;  // a shift is the side divided by this
constexpr int kHueStep = 30;             // degrees
constexpr double kNoConstant = std::numeric_limits<double>::infinity();
const std::string kAutoSymmetries = "auto", kOwn = "own";

// A symmetry, or why images cannot have it.
struct SymmetryCandidate {
  Symmetry symmetry;
  std::string unfit = {};
};

struct ImageForm {
  std::int64_t channels = 0, height = 0, width = 0;
  double black = -1;
};

ImageForm form_of(const AuditImages& images) {
  if (images.size() == 0) throw std::logic_error("symmetries of no images");
  return {images.values.size(1), images.values.size(2), images.values.size(3), images.ranges.front().black};
}

Symmetry own_inverse(std::string name, std::string text, TensorMapping map) {
  Symmetry out{name, std::move(text), map, map, {}, {}};
  out.inverse_name = std::move(name);
  return out;
}

Symmetry turned(const std::string& name, const std::string& text, std::int64_t quarters,
                const std::string& inverse) {
  const auto by = [](std::int64_t k) {
    return [k](const at::Tensor& x) { return at::rot90(x, k, {2, 3}).contiguous(); };
  };
  return {name, text, by(quarters), by(4 - quarters), {}, {}, inverse};
}

Symmetry rolled(const std::string& name, const std::string& text, std::int64_t side, std::int64_t axis) {
  const std::int64_t by = std::max<std::int64_t>(1, side / kShiftShare);
  return {name,
          text,
          [=](const at::Tensor& x) { return x.roll({by}, {axis}); },
          [=](const at::Tensor& x) { return x.roll({-by}, {axis}); },
          {},
          {}};
}

void add_spatial(const ImageForm& form, std::vector<SymmetryCandidate>& out) {
  const std::string unfit = form.height == form.width ? ""
                                                      : fmt::format("its images are {}x{} pixels, not square",
                                                                    form.width, form.height);
  out.push_back(
      {own_inverse("hflip", "mirrored left to right", [](const at::Tensor& x) { return x.flip({3}); })});
  out.push_back(
      {own_inverse("vflip", "mirrored top to bottom", [](const at::Tensor& x) { return x.flip({2}); })});
  out.push_back({turned("rot90", "turned by a quarter to the left", 1, "rot270"), unfit});
  out.push_back({turned("rot180", "turned upside down", 2, "rot180")});
  out.push_back({turned("rot270", "turned by a quarter to the right", 3, "rot90"), unfit});
  out.push_back({rolled("shift-x", "shifted right by an eighth, what leaves entering on the left (circular)",
                        form.width, 3)});
  out.push_back({rolled("shift-y", "shifted down by an eighth, what leaves entering at the top (circular)",
                        form.height, 2)});
}

// u -> sign(u) |u|^power, which has an inverse beyond black and white too.
TensorMapping to_the_power(double power, double black) {
  return [=](const at::Tensor& x) {
    const at::Tensor u = (x - black) / (1 - black);
    return u.sign() * u.abs().pow(power) * (1 - black) + black;
  };
}

TensorMapping dimmed(double factor, double black) {
  return [=](const at::Tensor& x) { return (x - black) * factor + black; };
}

void add_intensities(const ImageForm& form, std::vector<SymmetryCandidate>& out) {
  const double black = form.black;
  const std::string unfit =
      black == 0 ? "its images have a white of their own (percentile_95) and no upper end" : "";
  // 1 - u in values: black + (1 - black) (1 - u) = 1 + black - v.
  out.push_back({own_inverse("negative", "turned into negatives, dark for bright",
                             [black](const at::Tensor& x) { return (1 + black) - x; }),
                 unfit});
  out.push_back({{"gamma",
                  fmt::format("darkened by a gamma of {}", kGamma),
                  to_the_power(kGamma, black),
                  to_the_power(1 / kGamma, black),
                  {kGamma, kGamma},
                  {kNoConstant, kNoConstant}},
                 unfit});
  out.push_back({{"intensity",
                  fmt::format("darkened to {} of their brightness", kDimming),
                  dimmed(kDimming, black),
                  dimmed(1 / kDimming, black),
                  {kDimming, kDimming},
                  {1 / kDimming, 1 / kDimming}}});
}

using ColourMatrix = std::array<std::array<double, 3>, 3>;  // [output][input]

// Linear and the identity on greys, so that it acts on the networks' values as on shares of white.
TensorMapping recoloured(const ColourMatrix& m) {
  at::Tensor matrix = at::empty({3, 3}, at::kDouble);
  for (std::int64_t row = 0; row < 3; ++row)
    for (std::int64_t column = 0; column < 3; ++column)
      matrix[row][column] = m[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
  return [matrix](const at::Tensor& x) {  // [N,3,H,W]
    return at::einsum("oc,nchw->nohw", {matrix.to(x.scalar_type()), x});
  };
}

// The constant in the sum of absolute values: the largest sum of a column.
double largest_column(const ColourMatrix& m) {
  double out = 0;
  for (std::size_t column = 0; column < 3; ++column)
    out = std::max(out, std::abs(m[0][column]) + std::abs(m[1][column]) + std::abs(m[2][column]));
  return out;
}

// Rodrigues' formula.
ColourMatrix hue_matrix(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double all = (1 - std::cos(angle)) / 3, across = std::sin(angle) / std::numbers::sqrt3;
  const double same = std::cos(angle) + all, before = all - across, after = all + across;
  return {{{same, before, after}, {after, same, before}, {before, after, same}}};
}

std::string hue_name(int degrees) { return fmt::format("hue-{}", degrees); }

void add_colours(const ImageForm& form, std::vector<SymmetryCandidate>& out) {
  const std::string unfit =
      form.channels == 3 ? "" : fmt::format("its images have {} channels, not 3", form.channels);
  const auto exchanged = [&](const char* name, const char* text, std::vector<std::int64_t> order) {
    const at::Tensor places = at::tensor(order, at::kLong);
    out.push_back(
        {own_inverse(name, text, [places](const at::Tensor& x) { return x.index_select(1, places); }),
         unfit});
  };
  exchanged("swap-rg", "with red and green exchanged", {1, 0, 2});
  exchanged("swap-gb", "with green and blue exchanged", {0, 2, 1});
  exchanged("swap-rb", "with red and blue exchanged", {2, 1, 0});
  for (int degrees = kHueStep; degrees < 360; degrees += kHueStep) {
    const ColourMatrix there = hue_matrix(degrees), back = hue_matrix(360 - degrees);
    out.push_back({{hue_name(degrees),
                    fmt::format("with hues turned by {} degrees", degrees),
                    hue_turned(degrees),
                    hue_turned(360 - degrees),
                    {largest_column(there), 1},
                    {largest_column(back), 1},
                    hue_name(360 - degrees)},
                   unfit});
  }
}

SymmetryCandidate own_symmetry(const AuditOptions& options, const ImageForm& form, const fs::path& scratch) {
  SymmetryCandidate out;
  out.symmetry.name = kOwn;
  out.symmetry.text = fmt::format("changed by {}", printable(options.symmetry_forward));
  out.symmetry.lipschitz = out.symmetry.inverse_lipschitz = {kNoConstant, kNoConstant};
  if (options.symmetry_forward.empty())
    out.unfit = "it is your own program, which --symmetry-forward gives";
  else if (form.channels != 1 && form.channels != 3)
    out.unfit =
        fmt::format("its images have {} channels, and a program gets images of 1 or 3", form.channels);
  else
    out.symmetry.map = folder_mapping(options.symmetry_forward, form.black, scratch);
  if (!options.symmetry_back.empty())
    out.symmetry.inverse = folder_mapping(options.symmetry_back, form.black, scratch);
  return out;
}

std::vector<SymmetryCandidate> built_in(const ImageForm& form) {
  std::vector<SymmetryCandidate> out;
  add_spatial(form, out);
  add_intensities(form, out);
  add_colours(form, out);
  return out;
}

}  // namespace

double LipschitzConstants::of(const std::string& norm) const {
  return norm == "l1" ? l1 : norm == "euclidean" ? euclidean : kNoConstant;
}

TensorMapping hue_turned(double degrees) { return recoloured(hue_matrix(degrees)); }

std::vector<std::string> symmetry_names() {
  std::vector<std::string> out;
  for (const SymmetryCandidate& each : built_in({3, 1, 1, -1})) out.push_back(each.symmetry.name);
  out.push_back(kOwn);
  return out;
}

std::vector<Symmetry> symmetries_for(const AuditOptions& options, const AuditImages& images,
                                     const fs::path& scratch) {
  const ImageForm form = form_of(images);
  std::vector<SymmetryCandidate> known = built_in(form);
  known.push_back(own_symmetry(options, form, scratch));
  std::vector<Symmetry> out;
  const std::vector<std::string> words = words_of(options.symmetries);
  if (words == std::vector<std::string>{kAutoSymmetries}) {
    for (SymmetryCandidate& each : known)
      if (each.unfit.empty()) out.push_back(std::move(each.symmetry));
    return out;
  }
  for (const std::string& word : words) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const SymmetryCandidate& each) {
      return each.symmetry.name == word;
    });
    if (found == known.end())
      fail_usage("--symmetries {}: there is no such symmetry{}; known are auto, {}", printable(word),
                 did_you_mean(word, symmetry_names()), join(symmetry_names()));
    if (!found->unfit.empty())
      fail_usage("--symmetries {}: does not fit domain {}: {}", word, images.domain, found->unfit);
    out.push_back(found->symmetry);
  }
  return out;
}

}  // namespace torsor
