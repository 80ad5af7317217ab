#include "core/build_id.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>
#include <span>
#include <stdexcept>

namespace torsor {

namespace {

constexpr std::size_t kNoteAlignment = 4;

std::size_t aligned(std::size_t size) {
  return (size + kNoteAlignment - 1) / kNoteAlignment * kNoteAlignment;
}

// The note "GNU" of type NT_GNU_BUILD_ID among those of a segment, in hexadecimal digits; "" for none.
std::string build_id_of_notes(std::span<const char> notes) {
  while (notes.size() > sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof header);
    const std::size_t name = sizeof header, content = name + aligned(header.n_namesz),
                      end = content + aligned(header.n_descsz);
    if (end > notes.size()) return "";
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof "GNU" &&
        std::memcmp(notes.data() + name, "GNU", sizeof "GNU") == 0) {
      std::string out;
      for (const char byte : notes.subspan(content, header.n_descsz))
        out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      return out;
    }
    notes = notes.subspan(end);
  }
  return "";
}

struct BuildIdSearch {
  ElfW(Addr) address;  // of what is looked for
  std::string found;
};

bool holds_address(const dl_phdr_info& image, ElfW(Addr) address) {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = image.dlpi_phdr[i];
    const ElfW(Addr) begin = image.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) return true;
  }
  return false;
}

// Called for the program and each of its shared libraries, until it returns something else than 0.
int look_for_build_id(dl_phdr_info* image, std::size_t /*size*/, void* data) {
  auto& search = *static_cast<BuildIdSearch*>(data);
  if (!holds_address(*image, search.address)) return 0;
  for (int i = 0; i < image->dlpi_phnum && search.found.empty(); ++i) {
    const ElfW(Phdr)& segment = image->dlpi_phdr[i];
    if (segment.p_type == PT_NOTE)
      search.found = build_id_of_notes(
          {reinterpret_cast<const char*>(image->dlpi_addr + segment.p_vaddr), segment.p_memsz});
  }
  return 1;
}

}  // namespace

std::string build_id() {
  BuildIdSearch search{reinterpret_cast<ElfW(Addr)>(&build_id), ""};
  dl_iterate_phdr(look_for_build_id, &search);
  if (search.found.empty()) throw std::logic_error("linked without --build-id");
  return search.found;
}

}  // namespace torsor
