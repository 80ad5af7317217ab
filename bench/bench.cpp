// The library's side of bench/run.py: one task, repeated once for every line on the standard input; answers
// each with one line of JSON. It waits asleep in between, so that another process can be measured in turn
// with it.
#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>

#include "core/error.h"
#include "infer/generator_runner.h"
#include "io/archive.h"
#include "model/cyclegan.h"
#include "nn/state_dict.h"

namespace torsor {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kImages = 4;

struct BenchOptions {
  std::string task;
  std::int64_t size = 256, blocks = 9, ngf = 64;
  int threads = 1;
  std::string start;
};

// The same few random images over and over.
class Images : public BatchSource {
 public:
  explicit Images(std::int64_t side) {
    const at::Generator generator = at::detail::createCPUGenerator(kSeed);
    for (at::Tensor* stack : {&a_, &b_}) *stack = at::rand({kImages, 3, side, side}, generator) * 2 - 1;
  }
  Batch next() override {
    const std::int64_t i = drawn_++ % kImages;
    Batch batch;
    batch.tensors["real_a"] = a_.slice(0, i, i + 1);
    batch.tensors["real_b"] = b_.slice(0, i, i + 1);
    return batch;
  }
  const at::Tensor& a() const { return a_; }
  const at::Tensor& b() const { return b_; }

 private:
  at::Tensor a_, b_;
  std::int64_t drawn_ = 0;
};

CycleGanSpec spec_for(const BenchOptions& o) {
  CycleGanSpec spec;
  for (GeneratorOptions* g : {&spec.g_a_to_b, &spec.g_b_to_a}) {
    g->net_g = fmt::format("resnet_{}blocks", o.blocks);
    g->ngf = o.ngf;
  }
  spec.d_a.ndf = spec.d_b.ndf = o.ngf;
  return spec;
}

// What the peer starts from, so that both compute the same numbers.
void write_start(const BenchOptions& o, const std::vector<NamedNetwork>& networks, const Images& images) {
  Archive archive;
  for (const auto& [name, network] : networks)
    for (const auto& [key, tensor] : state_dict(*network)) archive.put(name + "/" + key, tensor);
  archive.put("images/real_a", images.a());
  archive.put("images/real_b", images.b());
  archive.write(o.start, {});
}

std::function<Json()> train_task(const BenchOptions& o) {
  struct State {
    explicit State(const BenchOptions& o) : model(spec_for(o), {}, kSeed), images(o.size), rng(kSeed) {}
    CycleGan model;
    Images images;
    RngStreams rng;
    GradientSync sync;
  };
  const auto state = std::make_shared<State>(o);
  write_start(o, state->model.networks(), state->images);
  return [state] {
    StepContext context{state->images, state->rng, state->sync};
    Json losses;
    for (const auto& [name, value] : state->model.step(context).losses) losses[name] = value;
    return losses;
  };
}

std::function<Json()> translate_task(const BenchOptions& o) {
  const GeneratorOptions options = spec_for(o).g_a_to_b;
  const auto images = std::make_shared<Images>(o.size);
  LoadedGenerator loaded{make_generator(options), options, "a_to_b", {}, {}, {}};
  init_weights(*loaded.generator, InitOptions{}, kSeed);
  loaded.generator->eval();
  write_start(o, {{"g_a_to_b", loaded.generator}}, *images);
  const auto translator = std::make_shared<GeneratorRunner>(loaded, RunnerOptions{});
  return [images, translator] {
    const at::Tensor out = translator->translate(images->next().at("real_a"));
    return Json{{"mean_abs", out.abs().mean().item<double>()}};
  };
}

void serve(const std::function<Json()>& task) {
  std::cout << Json{{"ready", true}, {"torch", TORCH_VERSION}} << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    const Json values = task();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << Json{{"seconds", seconds}, {"values", values}} << std::endl;
  }
}

}  // namespace
}  // namespace torsor

int main(int argc, char** argv) {
  torsor::BenchOptions o;
  CLI::App app("One task of the benchmark; bench/run.py starts it");
  app.add_option("task", o.task)->required()->check(CLI::IsMember({"train", "translate"}));
  app.add_option("--size", o.size, "side of the images");
  app.add_option("--blocks", o.blocks, "residual blocks of the generators");
  app.add_option("--ngf", o.ngf, "width of all networks");
  app.add_option("--threads", o.threads, "compute threads");
  app.add_option("--start", o.start, "file to write the first weights and the images to")->required();
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(o.threads);
  try {
    torsor::serve(o.task == "train" ? torsor::train_task(o) : torsor::translate_task(o));
  } catch (const std::exception& e) {
    std::cerr << "torsor_bench: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
