#include "io/safetensors.h"

#include <ATen/core/TensorBody.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "io/checksum.h"
#include "io/describe.h"
#include "io/raw_tensor.h"
#include "io/safetensors_header.h"

namespace torsor {

namespace {

// Indices in order of the data: falling element size keeps every tensor aligned.
std::vector<std::size_t> data_order(const std::vector<at::Tensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return tensors[a].element_size() > tensors[b].element_size();
  });
  return order;
}

void check_writable(const TensorMap& tensors, const std::string& source) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second || name == "__metadata__")
      fail("{}: cannot be written: the tensor name '{}' is {}", source, name,
           name == "__metadata__" ? "reserved" : "there twice");
    if (!tensor.defined()) fail("{}: cannot be written: tensor '{}' has no value", source, name);
    if (safetensors_dtype_name(tensor.scalar_type()).empty())
      fail("{}: cannot be written: tensor '{}' has a dtype ({}) the format has no name for", source, name,
           c10::toString(tensor.scalar_type()));
  }
}

std::ifstream open_input(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot be read; check its permissions", path.string());
  return file;
}

void verify(const SafetensorsHeader& header, const Checksum& checksum, std::uint64_t data_at,
            const std::string& source) {
  const auto expected = header.metadata.find(kChecksumKey);
  if (expected == header.metadata.end() || expected->second == checksum.hex()) return;
  fail(
      "{}: is damaged: the checksum of its tensors, from byte {} on, is {}, expected {}; use another copy "
      "(if a "
      "program changed the tensors on purpose, it has to drop the metadata entry {})",
      source, data_at, checksum.hex(), printable(expected->second), kChecksumKey);
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  const std::string source = path.string();
  check_writable(content.tensors, source);
  std::vector<at::Tensor> tensors;
  SafetensorsHeader header{{}, content.metadata};
  for (const auto& [name, tensor] : content.tensors) {
    tensors.push_back(tensor.detach().cpu().contiguous());
    header.entries.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  }
  const std::vector<std::size_t> order = data_order(tensors);
  Checksum checksum;
  std::uint64_t at = 0;
  for (const std::size_t i : order) {
    checksum.update(tensors[i].const_data_ptr(), tensors[i].nbytes());
    header.entries[i].begin = at;
    header.entries[i].end = at += tensors[i].nbytes();
  }
  header.metadata[kChecksumKey] = checksum.hex();
  const std::string text = encode_safetensors_header(header, source);
  write_file_atomically(path, [&](const ByteSink& sink) {
    sink(text.data(), text.size());
    for (const std::size_t i : order) sink(tensors[i].const_data_ptr(), tensors[i].nbytes());
  });
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  const std::string source = path.string();
  const std::uintmax_t size = weight_file_size(path);
  std::ifstream file = open_input(path);
  const SafetensorsHeader header = decode_safetensors_header(file, size, source);
  const auto data_at = static_cast<std::uint64_t>(file.tellg());
  Safetensors content{{}, header.metadata};
  for (const SafetensorsEntry& entry : header.entries)
    content.tensors.emplace_back(entry.name, allocate_tensor(entry.shape, entry.dtype, source));

  std::vector<std::size_t> order(header.entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return header.entries[a].begin < header.entries[b].begin; });
  Checksum checksum;
  for (const std::size_t i : order) {
    const at::Tensor& tensor = content.tensors[i].second;
    if (tensor.nbytes() == 0) continue;  // may share its place with a neighbour
    if (!file.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes())))
      fail("{}: is truncated: it ends inside tensor '{}'; copy or download it again", source,
           printable(content.tensors[i].first));
    checksum.update(tensor.const_data_ptr(), tensor.nbytes());
    settle_bools(tensor);
  }
  verify(header, checksum, data_at, source);
  return content;
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  const std::uintmax_t size = weight_file_size(path);
  std::ifstream file = open_input(path);
  return decode_safetensors_header(file, size, path.string()).metadata;
}

}  // namespace torsor
