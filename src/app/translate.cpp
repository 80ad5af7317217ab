// torsor translate
#include <ATen/Parallel.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <iostream>

#include "app/commands.h"
#include "app/engine_report.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "data/folder_source.h"
#include "image/codec.h"
#include "image/resize.h"
#include "infer/generator_runner.h"
#include "infer/input_check.h"

namespace torsor::app {

namespace {

constexpr std::size_t kAhead =
    2;  // images that are read, and images that are written, beside the translation

struct TranslateOptions {
  std::string direction;
  std::string norm_stats = "running";
  bool as_reference = false;
  std::string preprocess = "resize_and_crop";
  std::int64_t load_size = 256;
  std::int64_t crop_size = 256;
  std::string resize;
  std::int64_t batch_size = 1;
  std::int64_t threads = 0;
  std::string format;
  bool overwrite = false;
  bool skip_bad = false;
  bool verbose = false;
  PlacementOptions placement;
  WeightChoice choice;

  void describe(OptionSet& o);
};

void TranslateOptions::describe(OptionSet& o) {
  add_direction(o, direction, "a_to_b or b_to_a [a_to_b, or what the file holds]");
  add_norm_stats(o, norm_stats);
  o.add("resize", resize,
        "translate at this size: SIDE or WIDTHxHEIGHT; the output has it too [the input's size]");
  o.add("format", format, "write all outputs in this format (png, jpg, tif, webp, bmp) [the input's]")
      .check([](const std::string& v, const std::string& where) {
        if (!v.empty() && !has_image_extension("x." + v))
          fail_usage("{}: unknown value '{}'{} (one of {})", where, v, did_you_mean(v, image_extensions()),
                     join(image_extensions()));
      });
  o.add("batch_size", batch_size, "images of equal size translated together").range(1, 1024);
  o.add("overwrite", overwrite, "replace outputs that exist");
  o.add("skip_bad", skip_bad, "go on without images that cannot be read or scaled");
  o.add("threads", threads, "compute threads; 0 = all cores").range(0, 1024);
  placement.describe(o);
  o.add("verbose", verbose, "say which layers went through torsor's kernels and which through libtorch");
  choice.describe(o);
  o.group("As the reference");
  o.add("as_reference", as_reference,
        "reproduce what the reference's test.py writes with the three options below: its resize, batch "
        "statistics, truncation, output at the resized size");
  o.add("preprocess", preprocess, "the reference's preprocess mode")
      .choices({"resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"});
  o.add("load_size", load_size, "side (or width) to resize to").range(1, 65536);
  o.add("crop_size", crop_size, "side of the crop").range(1, 65536);
}

struct Job {
  fs::path in, out;
};

Size parse_size(const std::string& text) {
  const auto cross = text.find('x');
  const auto number = [&](const std::string& digits) -> std::int64_t {
    if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos ||
        std::stoll(digits) < 1)
      fail_usage(
          "--resize: '{}' is not a size; write SIDE or WIDTHxHEIGHT in pixels, for example 256 or 640x480",
          text);
    return std::stoll(digits);
  };
  if (cross == std::string::npos) return {number(text), number(text)};
  return {number(text.substr(0, cross)), number(text.substr(cross + 1))};
}

fs::path with_format(fs::path out, const std::string& format) {
  if (!format.empty()) out.replace_extension("." + format);
  return out;
}

// Two inputs must not end in one output (x.png and x.jpg with --format png).
void require_distinct(const std::vector<Job>& jobs) {
  std::map<fs::path, fs::path> writers;
  for (const Job& job : jobs) {
    const auto [at, fresh] = writers.emplace(job.out, job.in);
    if (!fresh)
      fail("{} and {} would both be written to {}; leave --format out or rename one", at->second.string(),
           job.in.string(), job.out.string());
  }
}

std::vector<Job> plan(const fs::path& in, const fs::path& out, const std::string& format) {
  std::error_code ec;
  if (!fs::exists(in, ec)) fail("{}: no such file or folder", in.string());
  if (!fs::is_directory(in)) {
    if (fs::is_directory(out)) return {{in, with_format(out / in.filename(), format)}};
    if (!has_image_extension(out))
      fail_usage("{}: its extension does not name an image format ({}); or give a folder that exists",
                 out.string(), join(image_extensions()));
    if (!format.empty() && lower(out.extension().string()) != fmt::format(".{}", lower(format)))
      fail_usage("--format {}: {} has another ending; leave --format out or end the name in .{}", format,
                 out.string(), format);
    return {{in, out}};
  }
  if (fs::exists(out, ec) && !fs::is_directory(out))
    fail("{}: is a file, but IN is a folder; give a folder", out.string());
  const FolderSource source(in, 0);
  std::vector<Job> jobs;
  for (const fs::path& file : source.files())
    jobs.push_back({file, with_format(out / file.lexically_relative(in), format)});
  require_distinct(jobs);
  return jobs;
}

void require_free(const std::vector<Job>& jobs) {
  std::vector<std::string> taken;
  for (const Job& job : jobs) {
    std::error_code ec;
    if (fs::exists(job.out, ec)) taken.push_back(job.out.string());
  }
  if (!taken.empty())
    fail("{}{}: exists already; pass --overwrite to replace it, or choose another output", taken.front(),
         taken.size() > 1 ? fmt::format(" and {} more", taken.size() - 1) : "");
}

// An image as the generator takes it.
struct Input {
  Image image;  // u8 in its channels
  ValueRange range;
  std::string note;  // what was converted
};

// Throws Error naming the job's file when it cannot be read, converted or scaled.
Input read_input(const GeneratorRunner& translator, const Job& job) {
  const std::string name = job.in.string();
  Input input;
  input.image = translator.input_image(read_image(job.in), input.note, name);
  input.range = translator.input_range(input.image, name);
  return input;
}

// Reads inputs in order, a few of them ahead while others are translated.
class Reader {
 public:
  Reader(const GeneratorRunner& translator, const std::vector<Job>& jobs)
      : translator_(translator), jobs_(jobs) {}

