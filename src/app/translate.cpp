// torsor translate
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <sstream>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/engine_report.h"
#include "app/image_size.h"
#include "app/translate_evidence.h"
#include "app/translate_report.h"
#include "core/error.h"
#include "core/text.h"
#include "image/codec.h"
#include "infer/input_scale.h"
#include "interchange/weight_source.h"
#include "model/placement.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

const std::string kStandard = "-";  // input or output
constexpr int kWithheld = 3;        // exit code of --refuse

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
  std::string bit_depth = "auto";
  bool keep_profile = false;
  std::string pages;
  std::optional<double> white, black;
  std::int64_t quality = 95;
  bool overwrite = false;
  bool skip_existing = false;
  bool in_place = false;
  bool skip_bad = false;
  bool force = false;
  bool check_first = true;
  bool verbose = false;
  PlacementOptions placement;
  WeightChoice choice;
  EvidenceFlags evidence;
  ProgressOptions progress;

  void describe(OptionSet& o);
  void validate() const;
};

void TranslateOptions::describe(OptionSet& o) {
  add_direction(o, direction, "a_to_b or b_to_a [a_to_b, or what the file holds]");
  o.add("resize", resize,
        "translate at this size: SIDE or WIDTHxHEIGHT; the output has it too [the input's size]")
      .common();
  add_output_format(o, format,
                    "write all outputs in this format: " + join(image_extensions()) + " [the input's]");
  add_bit_depth(o, bit_depth);
  o.add("keep_profile", keep_profile,
        "write outputs in the colours of their inputs' ICC profiles, which are embedded unchanged; else in "
        "sRGB, "
        "which is embedded where the input had a profile");
  o.add("pages", pages,
        "what the pages of TIFFs are: images, channels of one image, or slices [as the model was trained, "
        "else "
        "images]")
      .check([](const std::string& v, const std::string&) {
        if (!v.empty()) page_use_named(v);
      })
      .suggest(page_uses());
  o.add("white", white,
        "the sample that is white in the inputs [as the model says; else by their type: 255, 65535, and of "
        "floats 1 or 255, whichever first holds 99.9 % of all inputs' samples, or their largest]");
  o.add("black", black, "the sample that is black in the inputs [as the model says, else 0]");
  o.add("quality", quality, "of JPEG and WebP outputs, whatever their inputs had; WebP's 100 is lossless")
      .range(0, 100);
  o.add("overwrite", overwrite, "replace outputs that exist").common();
  o.add("skip_existing", skip_existing, "leave outputs that exist, so that an interrupted run continues")
      .common();
  o.add("in_place", in_place, "replace the inputs by their translations; OUT is left out").common();
  o.add("force", force, "continue even where the estimate exceeds the memory");
  o.add("skip_bad", skip_bad, "continue without images that cannot be read or scaled; the exit code stays 0")
      .common();
  o.add("check_first", check_first, "read all inputs once before the first is translated");
  o.add("batch_size", batch_size, "images of equal size translated together").range(1, 1024);
  add_norm_stats(o, norm_stats);
  o.add("threads", threads, "compute threads; 0 = all processors that it may use").range(0, 1024);
  placement.describe(o);
  o.add("verbose", verbose, "say which layers went through torsor's kernels and which through libtorch");
  choice.describe(o);
  evidence.describe(o);
  o.group("As the reference");
  o.add("as_reference", as_reference,
        "reproduce what the reference's test.py writes with the three options below: its resize, batch "
        "statistics, truncation, output at the resized size");
  o.add("preprocess", preprocess, "the reference's preprocess mode")
      .choices({"resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"});
  o.add("load_size", load_size, "side (or width) to resize to").range(1, 65536);
  o.add("crop_size", crop_size, "side of the crop").range(1, 65536);
  progress.describe(o);
}

void TranslateOptions::validate() const {
  progress.validate();
  evidence.validate();
  if (evidence.evidence && as_reference)
    fail_usage("--evidence and --as-reference contradict each other: the reference resizes images; give one");
  if (evidence.refuse != "nothing" && in_place)
    fail_usage(
        "--refuse {} and --in-place: what is withheld would leave its input under the output's name; "
        "give OUT instead",
        evidence.refuse);
  if (white && black && !(*white > *black))
    fail_usage("--white {:g} and --black {:g}: give a white above black", *white, *black);
  if (as_reference && (bit_depth == "16" || bit_depth == "float"))
    fail_usage(
        "--bit-depth {} and --as-reference contradict each other: the reference writes 8 bits; give one",
        bit_depth);
  if (as_reference && keep_profile)
    fail_usage(
        "--keep-profile and --as-reference contradict each other: the reference knows no profiles; give one");
  if (keep_profile && !format.empty() && !format_holds_profile("x." + format))
    fail_usage("--keep-profile and --format {}: such files hold no ICC profile; give one", format);
  if (overwrite && skip_existing)
    fail_usage("--overwrite and --skip-existing contradict each other; give one");
  if (in_place && skip_existing) fail_usage("--in-place and --skip-existing contradict each other; give one");
  if (as_reference && !resize.empty())
    fail_usage(
        "--resize and --as-reference contradict each other: the reference resizes to --load-size; "
        "give one");
}

