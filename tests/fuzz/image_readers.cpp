#include <zlib.h>

#include <algorithm>
#include <numeric>

#include "core/files.h"
#include "data/idx_source.h"
#include "fuzz/readers.h"
#include "fuzz/sealed.h"
#include "image/codec.h"
#include "scratch_folder.h"

namespace torsor::testing {

namespace {

// Touches every byte, so that a sanitizer sees what should not be read.
void touch(const Image& image) {
  const volatile auto sum = std::accumulate(image.bytes.begin(), image.bytes.end(), std::uint64_t{0});
  static_cast<void>(sum);
}

void check_notes(const Notes& notes) {
  for (const std::string& note : notes)
    if (note.empty() || note.find('\n') != std::string::npos)
      throw std::logic_error("a note that is no line: " + note);
}

void read_pages(const fs::path& path) {
  constexpr std::int64_t kMost = 4;
  ImageFile file(path);
  for (std::int64_t page = 0; page < std::min(kMost, file.pages()); ++page) touch(file.read(page));
  check_notes(file.notes());
}

void read_and_sum(const fs::path& path) {
  const ImageInfo info = read_image_info(path);
  {
    Notes notes;
    const Image image = read_image(path, notes);
    if (image.width != info.width || image.height != info.height || image.channels != info.channels ||
        image.type != info.type)
      throw std::logic_error("read_image and read_image_info disagree");
    touch(image);
    check_notes(notes);
  }
  read_pages(path);
}

// With a profile like sRGB's, which none of the fixtures has.
Seed seed_with_profile(const std::string& extension) {
  Image image = Image::blank(6, 5, 3);
  std::iota(image.bytes.begin(), image.bytes.end(), std::uint8_t{100});
  std::string profile = *srgb_profile();
  profile[28] = 1;  // of another day, so that PNG does not shorten it
  image.profile = std::make_shared<const std::string>(profile);
  return {"profile", encode_image(extension, image)};
}

FuzzedReader reader(const std::string& name, const std::vector<std::string>& ends,
                    std::function<std::string(const std::string&, Random&)> mutate) {
  // Pixels shrink up to a thousandfold by deflate, and more in flat pictures of the other formats.
  FuzzedReader out{name, ends.front(), fixture_seeds("image", ends), std::move(mutate), read_and_sum};
  out.bytes_per_byte = 4 * 65536;
  const std::string extension = ends.front().substr(1);
  if (format_holds_profile("x" + ends.front())) out.seeds.push_back(seed_with_profile(extension));
  if (name == "png") out.seal = seal_png;
  return out;
}

std::string gzipped(const std::string& bytes) {
  const ScratchFolder folder("torsor_idx");
  const fs::path path = folder / "x.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return read_file(path);
}

// Bare and compressed; three images of 4 x 5.
FuzzedReader idx_reader() {
  std::string bytes = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5};
  for (int i = 0; i < 60; ++i) bytes += static_cast<char>(4 * i);
  FuzzedReader out{
      "idx", ".idx", {{"bare", bytes}, {"gzip", gzipped(bytes)}}, mutate_bytes, [](const fs::path& path) {
        const auto source = open_idx(path, {}, 0);
        for (std::int64_t i = 0; i < std::min<std::int64_t>(source->size(), 10); ++i) source->read(i);
      }};
  out.bytes_per_byte = 4 * 1100;  // deflate's best, twice for the vector's growth and once for slack
  return out;
}

// Half of a PPM's, and of an array's, ways to be wrong are in its words.
std::string mutate_words_too(const std::string& bytes, Random& random) {
  return random.one_in(2) ? mutate_text(bytes, random) : mutate_bytes(bytes, random);
}

// Arrays of each type; the folder of fixtures has none.
FuzzedReader npy_reader() {
  FuzzedReader out = reader("npy", {".npy"}, mutate_words_too);
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::f32})
    for (const std::int64_t channels : {1, 5})
      out.seeds.push_back({"made", encode_image("npy", Image::blank(5, 4, channels, type))});
  return out;
}

}  // namespace

std::vector<FuzzedReader> image_readers() {
  return {reader("jpeg", {".jpg"}, mutate_bytes),
          reader("png", {".png"}, mutate_png),
          reader("bmp", {".bmp"}, mutate_bytes),
          reader("webp", {".webp"}, mutate_webp),
          reader("tiff", {".tif"}, mutate_bytes),
          reader("pnm", {".ppm", ".pgm"}, mutate_words_too),
          npy_reader(),
          idx_reader()};
}

std::vector<Seed> fixture_seeds(const std::string& folder, const std::vector<std::string>& ends) {
  std::vector<Seed> seeds;
  for (const auto& entry : fs::directory_iterator(fs::path(TORSOR_TEST_DATA) / folder)) {
    const std::string name = entry.path().filename().string();
    const bool wanted =
        std::any_of(ends.begin(), ends.end(), [&](const std::string& end) { return name.ends_with(end); });
    if (wanted) seeds.push_back({name, read_file(entry.path())});
  }
  std::sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) { return a.name < b.name; });
  return seeds;
}

std::vector<FuzzedReader> all_readers() {
  std::vector<FuzzedReader> all = weight_readers();
  for (auto& group : {model_readers(), image_readers()}) all.insert(all.end(), group.begin(), group.end());
  return all;
}

FuzzedReader reader_named(const std::string& name) {
  std::string names;
  for (FuzzedReader& reader : all_readers()) {
    if (reader.name == name) return reader;
    names += " " + reader.name;
  }
  throw std::out_of_range("no reader is called '" + name + "'; there are" + names);
}

std::size_t justified_memory(const FuzzedReader& reader, std::size_t size) {
  return (std::size_t{64} << 20) + reader.bytes_per_byte * size;
}

}  // namespace torsor::testing
