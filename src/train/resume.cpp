#include "train/resume.h"

#include "core/error.h"
#include "core/files.h"
#include "core/plain_text.h"
#include "core/text.h"
#include "data/data_source.h"
#include "telemetry/jsonl.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

struct Checkpoint {
  Archive archive;
  ModelInfo info;
};

Checkpoint read_checkpoint(const fs::path& path) {
  Checkpoint out{Archive::read(path), {}};
  out.info = read_model_info(out.archive.metadata(), path.string());
  return out;
}

// Why a continued run has to keep an option, by the heading it stands under.
std::string reason_to_keep(const Option& option) {
  if (option.name() == "seed") return "its random numbers follow from it";
  if (option.group() == "Data") return "its place in the data and the order of images follow from it";
  if (option.group() == "Networks") return "the checkpoint's weights belong to these networks";
  if (option.group() == "Run") return "it only chooses settings when a run begins";
  return "the checkpoint's moments and history belong to it";
}

// How a run names itself says nothing about its course.
bool is_about_the_place(const std::string& name) { return name == "out" || name == "resume"; }

[[noreturn]] void refuse(const Option& option, const Json& then, const fs::path& run) {
  fail_usage(
      "{} {}: in {} it is {}, and a continued run keeps it ({}); leave the option out, or begin a new run "
      "from these weights: --init-from {}",
      option.flag(), plain_text(option.value()), run.string(), then.is_null() ? "none" : then.dump(),
      reason_to_keep(option), run.string());
}

// What names images, or what goes with them; a model need not have all of these.
constexpr const char* kImageOptions[] = {"data",      "a",         "b",
                                         "val_a",     "val_b",     "transport_encoder",
                                         "anchors_a", "anchors_b", "content_encoder",
                                         "labels_a",  "labels_b"};

bool is_file(const std::string& option) {
  return option == "transport_encoder" || option == "content_encoder" || option == "labels_a" ||
         option == "labels_b";
}

bool is_there(const std::string& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

// "" where the model has no such option.
std::string image_option(const TrainConfig& config, const std::string& name) {
  const Json value = option_value(config, name);
  return value.is_string() ? value.get<std::string>() : "";
}

// What the last session that noted it says of the images; an object, empty where none did.
Json stored_images(const RunDirectory& directory) {
  Json images = Json::object();
  if (!is_there(directory.sessions().string())) return images;
  read_jsonl(directory.sessions(), [&](const Json& session) {
    if (session.contains("images") && session.at("images").is_object()) images = session.at("images");
  });
  return images;
}

// Where the run last found the images that it calls `given`; "" where it did not say.
std::string stored_path(const Json& images, const std::string& name, const std::string& given) {
  const auto found = images.find(name);
  if (found == images.end() || !found->is_object()) return "";
  const auto text = [&](const char* key) {
    return found->contains(key) && found->at(key).is_string() ? found->at(key).get<std::string>() : "";
  };
  return text("given") == given ? text("at") : "";
}

// Of the options that no flag gives anew.
ImagePaths find_images(const RunDirectory& directory, const TrainConfig& config, const Json& flags) {
  ImagePaths found;
  const Json images = stored_images(directory);
  for (const char* name : kImageOptions) {
    const std::string given = image_option(config, name);
    if (given.empty() || is_drawn(given) || flags.contains(name)) continue;
    const std::string at = stored_path(images, name, given);
    if (!at.empty() && is_there(at))
      found[name] = at;
    else if (!is_there(given))
      fail_usage("--{} {}: {} of {} {} there{}; say where {} now: --{} {}", kebab_case(name), given,
                 is_file(name) ? "this file" : "the images", directory.root().string(),
                 is_file(name) ? "is not" : "are not", at.empty() || at == given ? "" : ", nor at " + at,
                 is_file(name) ? "it is" : "they are", kebab_case(name), is_file(name) ? "FILE" : "DIR");
  }
  return found;
}

}  // namespace

ResumePoint open_resume_point(const fs::path& run, LogSink& log) {
  const RunDirectory directory(run);
  directory.require();
  std::vector<std::string> warnings;
  std::string lock_warning;
  RunLock lock(directory, lock_warning);
  if (!lock_warning.empty()) warnings.push_back(lock_warning);
  directory.remove_leftovers();
  const auto there = directory.list_checkpoints();
  for (auto at = there.rbegin(); at != there.rend(); ++at) {
    try {
      Checkpoint good = read_checkpoint(at->path);
      for (const std::string& warning : warnings) log.warning(warning);
      return {directory,          std::move(lock), at->path, std::move(good.archive), std::move(good.info),
              std::move(warnings)};
    } catch (const Error& error) {
      warnings.push_back(fmt::format("passed over a checkpoint: {}", error.what()));
    }
  }
  if (there.empty())
    fail(
        "{}: has no checkpoint to resume from; it ended before the first was written: begin it again with "
        "the "
        "command that began it and --restart, or with --config {} --restart",
        run.string(), directory.config().string());
  fail("{}: none of its {} checkpoints can be used; the newest: {}", run.string(), there.size(),
       warnings[lock_warning.empty() ? 0 : 1]);
}

ResumedConfig resumed_config(const ResumePoint& point, const Json& flags) {
  const fs::path run = point.directory.root();
  TrainConfig before = config_from_json(point.info.training, point.checkpoint.string());
  OptionSet then;
  before.describe(then);
  ResumedConfig out{before, {}, {}};
  OptionSet options;
  out.config.describe(options);
  options.from_json(read_json(point.directory.config()), point.directory.config().string());
  options.from_json(flags, "flags");
  for (const Option& option : options.options()) {
    const Json old = then.find(option.name())->value();
    if (is_about_the_place(option.name()) || option.value() == old) continue;
    if (!option.is_changeable()) refuse(option, old, run);
    out.changes.push_back({option.name(), old, option.value()});
  }
  out.config.run.out = run.string();
  out.config.run.resume.clear();
  out.image_paths = find_images(point.directory, out.config, flags);
  return out;
}

TrainConfig with_images_at(TrainConfig config, const ImagePaths& paths) {
  for (const auto& [name, path] : paths) set_option(config, name, path);
  return config;
}

Json images_as_stored(const TrainConfig& found, const TrainConfig& given) {
  Json out = Json::object();
  for (const char* name : kImageOptions) {
    const std::string path = image_option(found, name);
    if (path.empty() || is_drawn(path)) continue;
    std::error_code ec;
    const std::string whole = fs::absolute(path, ec).lexically_normal().string();
    if (ec || !is_utf8(whole)) continue;  // JSON could not hold it
    out[name] = {{"given", image_option(given, name)}, {"at", whole}};
  }
  return out;
}

}  // namespace torsor
