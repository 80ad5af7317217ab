#include "metric/frechet.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/protocol.h"

namespace torsor {

namespace {

struct Moments {
  at::Tensor mean;      // [d]
  at::Tensor deviates;  // [n,d], whose deviates^T deviates is the covariance
};

// R of the QR decomposition of the rows [N,d], block after block.
at::Tensor reduced(const at::Tensor& rows) {
  constexpr std::int64_t kBlock = 4096;
  at::Tensor r = rows.narrow(0, 0, 0);
  for (std::int64_t begin = 0; begin < rows.size(0); begin += kBlock) {
    const at::Tensor block = rows.narrow(0, begin, std::min(kBlock, rows.size(0) - begin));
    r = std::get<1>(at::linalg_qr(at::cat({r, block}), "r"));
  }
  return r;
}

Moments moments(const at::Tensor& features, FrechetForm form) {
  const at::Tensor rows = features.to(at::kDouble), mean = rows.mean(0);
  const std::int64_t n = rows.size(0), d = rows.size(1);
  const at::Tensor centred = (rows - mean) / std::sqrt(static_cast<double>(n - 1));
  const bool reduce = form == FrechetForm::reduced || (form == FrechetForm::by_size && n > d);
  return {mean, reduce ? reduced(centred) : centred};
}

}  // namespace

double frechet_distance(const at::Tensor& x, const at::Tensor& y, FrechetForm form) {
  if (x.dim() != 2 || y.dim() != 2 || x.size(1) != y.size(1) || std::min(x.size(0), y.size(0)) < 2)
    fail("FID needs two sets of features [N,d] and [M,d] of two rows or more");
  const Moments mx = moments(x, form), my = moments(y, form);
  const at::Tensor shared = at::linalg_svdvals(at::matmul(mx.deviates, my.deviates.t()));
  const at::Tensor distance = (mx.mean - my.mean).square().sum() + mx.deviates.square().sum() +
                              my.deviates.square().sum() - 2 * shared.sum();
  return std::max(0.0, distance.item<double>());  // rounding may leave less
}

MetricResults frechet_metric(const FeatureSets& sets, const MetricOptions& options) {
  MetricResult out;
  out.value = frechet_distance(sets.real, sets.fake);
  const std::int64_t rows = std::min(sets.real.size(0), sets.fake.size(0)), d = sets.real.size(1);
  if (rows <= d)
    out.warnings.push_back(
        fmt::format("FID of {} images with {} features: fewer images than features bias it upwards by much; "
                    "compare only values of equal counts, or use kid",
                    rows, d));
  Rng rng = metric_stream(options, "fid");
  const ResamplingUnits units = resampling_units(sets.groups, jackknife_parts(sets), rng);
  const auto without = [&](const at::Tensor& real, const at::Tensor& fake) {
    return std::vector<double>{
        frechet_distance(sets.real.index_select(0, real), sets.fake.index_select(0, fake))};
  };
  out.uncertainty = options.resamples == 0 ? no_interval_asked()
                                           : jackknife_intervals(units, {out.value}, 2, without).front();
  if (auto& interval = out.uncertainty.interval) interval->low = std::max(0.0, interval->low);
  return {{"fid", std::move(out)}};
}

}  // namespace torsor