  // The next job's. Throws as read_input() does.
  Input next() {
    while (coming_.size() < kAhead && begun_ < jobs_.size())
      coming_.push_back(std::async(std::launch::async, read_input, std::cref(translator_), jobs_[begun_++]));
    std::future<Input> first = std::move(coming_.front());
    coming_.pop_front();
    return first.get();
  }

 private:
  const GeneratorRunner& translator_;
  const std::vector<Job>& jobs_;
  std::size_t begun_ = 0;
  std::deque<std::future<Input>> coming_;
};

// Writes images while others are translated; an image that cannot be written is told of a few images later.
class Writer {
 public:
  void write(const Job& job, Image image) {
    if (leaving_.size() >= kAhead) wait_for_first();
    leaving_.push_back(std::async(std::launch::async, [out = job.out, image = std::move(image)] {
      make_folder(out.has_parent_path() ? out.parent_path() : fs::path("."));
      write_image(out, image);
    }));
  }
  void finish() {
    while (!leaving_.empty()) wait_for_first();
  }
  std::int64_t written() const { return written_; }

 private:
  void wait_for_first() {
    std::future<void> first = std::move(leaving_.front());
    leaving_.pop_front();
    first.get();
    ++written_;
  }

  std::deque<std::future<void>> leaving_;
  std::int64_t written_ = 0;
};

// Images that wait to be translated in one batch.
class Queue {
 public:
  Queue(const GeneratorRunner& translator, const TranslateOptions& options, InputCheck& check)
      : translator_(translator), options_(options), check_(check) {}