Treatment treatment_of(const TranslateOptions& options) {
  Treatment out;
  if (!options.resize.empty()) out.resize = parse_size(options.resize, "--resize");
  if (options.as_reference)
    out.reference = {options.preprocess, options.load_size, options.crop_size, /*flip=*/false};
  out.batch_size = options.batch_size;
  out.bad_files = options.skip_bad ? BadFiles::skip : BadFiles::refuse;
  out.bit_depth = bit_depth_named(options.bit_depth);
  out.colours = options.keep_profile ? OutputColours::of_input : OutputColours::srgb;
  if (!options.pages.empty()) out.pages = page_use_named(options.pages);
  out.memory = options.force ? MemoryUse::any : MemoryUse::that_there_is;
  out.companions = options.evidence.evidence ? Companions::evidence : Companions::none;
  out.encode.jpeg_quality = out.encode.webp_quality = static_cast<int>(options.quality);
  return out;
}

PlanOptions plan_options_of(const TranslateOptions& options) {
  return {options.format,
          options.overwrite       ? ExistingOutputs::replace
          : options.skip_existing ? ExistingOutputs::keep
                                  : ExistingOutputs::refuse,
          options.in_place ? Place::in_place : Place::elsewhere,
          options.skip_bad ? BadFiles::skip : BadFiles::refuse, options.evidence.companions()};
}

// IN and OUT as they were given.
struct Ends {
  std::string in, out;
  bool from_standard() const { return in == kStandard; }
  bool to_standard() const { return out == kStandard; }
};

Ends ends_of(const std::vector<std::string>& positionals, const TranslateOptions& options) {
  const Ends ends{positionals[1], positionals[2]};
  if (ends.out.empty() && !options.in_place)
    fail_usage("OUT is missing: image file or folder to write; see torsor translate --help");
  if (ends.to_standard() && options.progress.json_progress)
    fail_usage("--json-progress: standard output receives the image; name a file as OUT");
  if (ends.to_standard() && options.evidence.evidence)
    fail_usage(
        "--evidence: standard output receives the image and has no place beside it; name a file as OUT");
  if (ends.to_standard() && ::isatty(STDOUT_FILENO) == 1)
    fail_usage("OUT is -, standard output, which is a terminal here; redirect it, for example > out.png");
  return ends;
}

TranslationPlan plan_of(const Ends& ends, const PlanOptions& options, LogSink& log) {
  if (!ends.from_standard() && !ends.to_standard())
    return plan_translation(ends.in, ends.out.empty() ? ends.in : ends.out, options, log);
  TranslationJob job{ends.in, ends.out};
  if (ends.from_standard()) {
    job.in = "standard input";
    job.given = std::make_shared<const std::string>(std::istreambuf_iterator<char>(std::cin),
                                                    std::istreambuf_iterator<char>());
  }
  if (ends.to_standard()) job.taken = std::make_shared<std::string>();
  return plan_stream(std::move(job), options);
}

// What is written when it ends early, and how to continue.
std::string what_is_done(const TranslationPlan& plan, std::int64_t written,
                         const std::vector<std::string>& positionals) {
  const std::string count = fmt::format("{} of {} images", written, plan.jobs.size());
  if (plan.replaced > 0)
    return fmt::format("the first {}, in the order of their paths, {} written, over what was there", count,
                       written == 1 ? "is" : "are");
  return fmt::format("{} {} written; to continue: {}", count, written == 1 ? "is" : "are",
                     command_text("translate", positionals, Bound<TranslateOptions>::instance().options,
                                  {"overwrite", "skip_existing"}, "--skip-existing"));
}

// Runs, and has an error say what is done already.
void run(FolderTranslation& translation, const TranslationPlan& plan, TranslateReport& report,
         const std::vector<std::string>& positionals) {
  const auto done = [&] { return what_is_done(plan, translation.written(), positionals); };
  try {
    translation.run(stop_flag());
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    if (translation.written() == 0) throw;
    fail("{}; {}", error.what(), done());
  } catch (...) {
    if (translation.written() > 0) report.display().say_aside(done());
    throw;
  }
  if (stop_flag().requested()) report.display().say_aside("stopped: " + done());
}

