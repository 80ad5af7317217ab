#include "data/image_features.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kStep = 1.0 / 255;  // one step of an 8-bit sample

// One plane of numbers.
struct Plane {
  Plane(std::int64_t height, std::int64_t width)
      : height(height), width(width), values(static_cast<std::size_t>(height * width)) {}
  double& at(std::int64_t y, std::int64_t x) { return values[static_cast<std::size_t>(y * width + x)]; }
  double at(std::int64_t y, std::int64_t x) const { return values[static_cast<std::size_t>(y * width + x)]; }

  std::int64_t height, width;
  std::vector<double> values;
};

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const Plane& plane) {
  double sum = 0, squares = 0;
  for (const double v : plane.values) sum += v;
  const auto n = static_cast<double>(plane.values.size());
  const double mean = sum / n;
  for (const double v : plane.values) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / n)};
}

double mean_of(const Plane& plane, std::int64_t top, std::int64_t bottom, std::int64_t left,
               std::int64_t right) {
  double sum = 0;
  for (std::int64_t y = top; y < bottom; ++y)
    for (std::int64_t x = left; x < right; ++x) sum += plane.at(y, x);
  return sum / static_cast<double>((bottom - top) * (right - left));
}

// Averages a row of `n` samples, `stride` apart, to `m`: out[i] is the mean over [i n / m, (i + 1) n / m).
void average_row(const double* in, std::int64_t n, std::int64_t stride, double* out, std::int64_t m,
                 std::int64_t out_stride) {
  const double step = static_cast<double>(n) / static_cast<double>(m);
  for (std::int64_t i = 0; i < m; ++i) {
    const double low = static_cast<double>(i) * step, high = static_cast<double>(i + 1) * step;
    double sum = 0;
    for (auto j = static_cast<std::int64_t>(low); j < n && static_cast<double>(j) < high; ++j)
      sum += in[j * stride] *
             (std::min(high, static_cast<double>(j + 1)) - std::max(low, static_cast<double>(j)));
    out[i * out_stride] = sum / step;
  }
}

// Channel c of the image in [0, 1], at the working size.
Plane working_channel(const Image& image, std::int64_t c) {
  const std::int64_t longest = std::max(image.width, image.height);
  const double scale = std::min(1.0, static_cast<double>(kFeatureSide) / static_cast<double>(longest));
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(side) * scale));
  };
  Plane narrow(image.height, scaled(image.width)), out(scaled(image.height), narrow.width);
  std::vector<double> line(static_cast<std::size_t>(image.width));
  const std::uint8_t* sample = image.u8() + c;
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (double& value : line) {
      value = *sample / 255.0;
      sample += image.channels;
    }
    average_row(line.data(), image.width, 1, &narrow.at(y, 0), narrow.width, 1);
  }
  for (std::int64_t x = 0; x < narrow.width; ++x)
    average_row(&narrow.at(0, x), image.height, narrow.width, &out.at(0, x), out.height, out.width);
  return out;
}

// Half the size; an odd last row or column is dropped, a side of 1 stays.
Plane halved(const Plane& in) {
  if (in.height < 2 || in.width < 2) return in;
  Plane out(in.height / 2, in.width / 2);
  for (std::int64_t y = 0; y < out.height; ++y)
    for (std::int64_t x = 0; x < out.width; ++x)
      out.at(y, x) = (in.at(2 * y, 2 * x) + in.at(2 * y, 2 * x + 1) + in.at(2 * y + 1, 2 * x) +
                      in.at(2 * y + 1, 2 * x + 1)) /
                     4;
  return out;
}

// Differences between neighbours.
struct Differences {
  double across = 0, down = 0;  // mean |dx|, mean |dy|
  double flat = 0;              // part of all that is below two steps
};

Differences differences(const Plane& p) {
  double across = 0, down = 0, flat = 0;
  const auto add = [&](double difference, double& sum) {
    sum += std::abs(difference);
    flat += std::abs(difference) < 2.5 * kStep ? 1 : 0;  // no tie: Y goes in thirds of a step
  };
  for (std::int64_t y = 0; y < p.height; ++y)
    for (std::int64_t x = 0; x < p.width; ++x) {
      if (x + 1 < p.width) add(p.at(y, x + 1) - p.at(y, x), across);
      if (y + 1 < p.height) add(p.at(y + 1, x) - p.at(y, x), down);
    }
  const auto n_across = static_cast<double>(p.height * (p.width - 1));
  const auto n_down = static_cast<double>((p.height - 1) * p.width);
  return {across / std::max(1.0, n_across), down / std::max(1.0, n_down),
          flat / std::max(1.0, n_across + n_down)};
}

