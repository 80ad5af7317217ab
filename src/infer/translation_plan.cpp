#include "infer/translation_plan.h"

#include <map>

#include "core/error.h"
#include "core/text.h"
#include "data/folder_source.h"
#include "image/codec.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

fs::path with_format(fs::path out, const std::string& format) {
  if (!format.empty()) out.replace_extension("." + format);
  return out;
}

// Two inputs must not end in one output (x.png and x.jpg with --format png).
void require_distinct(const std::vector<TranslationJob>& jobs) {
  std::map<fs::path, fs::path> writers;
  for (const TranslationJob& job : jobs) {
    const auto [at, fresh] = writers.emplace(job.out, job.in);
    if (!fresh)
      fail("{} and {} would both be written to {}; leave --format out or rename one", at->second.string(),
           job.in.string(), job.out.string());
  }
}

void require_free(const std::vector<TranslationJob>& jobs) {
  std::vector<std::string> taken;
  for (const TranslationJob& job : jobs) {
    std::error_code ec;
    if (fs::exists(job.out, ec)) taken.push_back(job.out.string());
  }
  if (!taken.empty())
    fail("{}{}: exists already; pass --overwrite to replace it, or choose another output", taken.front(),
         taken.size() > 1 ? fmt::format(" and {} more", taken.size() - 1) : "");
}

TranslationJob job_for_file(const fs::path& in, const fs::path& out, const std::string& format) {
  if (fs::is_directory(out)) return {in, with_format(out / in.filename(), format)};
  if (!has_image_extension(out))
    fail_usage("{}: its extension does not name an image format ({}); or give a folder that exists",
               out.string(), join(image_extensions()));
  if (!format.empty() && lower(out.extension().string()) != fmt::format(".{}", lower(format)))
    fail_usage("--format {}: {} has another ending; leave --format out or end the name in .{}", format,
               out.string(), format);
  return {in, out};
}

std::vector<TranslationJob> jobs_for_folder(const fs::path& in, const fs::path& out,
                                            const std::string& format) {
  std::error_code ec;
  if (fs::exists(out, ec) && !fs::is_directory(out))
    fail("{}: is a file, but IN is a folder; give a folder", out.string());
  std::vector<TranslationJob> jobs;
  const FolderSource source(in, 0);
  for (const fs::path& file : source.files())
    jobs.push_back({file, with_format(out / file.lexically_relative(in), format)});
  require_distinct(jobs);
  return jobs;
}

}  // namespace

std::vector<TranslationJob> plan_translation(const fs::path& in, const fs::path& out,
                                             const PlanOptions& options) {
  std::error_code ec;
  if (!fs::exists(in, ec)) fail("{}: no such file or folder", in.string());
  std::vector<TranslationJob> jobs = fs::is_directory(in)
                                         ? jobs_for_folder(in, out, options.format)
                                         : std::vector{job_for_file(in, out, options.format)};
  if (options.existing == ExistingOutputs::refuse) require_free(jobs);
  return jobs;
}

}  // namespace torsor