RunnerOptions runner_options_of(const TranslateOptions& options) {
  const std::string statistics = options.as_reference ? "batch" : options.norm_stats;
  return {options.direction, norm_statistics_of(statistics), resolve_placement(options.placement),
          options.choice};
}

void say_paths(const GeneratorRunner& runner, ProgressDisplay& display) {
  std::istringstream lines(engine_report(runner.loaded().direction.name(), *runner.loaded().generator));
  for (std::string line; std::getline(lines, line);) display.say(line);
}

void write_standard_output(const std::string& bytes) {
  if (!(std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())) && std::cout.flush()))
    fail("standard output: cannot be written; is its disk full or its reader gone?");
}

int exit_code(std::int64_t withheld = 0) {
  if (stop_flag().requested()) return 128 + stop_flag().signal();
  return withheld > 0 ? kWithheld : 0;
}

// The inputs that can be translated.
struct Inputs {
  std::int64_t skipped = 0, pages = 0;
};

// Reads them all, and leaves those in the plan that are good. Nothing when a stop was requested.
std::optional<Inputs> looked_at(const GeneratorRunner& runner, const Treatment& treatment,
                                TranslationPlan& plan, TranslateReport& report) {
  InputSurvey survey = survey_inputs(runner, plan.jobs, treatment, report, stop_flag());
  if (stop_flag().requested()) return std::nullopt;
  meet_bad_inputs(survey, treatment.bad_files, report);
  report.notes(survey.notes);
  if (!survey.scale_warning.empty()) report.log().warning(survey.scale_warning);
  plan.jobs = std::move(survey.good);
  return Inputs{static_cast<std::int64_t>(survey.bad.size()), survey.pages};
}

int translate(const std::vector<std::string>& positionals) {
  const TranslateOptions& options = Bound<TranslateOptions>::instance().settings;
  options.validate();
  const Treatment treatment = treatment_of(options);
  const Ends ends = ends_of(positionals, options);
  TranslateReport report(std::make_shared<ProgressDisplay>(
      options.progress.audience(), ends.to_standard() ? Stream::error : Stream::output));
  TranslationPlan plan = plan_of(ends, plan_options_of(options), report.log());
  use_threads(options.threads);
  const RunnerOptions runner_options = runner_options_of(options);
  WeightSet weights = open_weights(positionals[0], options.choice);
  GeneratorRunner runner(load_generator(weights, options.direction), runner_options);
  for (const std::string& note : runner.loaded().notes) report.log().notice(note);
  if (options.verbose) watch_engine(*runner.loaded().generator);
  const auto evidence =
      evidence_writer(options.evidence, positionals[0], weights, runner, runner_options, treatment, report);
  weights = {};  // the networks have copies

  report.start(positionals[0], plan);
  scale_inputs(runner, {options.white, options.black}, plan.jobs, report.log());
  Inputs inputs{0, static_cast<std::int64_t>(plan.jobs.size())};
  if (options.check_first) {
    const std::optional<Inputs> found = looked_at(runner, treatment, plan, report);
    if (!found) {
      report.display().say_aside("stopped: nothing is written yet");
      return exit_code();
    }
    inputs = *found;
  }
  FolderTranslation translation(runner, plan.jobs, inputs.pages, treatment, report, evidence.get());
  run(translation, plan, report, positionals);
  if (!options.check_first) report.notes(translation.notes());
  if (const std::string doubt = translation.doubt(); !doubt.empty()) report.log().warning(doubt);
  if (ends.to_standard() && translation.written() == 1) write_standard_output(*plan.jobs.front().taken);
  report.end(plan, translation, inputs.skipped + translation.skipped(), evidence.get(),
             ends.to_standard() ? "standard output"
             : ends.out.empty() ? ends.in
                                : ends.out);
  if (options.verbose || engine_named(options.placement.engine) == Engine::check)
    say_paths(runner, report.display());
  return exit_code(evidence != nullptr ? evidence->withheld() : 0);
}

}  // namespace

Command translate_command() {
  return {"translate",
          "Translate an image or a folder of images",
          {{"MODEL", "run directory, torsor model file, the reference's .pth, or the word identity (copies)"},
           {"IN", "image file or folder; - = standard input, one image"},
           {"OUT", "image file or folder to write; - = standard output, one image", Need::optional}},
          &Bound<TranslateOptions>::instance().options,
          translate,
          {"torsor translate runs/zebras photos/horses translated",
           "torsor translate latest_net_G_A.pth horse.jpg zebra.jpg",
           "torsor translate calibrated.safetensors scans out --evidence --refuse doubtful"}};
}

}  // namespace torsor::app