struct Texture {
  double detail = 0, skew = 0;
};

// Of what is left when each pixel loses the mean of its 3x3 neighbourhood.
Texture texture(const Plane& p) {
  double squares = 0, signed_squares = 0;
  for (std::int64_t y = 1; y + 1 < p.height; ++y)
    for (std::int64_t x = 1; x + 1 < p.width; ++x) {
      double around = 0;
      for (std::int64_t dy = -1; dy <= 1; ++dy)
        for (std::int64_t dx = -1; dx <= 1; ++dx) around += p.at(y + dy, x + dx);
      const double h = p.at(y, x) - around / 9;
      squares += h * h;
      signed_squares += h * std::abs(h);
    }
  const double n = std::max(1.0, static_cast<double>(std::max<std::int64_t>(0, p.height - 2) *
                                                     std::max<std::int64_t>(0, p.width - 2)));
  return {std::log(std::sqrt(squares / n) + kStep), signed_squares / n / (squares / n + kStep * kStep)};
}

double lean(const Differences& d) { return (d.across - d.down) / (d.across + d.down + 2 * kStep); }

double centre(const Plane& y, double mean) {
  const std::int64_t top = y.height / 4, left = y.width / 4;
  return mean_of(y, top, y.height - top, left, y.width - left) - mean;
}

double top(const Plane& y) {
  const std::int64_t half = std::max<std::int64_t>(1, y.height / 2);
  return mean_of(y, 0, half, 0, y.width) - mean_of(y, y.height - half, y.height, 0, y.width);
}

}  // namespace

const std::vector<ImageFeature>& image_feature_list() {
  // A tenth for logarithms, a fiftieth of the range for the rest.
  static const std::vector<ImageFeature> list = {
      {"mean_y", 0.02}, {"std_y", 0.02},   {"mean_p", 0.02},  {"std_p", 0.02},       {"mean_q", 0.02},
      {"std_q", 0.02},  {"detail_1", 0.1}, {"detail_2", 0.1}, {"detail_4", 0.1},     {"detail_8", 0.1},
      {"lean_1", 0.02}, {"lean_4", 0.02},  {"flat", 0.02},    {"colour_edges", 0.1}, {"skew_1", 0.02},
      {"skew_2", 0.02}, {"skew_4", 0.02},  {"top", 0.02},     {"centre", 0.02}};
  return list;
}

std::vector<double> image_features(const Image& image) {
  if (image.type != PixelType::u8 || (image.channels != 1 && image.channels != 3))
    fail("features are taken of 8-bit images with 1 or 3 channels, this one has {} channels", image.channels);
  const bool grey = image.channels == 1;
  const Plane r = working_channel(image, 0);
  const Plane g = grey ? r : working_channel(image, 1), b = grey ? r : working_channel(image, 2);
  Plane y = r, p = r, q = r;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] = (r.values[i] + g.values[i] + b.values[i]) / 3;
    p.values[i] = r.values[i] - g.values[i];
    q.values[i] = (r.values[i] + g.values[i]) / 2 - b.values[i];
  }
  std::vector<Plane> scales = {y};
  while (scales.size() < 4) scales.push_back(halved(scales.back()));
  std::vector<Texture> textures;
  for (const Plane& scale : scales) textures.push_back(texture(scale));
  const Differences fine = differences(y), of_p = differences(p), of_q = differences(q);
  const Moments my = moments(y), mp = moments(p), mq = moments(q);
  const double colour = (of_p.across + of_p.down + of_q.across + of_q.down) / 4;
  return {my.mean,
          my.deviation,
          mp.mean,
          mp.deviation,
          mq.mean,
          mq.deviation,
          textures[0].detail,
          textures[1].detail,
          textures[2].detail,
          textures[3].detail,
          lean(fine),
          lean(differences(scales[2])),
          fine.flat,
          std::log(colour + kStep),
          textures[0].skew,
          textures[1].skew,
          textures[2].skew,
          top(y),
          centre(y, my.mean)};
}

}  // namespace torsor
