// Reading zip archives held in memory (.pth and .npz are zip archives).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct zip;

namespace torsor {

class ZipArchive {
 public:
  struct Entry {
    std::string name;
    std::uint64_t index = 0;
    std::uint64_t size = 0;  // unpacked
  };

  /// Opens the archive in `bytes`, which must outlive it; `source` names the file in messages.
  /// Throws Error for: truncated, damaged, encrypted, entries that overlap or claim impossible sizes, a name
  /// twice. What has passed unpacks to at most 1032 times the archive's size in all.
  ZipArchive(std::string_view bytes, std::string source);

  const std::vector<Entry>& entries() const { return entries_; }
  /// nullptr when there is none of that name.
  const Entry* find(std::string_view name) const;

  /// Unpacks `entry.size` bytes to `to`. Throws Error when the data is damaged (the archive's CRC is
  /// checked).
  void read(const Entry& entry, void* to) const;
  std::string read(const Entry& entry) const;

 private:
  struct Closer {
    void operator()(zip* archive) const;
  };
  void list_entries(std::uint64_t archive_size);

  std::string source_;
  std::unique_ptr<zip, Closer> archive_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace torsor
