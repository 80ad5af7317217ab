// The framework of `torsor reproduce`: an experiment measures, decides by a rule stated beforehand, and
// presents; the framework stores its numbers and writes its page.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/log.h"
#include "core/options.h"
#include "core/stop.h"
#include "model/placement.h"
#include "report/chart.h"
#include "report/html.h"
#include "train/run_set.h"

namespace torsor {

/// smoke: seconds, shows that everything runs; quick: minutes on two cores; full: as large as the paper's.
enum class Scale { smoke, quick, full };
std::string scale_name(Scale scale);

struct ReproduceOptions {
  std::string scale = "quick";
  std::string seeds = {};  // "0-4", "3,8"; "" = those that the experiment has fixed
  std::string data = {};   // folder of real data; "" = what torsor generates
  std::string out = {};    // folder for page and numbers; "" = reproduction/ID
  bool overwrite = false;  // replace an earlier result there
  std::string device = "auto";

  void describe(OptionSet& o);
};

/// The request to an experiment.
struct Request {
  Scale scale;
  std::vector<std::uint64_t> seeds;  // at least one
  std::filesystem::path data;        // "" = generated
  std::filesystem::path out;         // a folder that is there
  std::shared_ptr<LogSink> log;
  const StopFlag& stop;
  PlacementOptions placement = {};  // of networks
  std::string experiment = {};      // its id

  RunSet runs() const { return {seeds, out, log, stop, placement}; }
};

/// One line of an experiment's set-up.
struct Setting {
  std::string what, value;
  std::string why = {};  // "" = the paper says so; else it is open there, and this is why we chose so
};

enum class Verdict { agrees, disagrees, cannot_tell };
std::string verdict_name(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::cannot_tell;
  std::string because;  // one sentence with the numbers that decide
};

struct ExperimentInfo {
  std::string id;     // of the claim in the paper: "S0-C4"
  std::string title;  // a few words
  std::string plain;  // one sentence for a lay reader, without symbols: the question, and what the page shows
  std::string claim;  // what the paper says, in our words
  std::string rule;   // stated before measuring: "agrees: ... disagrees: ... cannot tell: ...", in this order
  std::string data = {};                  // what --data must hold; "" = it takes none
  std::array<std::string, 3> takes = {};  // time at smoke, quick and full
  std::array<std::string, 3> seeds = {};  // fixed beforehand, by scale; "" = nothing is drawn
  bool networks = false;                  // trains some, on --device; all else is computed on the CPU
};

/// A page of one experiment; its drawings are also written to OUT/figures as SVG and PNG.
class ReproductionPage {
 public:
  ReproductionPage(HtmlPage& html, std::filesystem::path figures)
      : html_(html), figures_(std::move(figures)) {}
  HtmlPage& html() { return html_; }
  void drawing(const std::string& name, const Drawing& drawing, const std::string& caption);
  /// A picture made for the page, also written to OUT/figures/<name>.png.
  void image(const std::string& name, const Image& image, const std::string& caption);
  /// A picture that measure() wrote as OUT/figures/<name>.png. Throws Error when it is not there.
  void picture(const std::string& name, const std::string& caption);

 private:
  HtmlPage& html_;
  std::filesystem::path figures_;
};

class Experiment {
 public:
  virtual ~Experiment() = default;
  virtual const ExperimentInfo& info() const = 0;
  virtual std::vector<Setting> setup(Scale scale) const = 0;
  /// Trains and measures. The numbers must be all that judge() and present() need. Throws Error, and
  /// StoppedError when it was asked to stop: nothing is judged or written then.
  virtual Json measure(const Request& request) const = 0;
  /// Applies info().rule; a pure function of the numbers.
  virtual Finding judge(const Json& results) const = 0;
  /// Tables and figures.
  virtual void present(const Json& results, ReproductionPage& page) const = 0;
};

struct Reproduction {
  std::string verdict, because;
  std::filesystem::path page;
};

/// Measures, judges, and writes OUT/index.html, OUT/results.json and OUT/figures/. Throws UsageError when OUT
/// holds a result and `overwrite` is off, or for options that the experiment does not take.
Reproduction reproduce(const Experiment& experiment, const ReproduceOptions& options,
                       std::shared_ptr<LogSink> log, const StopFlag& stop);

/// What reproduce() stores: setup, results and verdict of one run. A smoke run cannot tell, whatever its few
/// numbers are.
Json reproduction_record(const Experiment& experiment, const Request& request, const Json& results);

/// The page of such a record; drawings go to `figures` too.
HtmlPage reproduction_page(const Experiment& experiment, const Json& record,
                           const std::filesystem::path& figures);

}  // namespace torsor
