// torsor's side of bench/run.py: one task, repeated once for every line on the standard input, each answered
// with one line of JSON. It sleeps in between, so that measurements of several processes can be interleaved.
#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <functional>
#include <iostream>

#include "core/error.h"
#include "infer/generator_runner.h"
#include "interchange/onnx.h"
#include "io/archive.h"
#include "kernels/isa.h"
#include "model/model_types.h"
#include "nn/state_dict.h"

namespace torsor {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kImages = 4;

struct BenchOptions {
  std::string task, model = kDefaultModel, options = "{}";
  std::int64_t size = 256, blocks = 9, ngf = 64, batch = 1;
  int threads = 1;
  std::string precision = "fp32";
  std::string start;
  bool prepare = false;

  Placement placement() const { return resolve_placement({"cpu", precision, "auto"}); }
};

// The same few random images, cyclically.
class Images : public BatchSource {
 public:
  explicit Images(const BenchOptions& o) : batch_(o.batch) {
    const at::Generator generator = at::detail::createCPUGenerator(kSeed);
    for (at::Tensor* stack : {&a_, &b_}) *stack = at::rand({kImages, 3, o.size, o.size}, generator) * 2 - 1;
  }
  Batch next() override {
    const std::int64_t i = batch_ * drawn_++ % kImages;
    Batch batch;
    batch.tensors["real_a"] = a_.slice(0, i, i + batch_);
    batch.tensors["real_b"] = b_.slice(0, i, i + batch_);
    return batch;
  }
  const at::Tensor& a() const { return a_; }
  const at::Tensor& b() const { return b_; }

 private:
  at::Tensor a_, b_;
  std::int64_t batch_, drawn_ = 0;
};

GeneratorOptions generator_for(const BenchOptions& o) {
  GeneratorOptions g;
  g.net_g = fmt::format("resnet_{}blocks", o.blocks);
  g.ngf = o.ngf;
  return g;
}

std::unique_ptr<Model> model_for(const BenchOptions& o) {
  ModelChoice choice(o.model);
  OptionSet options;
  choice->describe_networks(options);
  choice->describe_losses(options);
  Json values = {{"net_g", generator_for(o).net_g}, {"ngf", o.ngf}, {"ndf", o.ngf}};
  values.update(parse_json(o.options, "--options"));
  options.from_json(values, "--options");
  choice->validate({});
  return choice->make({}, {}, o.placement(), kSeed);
}

// The common start of all peers, so that all compute the same numbers.
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
    explicit State(const BenchOptions& o) : model(model_for(o)), images(o), rng(kSeed) {}
    std::unique_ptr<Model> model;
    Images images;
    RngStreams rng;
    GradientSync sync;
  };
  const auto state = std::make_shared<State>(o);
  if (o.prepare) write_start(o, state->model->networks(), state->images);
  return [state] {
    StepContext context{state->images, state->rng, state->sync};
    Json losses;
    for (const auto& [name, value] : state->model->step(context).losses) losses[name] = value;
    return losses;
  };
}

std::function<Json()> translate_task(const BenchOptions& o) {
  const GeneratorOptions options = generator_for(o);
  const auto images = std::make_shared<Images>(o);
  LoadedGenerator loaded{make_generator(options), options, kAToB, {}, {}, {}};
  init_weights(*loaded.generator, InitOptions{}, kSeed);
  loaded.generator->eval();
  if (o.prepare) {
    write_start(o, {{"g_a_to_b", loaded.generator}}, *images);
    write_onnx(loaded, std::filesystem::path(o.start).replace_extension(".onnx"), kDefaultOpset);
  }
  RunnerOptions runner;
  runner.placement = o.placement();
  const auto generator = std::make_shared<GeneratorRunner>(loaded, runner);
  return [images, generator] {
    const at::Tensor out = generator->translate(images->next().at("real_a"));
    return Json{{"mean_abs", out.abs().mean().item<double>()}};
  };
}

void serve(const std::function<Json()>& task) {
  std::cout << Json{{"version", std::string("libtorch ") + TORCH_VERSION}, {"isa", isa_name(chosen_isa())}}
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    const Json values = task();
    const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << Json{{"seconds", seconds}, {"cpu_seconds", cpu_seconds}, {"values", values}} << std::endl;
  }
}

}  // namespace
}  // namespace torsor

int main(int argc, char** argv) {
  torsor::BenchOptions o;
  CLI::App app("One task of the benchmark; bench/run.py starts it");
  app.add_option("task", o.task)->required()->check(CLI::IsMember({"train", "translate"}));
  app.add_option("--model", o.model, "type of model to train");
  app.add_option("--options", o.options, "further options of that model, as in a run's config.json");
  app.add_option("--size", o.size, "side of the images");
  app.add_option("--blocks", o.blocks, "residual blocks of the generators");
  app.add_option("--ngf", o.ngf, "width of all networks");
  app.add_option("--batch", o.batch, "images at a time")->check(CLI::IsMember({1, 2, 4}));
  app.add_option("--precision", o.precision, "fp32 or bf16");
  app.add_option("--threads", o.threads, "compute threads");
  app.add_option("--start", o.start,
                 "file for the first weights and the images; an ONNX model is written next to it");
  app.add_flag("--prepare", o.prepare,
               "write that and end; the task starts from the same without reading it");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(o.threads);
  try {
    const auto task = o.task == "train" ? torsor::train_task(o) : torsor::translate_task(o);
    if (!o.prepare) torsor::serve(task);
  } catch (const std::exception& e) {
    std::cerr << "torsor_bench: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
