// Throughput of the kernels: GFLOP/s of the products that they compute, as a share of the CPU's measured
// peak, and what a direct convolution would have to reach to be as fast.
#include <fmt/format.h>
#include <omp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <random>

#include "bench/peak.h"
#include "core/error.h"
#include "kernels/conv3x3.h"
#include "kernels/direct_conv.h"
#include "kernels/residual_trunk.h"

namespace torsor {
namespace {

struct KernelBench {
  std::int64_t channels = 256, side = 64, batch = 1, blocks = 9;
  int threads = 0, repeats = 15;
};

double best_seconds(int repeats, const std::function<void()>& work) {
  double best = 1e9;
  work();  // warm-up: memory is allocated, weights are packed
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

class Memory {
 public:
  float* noise(std::size_t count, float scale) {
    float* out = empty(count);
    std::normal_distribution<float> normal(0, scale);
    for (std::size_t i = 0; i < count; ++i) out[i] = normal(random_);
    return out;
  }
  float* empty(std::size_t count) {
    buffers_.emplace_back();
    return buffers_.back().at_least(count);
  }

 private:
  std::vector<FloatBuffer> buffers_;
  std::mt19937 random_{1};
};

void print_row(const std::string& what, double seconds, double direct, double products, double peak) {
  if (products == 0) {  // no GEMM
    std::cout << fmt::format("| {} | {:.2f} ms | | | |\n", what, seconds * 1e3);
    return;
  }
  std::cout << fmt::format("| {} | {:.2f} ms | {:.0f} | {:.0f} | {:.0f} % |\n", what, seconds * 1e3,
                           direct / seconds * 1e-9, products / seconds * 1e-9,
                           100 * products / seconds * 1e-9 / peak);
}

// The work of a direct convolution and of the kernel's own products, and the peak.
struct Work {
  double direct, products, peak;
};

std::int64_t image_floats(const KernelBench& o) { return o.batch * o.channels * o.side * o.side; }

Work work_of(Isa isa, Operands operands, const KernelBench& o) {
  const double direct = 2.0 * 9 * static_cast<double>(image_floats(o) * o.channels);
  const double tiles = static_cast<double>((o.side + 3) / 4 * ((o.side + 3) / 4) * o.batch);
  const double winograd = 2.0 * kPositions * tiles * static_cast<double>(o.channels * o.channels);
  return {direct, operands == Operands::bf16 ? direct : winograd, measured_peak(isa, operands)};
}

std::string name_of(Isa isa, Operands operands) {
  return isa_name(isa) + (operands == Operands::bf16 ? ", AMX-BF16" : "");
}

void print_title(Isa isa, Operands operands, const Work& work, const KernelBench& o) {
  std::cout << fmt::format(
      "\n{}, {} thread{}, {} to {} channels, {}x{}, batch {}; peak {:.0f} GFLOP/s\n\n"
      "| kernel | time | as a direct convolution, GFLOP/s | its own products, GFLOP/s | of peak |\n"
      "|---|---|---|---|---|\n",
      name_of(isa, operands), omp_get_max_threads(), omp_get_max_threads() == 1 ? "" : "s", o.channels,
      o.channels, o.side, o.side, o.batch, work.peak);
}

// The memory of a 3x3 convolution.
struct ConvData {
  ConvData(const KernelBench& o, const PlaneConv& conv)
      : image(static_cast<std::size_t>(image_floats(o))),
        taps(static_cast<std::size_t>(o.channels * o.channels * 9)) {
    u = memory.empty(conv.weight_floats());
    conv.transform_weights(w, u);
  }
  Memory memory;
  std::size_t image, taps;
  const float *x = memory.noise(image, 1), *dy = memory.noise(image, 1), *w = memory.noise(taps, 0.02F);
  float *y = memory.empty(image), *dx = memory.empty(image), *dw = memory.empty(taps), *u = nullptr;
};

void bench_winograd(Isa isa, const Work& all, const KernelBench& o) {
  Conv3x3 conv({o.batch, o.channels, o.channels, o.side, o.side, PaddingMode::reflect}, isa);
  const ConvData d(o, conv.winograd());
  const auto row = [&](const char* what, double parts, const std::function<void()>& work) {
    print_row(what, best_seconds(o.repeats, work), parts * all.direct, parts * all.products, all.peak);
  };
  row("weights transformed", 0, [&] { conv.winograd().transform_weights(d.w, d.u); });
  row("forward", 1, [&] { conv.forward(d.x, d.u, d.y); });
  row("input gradient", 1, [&] { conv.input_gradient(d.dy, d.u, d.dx); });
  row("weight gradient", 1, [&] { conv.weight_gradient(d.x, d.dy, d.dw); });
  row("both gradients", 2, [&] { conv.gradients(d.x, d.dy, d.u, d.dx, d.dw); });
}

void bench_trunk(Isa isa, Operands operands, const Work& all, const KernelBench& o) {
  ResidualTrunk trunk({o.batch, o.channels, o.side, o.side, o.blocks}, isa, operands);
  ConvData d(o, trunk.convolution());
  const auto convolutions = static_cast<std::size_t>(2 * o.blocks);
  ResidualTrunk::Record record;
  for (std::size_t i = 0; i < convolutions; ++i) {
    record.normalised.push_back(d.memory.empty(d.image));
    record.scales.push_back(d.memory.empty(trunk.scale_floats()));
    if (i % 2 == 0 && i > 0) record.inputs.push_back(d.memory.empty(d.image));
  }
  const std::vector<const float*> all_u(convolutions, d.u);
  const std::vector<float*> all_dw(convolutions, d.dw), no_dw(convolutions, nullptr);
  const auto times = static_cast<double>(convolutions);
  const auto row = [&](const std::string& what, double parts, const std::function<void()>& work) {
    print_row(fmt::format("trunk of {} blocks: {}", o.blocks, what),
              best_seconds(std::max(1, o.repeats / 3), work), parts * all.direct, parts * all.products,
              all.peak);
  };
  row("translating", times, [&] { trunk.forward(d.x, all_u, {}, nullptr, d.y); });
  row("forward", times, [&] { trunk.forward(d.x, all_u, {}, &record, d.y); });
  row("input gradients", times, [&] { trunk.backward(d.x, record, all_u, {}, d.dy, {}, d.dx, no_dw, {}); });
  row("gradients", 2 * times, [&] { trunk.backward(d.x, record, all_u, {}, d.dy, {}, d.dx, all_dw, {}); });
}

struct NamedShape {
  const char* name;
  DirectShape shape;
};

// The layers around the residual blocks, and those of the 70x70 discriminator, for images of this side.
std::vector<NamedShape> direct_layers(std::int64_t side) {
  const std::int64_t s = side;
  return {{"first, 7x7", {1, 3, 64, s, s, 7, 1, 3}},
          {"down, 3x3, stride 2", {1, 64, 128, s, s, 3, 2, 1}},
          {"down, 3x3, stride 2", {1, 128, 256, s / 2, s / 2, 3, 2, 1}},
          {"last, 7x7", {1, 64, 3, s, s, 7, 1, 3}},
          {"discriminator, 4x4, stride 2", {1, 3, 64, s, s, 4, 2, 1}},
          {"discriminator, 4x4, stride 2", {1, 64, 128, s / 2, s / 2, 4, 2, 1}},
          {"discriminator, 4x4, stride 2", {1, 128, 256, s / 4, s / 4, 4, 2, 1}},
          {"discriminator, 4x4", {1, 256, 512, s / 8, s / 8, 4, 1, 1}},
          {"discriminator, last 4x4", {1, 512, 1, s / 8 - 1, s / 8 - 1, 4, 1, 1}}};
}

// A strided layer's input gradient is a transposed one's forward pass.
void bench_direct(Isa isa, Operands operands, double peak, const KernelBench& o) {
  std::cout << fmt::format(
      "\n{}, direct convolutions of an image of {}x{}\n\n"
      "| layer | channels | forward | of peak | input gradient | of peak | weight gradient | of peak |\n"
      "|---|---|---|---|---|---|---|---|\n",
      name_of(isa, operands), 4 * o.side, 4 * o.side);
  for (const auto& [name, shape] : direct_layers(4 * o.side)) {
    if (!is_supported(shape, operands)) continue;
    DirectConv conv(shape, isa, operands);
    Memory memory;
    const float *x = memory.noise(conv.padded_input().floats(), 1),
                *dy = memory.noise(conv.padded_output().floats(), 1);
    const float* w = memory.noise(conv.weight_floats(), 0.02F);
    const auto floats = [](std::int64_t count) { return static_cast<std::size_t>(count); };
    float* y = memory.empty(floats(shape.out_channels * shape.out_height() * shape.out_width()));
    float* dx = memory.empty(
        floats(shape.in_channels * (shape.height + 2 * shape.padding) * (shape.width + 2 * shape.padding)));
    float* dw = memory.empty(floats(shape.in_channels * shape.out_channels * shape.kernel * shape.kernel));
    const double work = 2e-9 * static_cast<double>(shape.in_channels * shape.out_channels) *
                        static_cast<double>(shape.kernel * shape.kernel) *
                        static_cast<double>(shape.out_height() * shape.out_width());
    const auto cells = [&](const std::function<void()>& compute) {
      const double seconds = best_seconds(o.repeats, compute);
      return fmt::format("{:.2f} ms | {:.0f} % |", seconds * 1e3, 100 * work / seconds / peak);
    };
    std::cout << fmt::format("| {} | {} to {} | {} {} {}\n", name, shape.in_channels, shape.out_channels,
                             cells([&] { conv.forward(x, w, nullptr, y); }),
                             cells([&] { conv.input_gradient(dy, w, Region::with_padding, nullptr, dx); }),
                             cells([&] { conv.weight_gradient(x, dy, dw); }));
  }
}

int run(int argc, char** argv) {
  KernelBench o;
  CLI::App app{"Speed of the kernels"};
  app.add_option("--channels", o.channels)->capture_default_str()->check(CLI::Range(16, 4096));
  app.add_option("--side", o.side)->capture_default_str()->check(CLI::Range(2, 4096));
  app.add_option("--batch", o.batch)->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--blocks", o.blocks)->capture_default_str()->check(CLI::Range(1, 32));
  app.add_option("--threads", o.threads, "0 = all cores")->capture_default_str()->check(CLI::Range(0, 1024));
  app.add_option("--repeats", o.repeats)->capture_default_str()->check(CLI::Range(1, 10000));
  CLI11_PARSE(app, argc, argv);
  try {
    if (o.threads > 0) omp_set_num_threads(o.threads);
    for (const Isa isa : supported_isas())
      for (const Operands operands : {Operands::fp32, Operands::bf16}) {
        const bool rounds = operands == Operands::bf16;
        if (isa == Isa::plain || (rounds && (bf16_stages(isa) == nullptr || o.channels % kWideBlock != 0)))
          continue;
        const Work work = work_of(isa, operands, o);
        print_title(isa, operands, work, o);
        if (!rounds) bench_winograd(isa, work, o);
        bench_trunk(isa, operands, work, o);
        bench_direct(isa, operands, work.peak, o);
      }
  } catch (const std::exception& error) {
    std::cerr << "torsor_kernel_bench: " << error.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace torsor

int main(int argc, char** argv) { return torsor::run(argc, argv); }
