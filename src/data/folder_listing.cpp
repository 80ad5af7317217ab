#include "data/folder_listing.h"

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "image/codec.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.size() > 1 && name.front() == '.';
}

// The name alone says that this is no image.
bool has_other_extension(const fs::path& path) {
  return path.has_extension() && !has_image_extension(path) && foreign_by_name(path) == nullptr;
}

// The extension of the format that the bytes begin with; two letters are too little to tell a bitmap from a
// text.
std::string extension_by_content(const std::string& bytes) {
  constexpr std::size_t kReservedAt = 6, kHeaderSizeAt = 14;
  std::string extension = image_extension_of(bytes);
  const bool is_text = extension == "bmp" && (bytes.size() <= kHeaderSizeAt || bytes[kReservedAt] != 0 ||
                                              bytes[kHeaderSizeAt + 1] != 0);
  return is_text ? "" : extension;
}

class Lister {
 public:
  FolderListing list(const fs::path& folder) {
    std::error_code ec;
    const fs::path whole = fs::canonical(folder, ec);
    if (!ec) within_.push_back(whole);
    fs::directory_iterator entries(folder, ec);
    if (ec) fail("{}: cannot be listed: {}", folder.string(), ec.message());
    add_all(entries, folder);
    const auto by_path = [](const fs::path& x, const fs::path& y) { return x.native() < y.native(); };
    std::sort(out_.images.begin(), out_.images.end(), by_path);
    std::sort(out_.left_out.begin(), out_.left_out.end(),
              [&](const LeftOutFile& x, const LeftOutFile& y) { return by_path(x.path, y.path); });
    std::sort(out_.bad.begin(), out_.bad.end());
    return std::move(out_);
  }

 private:
  void add_all(fs::directory_iterator entries, const fs::path& folder) {
    std::error_code ec;
    for (; entries != fs::directory_iterator(); entries.increment(ec)) {
      if (ec) break;
      if (!is_hidden(entries->path())) add(entries->path());
    }
    if (ec) bad(folder, "cannot be listed to its end: " + ec.message());
  }

  void add(const fs::path& path) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (status.type() == fs::file_type::directory)
      add_folder(path);
    else if (status.type() == fs::file_type::regular)
      add_file(path);
    else if (!has_other_extension(path))
      add_oddity(path, status, ec);
  }

  void add_folder(const fs::path& path) {
    std::error_code ec;
    const fs::path whole = fs::canonical(path, ec);
    if (ec) return bad(path, "cannot be listed: " + ec.message());
    if (std::find(within_.begin(), within_.end(), whole) != within_.end())
      return bad(path, "is a link back to " + whole.string() + ", which contains it");
    fs::directory_iterator entries(path, ec);
    if (ec) return bad(path, "cannot be listed: " + ec.message());
    within_.push_back(whole);
    add_all(entries, path);
    within_.pop_back();
  }

  void add_file(const fs::path& path) {
    if (has_image_extension(path)) {
      out_.images.push_back(path);
      return;
    }
    if (const ForeignFormat* format = foreign_by_name(path); format != nullptr) {
      out_.left_out.push_back({path, format, ""});
      return;
    }
    constexpr std::size_t kEnough = 512;
    std::string bytes(kEnough, '\0');
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      if (!path.has_extension()) bad(path, "cannot be read");
      return;
    }
    file.read(bytes.data(), kEnough);
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    add_by_content(path, bytes);
  }

  void add_by_content(const fs::path& path, const std::string& bytes) {
    const std::string extension = extension_by_content(bytes);
    const ForeignFormat* format = foreign_by_content(bytes);
    if (!extension.empty() && !path.has_extension())
      out_.images.push_back(path);
    else if (!extension.empty())
      out_.left_out.push_back({path, nullptr, extension});
    else if (format != nullptr && !format->extensions.empty())  // a document or an archive is no image
      out_.left_out.push_back({path, format, ""});
  }

  void add_oddity(const fs::path& path, const fs::file_status& status, const std::error_code& ec) {
    std::error_code ignored;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, ignored));
    if (ec == std::errc::too_many_symbolic_link_levels)
      bad(path, "is a link to itself");
    else if (is_link && status.type() == fs::file_type::not_found)
      bad(path, "is a link that leads nowhere");
    else if (ec)
      bad(path, "cannot be looked at: " + ec.message());
    else if (has_image_extension(path))
      bad(path, "is no file but a pipe, a socket or a device");
  }

  void bad(const fs::path& path, const std::string& what) { out_.bad.push_back(path.string() + ": " + what); }

  FolderListing out_;
  std::vector<fs::path> within_;  // the folders above, as they are called without links
};

std::string what_to_convert(const fs::path& path) {
  return path.has_extension() ? lower(path.extension().string()) : path.filename().string();
}

// What to do about such files, once for each kind.
std::vector<std::string> remedies(const std::vector<LeftOutFile>& files) {
  std::vector<std::string> out;
  for (const LeftOutFile& file : files) {
    const std::string remedy =
        file.format == nullptr
            ? fmt::format("rename {} so that it ends in .{}", file.path.filename().string(), file.extension)
            : fmt::format("convert {} with {}", what_to_convert(file.path), file.format->program);
    if (std::find(out.begin(), out.end(), remedy) == out.end()) out.push_back(remedy);
  }
  return out;
}

}  // namespace

FolderListing list_folder(const fs::path& folder) { return Lister().list(folder); }

std::string describe_left_out(const std::vector<LeftOutFile>& files, const fs::path& folder) {
  if (files.empty()) return "";
  constexpr std::size_t kShown = 5;
  std::vector<std::string> names, advice = remedies(files);
  for (std::size_t i = 0; i < std::min(kShown, files.size()); ++i)
    names.push_back(files[i].path.lexically_relative(folder).string());
  if (advice.size() > kShown) {
    advice.resize(kShown);
    advice.emplace_back("...");
  }
  return fmt::format("{} file{} left out: {}{}; {}", files.size(), files.size() == 1 ? "" : "s", join(names),
                     files.size() > kShown ? fmt::format(" and {} more", files.size() - kShown) : "",
                     join(advice));
}

}  // namespace torsor
