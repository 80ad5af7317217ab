// Finds what is recorded in a folder and compares all of it. What an entry is follows from what it holds,
// never from a list of names; an entry that is nothing known is a failure, so that nothing recorded is passed
// over.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "golden_folders.h"
#include "parity/find_trace.h"
#include "parity/forward_parity.h"
#include "parity/picture_parity.h"
#include "parity/trace_parity.h"

namespace torsor::parity {

using testing::golden_folder;
using testing::golden_folders;

inline std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!entry.path().filename().string().starts_with('.')) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

inline Outcome unknown_entry(const std::string& name, const std::string& expected) {
  return outcome_of(name,
                    [&](Outcome&) { fail("not a recording that this test knows; expected {}", expected); });
}

/// A forward pass from either of its two files; the .npz of a whole pair is passed over.
inline std::vector<Outcome> run_parity_file(const fs::path& file) {
  const std::string extension = file.extension().string();
  const fs::path pth = fs::path(file).replace_extension(".pth"),
                 npz = fs::path(file).replace_extension(".npz");
  const std::string name = "forward/" + file.stem().string();
  if (extension == ".pth" && fs::exists(npz)) return {run_forward(name, pth, npz)};
  if (extension == ".npz" && fs::exists(pth)) return {};
  const bool described = extension == ".md" || extension == ".json" || extension == ".txt";
  if (described) return {};
  return {unknown_entry(file.filename().string(), "<name>.pth beside <name>.npz")};
}

/// One outcome for each thing recorded in `folder`: a recorded training, or the folders of pictures, or
/// forward passes.
inline std::vector<Outcome> run_parity_folder(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::error_code ec;
  if (fs::exists(folder / "options.json", ec)) return {run_trace(name, folder)};
  std::vector<Outcome> outcomes;
  const bool pictures = fs::is_directory(folder / "inputs", ec);
  if (fs::is_directory(folder, ec)) {
    for (const fs::path& entry : sorted_entries(folder)) {
      if (pictures && fs::is_directory(entry) && entry.filename() != "inputs")
        outcomes.push_back(run_pictures(name + "/" + entry.filename().string(), entry));
      if (!pictures && entry.extension() == ".pth" && fs::exists(fs::path(entry).replace_extension(".npz")))
        for (Outcome& outcome : run_parity_file(entry)) outcomes.push_back(std::move(outcome));
    }
  }
  if (!outcomes.empty()) return outcomes;
  return {unknown_entry(
      name, "options.json (a training), inputs/ (pictures) or .pth beside .npz (forward passes)")};
}

/// Everything recorded below `root`; `report` gets each outcome as soon as it is there.
template <class Report>
void run_parity(const fs::path& root, Report report) {
  for (const fs::path& entry : sorted_entries(root))
    for (const Outcome& outcome : fs::is_directory(entry) ? run_parity_folder(entry) : run_parity_file(entry))
      report(outcome);
}

}  // namespace torsor::parity