  void add(const Job& job, const Input& input) {
    check_.add(job.in.string(), input.image);
    if (options_.as_reference) {
      const TransformOptions reference{options_.preprocess, options_.load_size, options_.crop_size, false};
      return writer_.write(job, translate_as_reference(translator_, reference, input.image, job.in.string()));
    }
    if (!input.note.empty()) std::cerr << job.in.string() + ": " + input.note + "\n";
    const Image ready = resized(input.image);
    if (!waiting_.empty() && (ready.width != width_ || ready.height != height_)) flush();
    width_ = ready.width;
    height_ = ready.height;
    waiting_.push_back(job);
    tensors_.push_back(to_tensor(ready, input.range));
    if (static_cast<std::int64_t>(waiting_.size()) >= options_.batch_size) flush();
  }

  void flush() {
    if (waiting_.empty()) return;
    const at::Tensor out = translator_.translate(at::stack(tensors_));
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      writer_.write(waiting_[i], translator_.picture(out[static_cast<std::int64_t>(i)]));
    waiting_.clear();
    tensors_.clear();
  }

  // Everything that was added is on the disk then.
  void finish() {
    flush();
    writer_.finish();
  }

  std::int64_t written() const { return writer_.written(); }

 private:
  Image resized(const Image& image) const {
    if (options_.resize.empty()) return image;
    const Size size = parse_size(options_.resize);
    return resize_bicubic(image, size.width, size.height);
  }

  const GeneratorRunner& translator_;
  const TranslateOptions& options_;
  InputCheck& check_;
  std::vector<Job> waiting_;
  std::vector<at::Tensor> tensors_;
  std::int64_t width_ = 0, height_ = 0;
  Writer writer_;
};

int translate(const std::vector<std::string>& positionals) {
  const TranslateOptions& options = Bound<TranslateOptions>::instance().settings;
  const fs::path model = positionals[0], in = positionals[1], out = positionals[2];
  if (!options.resize.empty()) parse_size(options.resize);
  const std::vector<Job> jobs = plan(in, out, options.format);
  if (!options.overwrite) require_free(jobs);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const std::string statistics = options.as_reference ? "batch" : options.norm_stats;
  const GeneratorRunner translator =
      GeneratorRunner::open(model, {options.direction, norm_statistics_of(statistics),
                                    resolve_placement(options.placement), options.choice});
  for (const std::string& note : translator.loaded().notes) std::cerr << note + "\n";

  if (options.verbose) watch_engine(*translator.loaded().generator);
  InputCheck check(translator.loaded());
  Reader reader(translator, jobs);
  Queue queue(translator, options, check);
  std::int64_t skipped = 0, done = 0;
  for (const Job& job : jobs) {
    if (stop_flag().requested()) break;
    Input input;
    try {
      input = reader.next();
    } catch (const Error& e) {
      if (!options.skip_bad) fail("{}; --skip-bad goes on without it", e.what());
      std::cerr << "warning: skipped: " << e.what() << '\n';
      ++skipped;
      continue;
    }
    queue.add(job, input);
    if (jobs.size() > 1 && ++done % 50 == 0)
      std::cout << fmt::format("{}/{}\n", done, jobs.size()) << std::flush;
  }
  queue.finish();
  const std::string doubt = check.warning();
  if (!doubt.empty()) std::cerr << "warning: " + doubt + "\n";
  std::cout << fmt::format("{} image{} written to {}{}\n", queue.written(), queue.written() == 1 ? "" : "s",
                           out.string(), skipped > 0 ? fmt::format(", {} skipped", skipped) : "");
  if (options.verbose || engine_named(options.placement.engine) == Engine::check)
    std::cout << engine_report(translator.loaded().direction, *translator.loaded().generator);
  return stop_flag().requested() ? 128 + stop_flag().signal() : 0;
}

}  // namespace

Command translate_command() {
  return {"translate",
          "Translate an image or a folder of images",
          {{"MODEL", "run directory, torsor model file, or the reference's .pth"},
           {"IN", "image file or folder"},
           {"OUT", "image file or folder to write"}},
          &Bound<TranslateOptions>::instance().options,
          translate};
}

}  // namespace torsor::app
