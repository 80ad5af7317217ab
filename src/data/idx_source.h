// Images and labels in the IDX format of the MNIST files, as they are distributed: bare or compressed by
// gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image_source.h"

namespace torsor {

/// An IDX file of unsigned bytes: its sides, first the count, and its bytes, the last index fastest.
struct IdxFile {
  std::vector<std::int64_t> sides;
  std::vector<std::uint8_t> bytes;
};

/// Reads it whole. Throws Error naming the file and the byte (of what is inside the gzip) for a file that is
/// damaged, ends early, goes on too long, or holds something else than `dimensions`-dimensional bytes.
IdxFile read_idx(const std::filesystem::path& path, std::size_t dimensions);

/// The file of MNIST's kind in a folder: split "train" or "t10k", content "images" or "labels", under each of
/// the names in use (train-images-idx3-ubyte, train-images.idx3-ubyte, with or without .gz). "" when there is
/// none.
std::filesystem::path find_idx(const std::filesystem::path& folder, const std::string& split,
                               const std::string& content);

/// Grey images of an IDX file; with `labels` their classes, 0 to 9. Throws Error as read_idx does, also when
/// images and labels are not as many or a label is above 9. `limit` > 0 keeps the first that many.
std::unique_ptr<LabelledSource> open_idx(const std::filesystem::path& images,
                                         const std::filesystem::path& labels, std::int64_t limit);

}  // namespace torsor
