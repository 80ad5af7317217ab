#include "infer/translation_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"

namespace torsor {

namespace {

bool is_inside(const fs::path& inner, const fs::path& outer) {
  const auto [rest_of_outer, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return rest_of_outer == outer.end();
}

void check_places(const fs::path& in, const fs::path& out, const PlanOptions& options) {
  const fs::path from = resolved_place(in), to = resolved_place(out);
  if (options.place == Place::in_place) {
    if (from != to)
      fail_usage("--in-place: {} is another place than {}; leave OUT out, or --in-place", out.string(),
                 in.string());
    if (!options.format.empty())
      fail_usage("--in-place and --format: an image that is replaced keeps its name and format; give one");
    return;
  }
  std::error_code ec;
  if (!fs::is_directory(in, ec)) return;  // require_no_input_replaced()
  if (from == to)
    fail_usage(
        "{}: is IN and OUT, so that each image would be replaced by its translation; choose another folder, "
        "or give --in-place if that is meant",
        out.string());
  if (is_inside(to, from))
    fail_usage(
        "{}: lies inside {}, so that its images would be inputs of the next run; choose a folder outside",
        out.string(), in.string());
}

fs::path with_format(fs::path out, const std::string& format) {
  if (!format.empty()) out.replace_extension("." + format);
  return out;
}

std::string beginning_of_file(const fs::path& path) {
  char head[64] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(head, sizeof head);
  return {head, static_cast<std::size_t>(file.gcount())};
}

// The output's name for an input that may have no extension.
fs::path output_name(const fs::path& in, const fs::path& name, const std::string& format) {
  if (has_image_extension(name)) return with_format(name, format);
  const std::string own = format.empty() ? image_extension_of(beginning_of_file(in)) : format;
  return own.empty() ? name : fs::path(name.native() + "." + own);
}

// The output and what stands beside it.
std::vector<fs::path> written_for(const TranslationJob& job, const PlanOptions& options) {
  std::vector<fs::path> out = {job.out};
  for (const std::string& ending : options.companions) out.push_back(beside(job.out, ending));
  return out;
}

// Two inputs must not end in one output (x.png and x.jpg with --format png).
void require_distinct(const std::vector<TranslationJob>& jobs, const PlanOptions& options) {
  std::map<fs::path, fs::path> writers;
  for (const TranslationJob& job : jobs)
    for (const fs::path& out : written_for(job, options)) {
      const auto [at, fresh] = writers.emplace(out, job.in);
      if (!fresh)
        fail("{} and {} would both be written to {}; leave --format out or rename one", at->second.string(),
             job.in.string(), out.string());
    }
}

std::vector<TranslationJob> jobs_for_file(const fs::path& in, const fs::path& out,
                                          const PlanOptions& options) {
  if (options.place == Place::in_place) return {{in, in}};
  if (fs::is_directory(out)) return {{in, output_name(in, out / in.filename(), options.format)}};
  if (!has_image_extension(out))
    fail_usage("{}: its extension does not name an image format ({}); or give a folder that exists",
               out.string(), join(image_extensions()));
  if (!options.format.empty() && lower(out.extension().string()) != fmt::format(".{}", lower(options.format)))
    fail_usage("--format {}: {} has another ending; leave --format out or end the name in .{}",
               options.format, out.string(), options.format);
  return {{in, out}};
}

// The format of an output that goes into no file.
std::string stream_format(const TranslationJob& job, const std::string& format) {
  if (!format.empty()) return format;
  if (job.given == nullptr && has_image_extension(job.in)) return job.in.extension().string().substr(1);
  const std::string own =
      image_extension_of(job.given != nullptr ? job.given->substr(0, 64) : beginning_of_file(job.in));
  return own.empty() ? "png" : own;  // for content that will not be read either
}

std::vector<TranslationJob> jobs_for_folder(const fs::path& in, const fs::path& out,
                                            const PlanOptions& options, LogSink& log) {
  std::error_code ec;
  if (fs::exists(out, ec) && !fs::is_directory(out))
    fail("{}: is a file, but IN is a folder; give a folder", out.string());
  std::vector<TranslationJob> jobs;
  const auto source = open_folder(in, 0, PageUse::images, options.bad_files, log);
  for (const fs::path& file : source->files())
    jobs.push_back({file, output_name(file, out / file.lexically_relative(in), options.format)});
  require_distinct(jobs, options);
  return jobs;
}

using FileIdentity = std::pair<dev_t, ino_t>;

std::optional<FileIdentity> identity_of(const fs::path& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  return FileIdentity{about.st_dev, about.st_ino};
}

// Also through links, and where the folder of an input is below the one of the outputs.
void require_no_input_replaced(const std::vector<TranslationJob>& jobs, const PlanOptions& options) {
  std::map<FileIdentity, fs::path> inputs;
  for (const TranslationJob& job : jobs)
    if (const auto file = identity_of(job.in)) inputs.emplace(*file, job.in);
  for (const TranslationJob& job : jobs)
    for (const fs::path& out : written_for(job, options)) {
      const auto file = identity_of(out);
      const auto found = file ? inputs.find(*file) : inputs.end();
      if (found != inputs.end())
        fail_usage(
            "{}: is the input {}, which would be replaced by a translation; choose another output, or give "
            "--in-place if that is meant",
            out.string(), found->second.string());
    }
}

// The first of a job's files that is there.
std::optional<fs::path> found_there(const TranslationJob& job, const PlanOptions& options) {
  std::error_code ec;
  for (const fs::path& out : written_for(job, options))
    if (fs::exists(out, ec)) return out;
  return std::nullopt;
}

bool is_whole(const TranslationJob& job, const PlanOptions& options) {
  const std::vector<fs::path> all = written_for(job, options);
  std::error_code ec;
  return std::all_of(all.begin(), all.end(), [&](const fs::path& out) { return fs::exists(out, ec); });
}

// Applies what is to be done about outputs that exist.
void meet_existing(TranslationPlan& plan, const PlanOptions& options) {
  const auto is_kept = [&](const TranslationJob& job) { return is_whole(job, options); };
  if (options.existing == ExistingOutputs::keep) {
    plan.kept = std::count_if(plan.jobs.begin(), plan.jobs.end(), is_kept);
    std::erase_if(plan.jobs, is_kept);
    return;
  }
  const auto is_there = [&](const TranslationJob& job) { return found_there(job, options).has_value(); };
  const auto there = std::count_if(plan.jobs.begin(), plan.jobs.end(), is_there);
  if (there == 0) return;
  if (options.existing == ExistingOutputs::replace) {
    plan.replaced = there;
    return;
  }
  const auto first = std::find_if(plan.jobs.begin(), plan.jobs.end(), is_there);
  const bool one = plan.jobs.size() == 1;
  fail("{}{}: exists already; pass --overwrite to replace {}, {}or choose another output",
       found_there(*first, options)->string(), there > 1 ? fmt::format(" and {} more", there - 1) : "",
       there > 1 ? "them" : "it", one ? "" : "--skip-existing to translate the others, ");
}

void require_writable_outputs(const std::vector<TranslationJob>& jobs) {
  const auto folder_of = [](const TranslationJob& job) {
    return job.out.has_parent_path() ? job.out.parent_path() : fs::path(".");
  };
  std::set<fs::path> folders;
  for (const TranslationJob& job : jobs) folders.insert(folder_of(job));
  try {
    for (const fs::path& folder : folders) require_writable(folder);
  } catch (const Error& e) {
    if (jobs.size() > 1) throw;
    fail("{}: {}", jobs.front().out.string(), e.what());
  }
}

}  // namespace

fs::path beside(const fs::path& out, const std::string& ending) {
  fs::path file = out;
  return file += ending;
}

fs::path resolved_place(const fs::path& path) {
  std::error_code ec;
  const fs::path absolute = fs::absolute(path, ec).lexically_normal();
  fs::path found = fs::weakly_canonical(absolute, ec);
  if (ec) found = absolute;
  return found.has_filename() ? found : found.parent_path();
}

TranslationPlan plan_stream(TranslationJob job, const PlanOptions& options) {
  if (options.place == Place::in_place)
    fail_usage("--in-place: standard input and output are no places; name a file, or leave --in-place out");
  std::error_code ec;
  if (job.given == nullptr && !fs::exists(job.in, ec)) fail("{}: no such file or folder", job.in.string());
  if (job.given == nullptr && fs::is_directory(job.in, ec))
    fail_usage("{}: is a folder, but standard output takes one image; name a folder as OUT", job.in.string());
  if (job.taken != nullptr) {
    job.out = "standard output." + stream_format(job, options.format);
    return {{std::move(job)}};
  }
  if (fs::is_directory(job.out, ec))
    fail_usage("{}: is a folder, but standard input has no name; name the file to write", job.out.string());
  TranslationPlan plan;
  plan.jobs = jobs_for_file(job.in, job.out, options);
  plan.jobs.front().given = std::move(job.given);
  meet_existing(plan, options);
  require_writable_outputs(plan.jobs);
  return plan;
}

TranslationPlan plan_translation(const fs::path& in, const fs::path& out, const PlanOptions& options,
                                 LogSink& log) {
  std::error_code ec;
  if (!fs::exists(in, ec)) fail("{}: no such file or folder", in.string());
  check_places(in, out, options);
  TranslationPlan plan;
  plan.jobs = fs::is_directory(in) ? jobs_for_folder(in, out, options, log) : jobs_for_file(in, out, options);
  if (options.place == Place::elsewhere) {
    require_no_input_replaced(plan.jobs, options);
    meet_existing(plan, options);
  } else {
    plan.replaced = static_cast<std::int64_t>(plan.jobs.size());
  }
  require_writable_outputs(plan.jobs);
  return plan;
}

}  // namespace torsor
