// torsor doctor
#include <iostream>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/progress.h"
#include "app/result_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "doctor/diagnosis.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

constexpr int kWarned = 3;  // exit code of --fail-on warning

struct DoctorSettings {
  std::string a, b, out;
  std::string fail_on = "nothing";
  DoctorOptions doctor;
  bool overwrite = false;
  bool json = false;
  ProgressOptions progress;

  void describe(OptionSet& o);
  void validate(const std::string& data) const;
};

void DoctorSettings::describe(OptionSet& o) {
  o.add("a", a, "folder of domain A, instead of DIR").common();
  o.add("b", b, "folder of domain B, instead of DIR").common();
  o.add("out", out, "folder for doctor.json and index.html, which shows findings and images").common();
  o.add("fail_on", fail_on, "warning: exit with code 3 where there are warnings, for scripts")
      .choices({"nothing", "warning"})
      .common();
  doctor.describe(o);
  o.add("overwrite", overwrite, "replace an earlier report in the folder of --out");
  progress.describe(o);
  o.add("json", json, "print what doctor.json holds; progress goes to standard error").common();
}

void DoctorSettings::validate(const std::string& data) const {
  progress.validate();
  doctor.presets_to_measure();
  const bool folders = !a.empty() || !b.empty();
  if (json) progress.leave_output_to_json();
  if (data.empty() && !folders) fail_usage("DIR is missing: give a folder of images, or --a DIR and --b DIR");
  if (!data.empty() && folders) fail_usage("DIR and --a/--b exclude each other; give one form");
  if (folders && (a.empty() || b.empty()))
    fail_usage("--a and --b go together; {} is missing; for one folder leave out both",
               a.empty() ? "--a" : "--b");
}

void require_free_report(const DoctorSettings& s) {
  if (s.out.empty()) return;
  require_free_result(s.out, fs::path(s.out) / "doctor.json", s.overwrite ? Earlier::replace : Earlier::keep);
}

// A name from the file system need not be UTF-8.
std::string json_text(const Diagnosis& found) {
  return diagnosis_json(found).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_diagnosis(const Diagnosis& found, const std::string& command, const fs::path& folder) {
  make_folder(folder);
  doctor_page(found, command).save(folder / "index.html");
  write_file_atomically(folder / "doctor.json", json_text(found));
}

void say_found(const Diagnosis& found, ProgressDisplay& display) {
  for (const SurveyedSet& set : found.survey.sets) display.say(set_text(set));
  for (const ImageFinding& finding : found.findings)
    display.say(fmt::format("{}: {}: {}", finding.level == Level::warning ? "warning" : "info", finding.id,
                            finding.text));
  for (const PresetCost& cost : found.costs) display.say("preset " + cost_text(cost));
  display.say(fmt::format("{}; suggested:\n  {}", count_text(found.warnings(), "warning"), found.command));
}

int examine(const std::vector<std::string>& positionals) {
  const auto& bound = Bound<DoctorSettings>::instance();
  const DoctorSettings& s = bound.settings;
  s.validate(positionals[0]);
  require_free_report(s);
  const auto display =
      std::make_shared<ProgressDisplay>(s.progress.audience(), s.json ? Stream::error : Stream::output);
  display->report({{"event", "start"}, {"data", positionals[0]}, {"out", s.out}});
  PartsLog log(display);
  try {
    const Diagnosis found = diagnose(positionals[0], s.a, s.b, s.doctor, log, stop_flag());
    display->close();
    say_found(found, *display);
    if (!s.out.empty()) {
      write_diagnosis(
          found, command_text("doctor", positionals, bound.options, {"quiet", "json_progress", "json"}, ""),
          s.out);
      display->say(fmt::format("written to {}: doctor.json and the page index.html", s.out));
    }
    display->report({{"event", "end"}, {"doctor", diagnosis_json(found)}});
    if (s.json) std::cout << json_text(found);
    return s.fail_on == "warning" && found.warnings() > 0 ? kWarned : 0;
  } catch (const StoppedError&) {
    display->close();
    display->say_aside("stopped: nothing is written");
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command doctor_command() {
  return {"doctor",
          "Look at the images before a training: broken, double, odd ones, A against B, time and memory",
          {{"DIR", "folder as train's --data takes it, or any folder of images", Need::optional}},
          &Bound<DoctorSettings>::instance().options,
          examine,
          {"torsor doctor --a photos/horses --b photos/zebras --out examined",
           "torsor doctor horse2zebra --presets laptop", "torsor doctor photos --fail-on warning --json"}};
}

}  // namespace torsor::app
