// torsor transport
#include <iostream>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/progress.h"
#include "app/result_folder.h"
#include "audit/transport_measurement.h"
#include "core/allocation.h"
#include "core/error.h"

namespace torsor::app {

namespace {

struct TransportSettings {
  std::string data, a, b, out;
  TransportOptions transport;
  PlacementOptions placement;
  std::int64_t threads = 0;
  bool overwrite = false;
  bool json = false;
  ProgressOptions progress;

  void describe(OptionSet& o);
  void validate() const;
};

void TransportSettings::describe(OptionSet& o) {
  o.add("data", data, "instead of folders: the test images of what train's --data names").common();
  o.add("a", a, "folder of images of domain A, best those that training did not see").common();
  o.add("b", b, "folder of images of domain B").common();
  o.add("out", out, "folder for transport.json and index.html").common();
  transport.describe(o);
  o.add("overwrite", overwrite, "replace a result in the folder of --out");
  o.add("threads", threads, "compute threads; 0 = all processors that it may use").range(0, 1024);
  placement.describe(o);
  progress.describe(o);
  o.add("json", json, "print what transport.json holds; progress goes to standard error").common();
}

void TransportSettings::validate() const {
  progress.validate();
  if (json) progress.leave_output_to_json();
  if (out.empty()) fail_usage("--out is missing: torsor transport RUN --a DIR --b DIR --out DIR");
}

std::string blocks_text(const DirectionTransport& direction) {
  if (!direction.blocks.measures) return "not measured: " + direction.blocks.why_not;
  const BlockMeasures& blocks = *direction.blocks.measures;
  return fmt::format("energy {}{}; straightness {}", transport_text(blocks.energy),
                     blocks.normalised ? ", set by the blocks' norms" : "",
                     transport_text(blocks.straightness));
}

void say_transport(const TransportResult& done, const TransportSettings& s, ProgressDisplay& display) {
  display.close();
  for (const DirectionTransport& direction : done.directions) {
    const MapTransport& map = direction.map;
    display.say(direction.name + ":");
    display.say(fmt::format("  own       {}; its outputs given to other inputs at random: {:.4g}",
                            transport_text(map.own), map.sizes.back().shuffled));
    display.say(fmt::format("  cost      {}", transport_text(map.cost)));
    display.say(fmt::format("  optimal   {}; corrected {}", transport_text(map.optimal),
                            transport_text(map.corrected)));
    display.say(fmt::format("  random    {}", transport_text(map.random)));
    display.say(fmt::format("  gap       {}", transport_text(map.gap)));
    display.say(fmt::format("  violated  pairs {}; triples {}", transport_text(map.exchange),
                            transport_text(map.ring)));
    display.say("  blocks    " + blocks_text(direction));
  }
  display.say("a low cost is no proof that translations are right; block energy is not a cost in pixels");
  display.say(fmt::format("written to {}: transport.json and the page index.html", s.out));
  display.report({{"event", "end"}, {"page", transport_files(s.out).page.string()}});
  if (s.json) std::cout << transport_json(done).dump(2) << "\n";
}

int transport(const std::vector<std::string>& positionals) {
  const auto& bound = Bound<TransportSettings>::instance();
  const TransportSettings& s = bound.settings;
  s.validate();
  require_free_result(s.out, transport_files(s.out).json, s.overwrite ? Earlier::replace : Earlier::keep);
  use_threads(s.threads);
  keep_freed_memory();
  const auto display =
      std::make_shared<ProgressDisplay>(s.progress.audience(), s.json ? Stream::error : Stream::output);
  display->report({{"event", "start"}, {"run", positionals[0]}, {"out", s.out}});
  try {
    const TransportResult done =
        measure_transport({positionals[0], s.data, s.a, s.b, s.placement}, s.transport,
                          std::make_shared<PartsLog>(display), stop_flag());
    write_transport(
        done, command_text("transport", positionals, bound.options, {"quiet", "json_progress", "json"}, ""),
        s.out);
    say_transport(done, s, *display);
    return 0;
  } catch (const StoppedError&) {
    display->close();
    display->say_aside("stopped: nothing is written");
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command transport_command() {
  return {"transport",
          "Measure what a translator's map costs beside the cheapest map of the same images",
          {{"RUN", "run directory or any other weights that translate takes"}},
          &Bound<TransportSettings>::instance().options,
          transport,
          {"torsor transport runs/zebras --a photos/testA --b photos/testB --out transport",
           "torsor transport runs/shapes --data generated:circles-squares --features random-vgg --out "
           "transport"}};
}

}  // namespace torsor::app
