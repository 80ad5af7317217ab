#include "runs/run_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/convert.h"
#include "image/resize.h"

namespace torsor {

namespace {

constexpr std::size_t kMostSlides = 30;
constexpr std::int64_t kMostWidth = 1100;  // of a grid in a page
constexpr int kGridQuality = 80;

std::int64_t shrinking_of(const Image& grid) { return (grid.width + kMostWidth - 1) / kMostWidth; }

struct Grid {
  Embedded picture;
  std::int64_t shrunk = 1;
};

Grid embedded_grid(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const Image grid = decode_image(bytes, path.string());
  const std::int64_t by = shrinking_of(grid);
  if (by == 1) return {embed(grid, bytes, kGridQuality), by};
  const Image small = resize_bicubic(grid, grid.width / by, std::max<std::int64_t>(1, grid.height / by));
  return {embed(small, kGridQuality), by};
}

// `count` of them, the first and the last among these.
std::vector<StepFile> evenly(const std::vector<StepFile>& files, std::size_t count) {
  if (files.size() <= count) return files;
  if (count <= 1) return {files.back()};
  std::vector<StepFile> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(files[i * (files.size() - 1) / (count - 1)]);
  return out;
}

// How many of them take that many bytes, by the larger of the first and the last.
std::size_t room_for(const std::vector<StepFile>& files, std::int64_t bytes) {
  std::int64_t largest = 1;
  for (const StepFile* file : {&files.front(), &files.back()}) {
    try {
      largest = std::max(largest, embedded_grid(file->path).picture.bytes());
    } catch (const Error&) {
      // It is named when its turn comes.
    }
  }
  return std::clamp<std::size_t>(static_cast<std::size_t>(bytes / largest), 2, kMostSlides);
}

std::string column_word(const std::string& label, std::size_t index) {
  if (label.starts_with("fake")) return "translation";
  if (label.starts_with("rec")) return "translated back";
  if (label.starts_with("idt")) return "identity";
  if (label.starts_with("real")) return index == 0 ? "input" : "image of the target domain";
  return label;
}

// "real_a" -> "a".
std::string domain_of(const std::string& label) {
  const std::size_t at = label.rfind('_');
  return at == std::string::npos ? "" : label.substr(at + 1);
}

std::string direction_words(const RunRecord& run, const std::vector<std::string>& columns) {
  return run.domain(domain_of(columns[0])) + " → " + run.domain(domain_of(columns[1]));
}

// A grid and where its cells are.
class CutGrid {
 public:
  CutGrid(Image image, const GridLayout& layout)
      : image_(std::move(image)),
        layout_(layout),
        rows_((image_.height - layout.margin) /
              std::max<std::int64_t>(1, layout.cell.height + layout.margin)) {}

  // Whether the layout is that of this grid; a resumed run may have changed its images' size.
  bool fits() const {
    const auto directions = static_cast<std::int64_t>(layout_.columns.size());
    std::size_t widest = 0;
    for (const auto& columns : layout_.columns) widest = std::max(widest, columns.size());
    const auto side = [&](std::int64_t count, std::int64_t cell) {
      return layout_.margin + count * (cell + layout_.margin);
    };
    const auto has_pair = [](const auto& columns) { return columns.size() >= 2; };
    return directions > 0 && layout_.cell.width > 0 && layout_.cell.height > 0 && rows_ > 0 &&
           std::all_of(layout_.columns.begin(), layout_.columns.end(), has_pair) &&
           image_.width == side(static_cast<std::int64_t>(widest), layout_.cell.width) &&
           image_.height == side(rows_, layout_.cell.height) && rows_ % directions == 0 &&
           image_.type == PixelType::u8;
  }
  std::int64_t images() const { return rows_ / static_cast<std::int64_t>(layout_.columns.size()); }
  Image cell(std::size_t direction, std::int64_t image, std::int64_t column) const {
    const std::int64_t row = static_cast<std::int64_t>(direction) * images() + image;
    return crop(image_, layout_.margin + column * (layout_.cell.width + layout_.margin),
                layout_.margin + row * (layout_.cell.height + layout_.margin), layout_.cell.width,
                layout_.cell.height);
  }

 private:
  Image image_;
  const GridLayout& layout_;
  std::int64_t rows_;
};

std::vector<Comparison> comparisons(const CutGrid& grid, std::size_t direction, std::size_t most) {
  std::vector<Comparison> out;
  for (std::int64_t i = 0; i < std::min(grid.images(), static_cast<std::int64_t>(most)); ++i) {
    const Image before = grid.cell(direction, i, 0), after = grid.cell(direction, i, 1);
    out.push_back({fmt::format("image {}", i + 1), embed(before), embed(after),
                   embed(difference_image(before, after))});
  }
  return out;
}

}  // namespace

Image difference_image(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels || a.type != PixelType::u8 ||
      b.type != PixelType::u8)
    fail("only 8-bit images of one size differ sample by sample; these have {}x{}x{} and {}x{}x{}", a.width,
         a.height, a.channels, b.width, b.height, b.channels);
  Image out = Image::blank(a.width, a.height, a.channels);
  for (std::int64_t i = 0; i < a.samples(); ++i)
    out.u8()[i] = static_cast<std::uint8_t>(std::abs(int{a.u8()[i]} - int{b.u8()[i]}));
  return out;
}

SampleSlides sample_slides(const RunRecord& run, std::int64_t bytes) {
  SampleSlides out;
  out.there_are = run.samples.size();
  if (run.samples.empty()) return out;
  for (const StepFile& file : evenly(run.samples, room_for(run.samples, bytes))) {
    try {
      Grid grid = embedded_grid(file.path);
      out.shrunk = std::max(out.shrunk, grid.shrunk);
      out.slides.push_back({fmt::format("step {}", with_thousands(file.step)), std::move(grid.picture)});
    } catch (const Error& error) {
      out.unreadable.push_back(error.what());
    }
  }
  return out;
}

std::string grid_words(const RunRecord& run) {
  if (!run.sample_layout || run.sample_layout->columns.empty()) return "";
  std::vector<std::string> rows;
  for (const auto& columns : run.sample_layout->columns) {
    if (columns.size() < 2) return "";
    rows.push_back(direction_words(run, columns));
  }
  std::vector<std::string> words;
  const auto& columns = run.sample_layout->columns.front();
  for (std::size_t i = 0; i < columns.size(); ++i) words.push_back(column_word(columns[i], i));
  return fmt::format("A row is one image, {}; from left to right: {}.", join(rows, ", below them "),
                     join(words));
}

RunPairs run_pairs(const RunRecord& run, std::size_t most) {
  std::error_code ec;
  const auto held_out = run.directory.held_out_samples();
  const bool is_held_out = std::filesystem::exists(held_out, ec);
  RunPairs out;
  if (!is_held_out && run.samples.empty()) {
    out.missing = "This run has no sample images yet.";
    return out;
  }
  if (!run.sample_layout) {
    out.missing =
        "This run does not say what the cells of its sample grids show, as those of older versions do not.";
    return out;
  }
  const std::filesystem::path path = is_held_out ? held_out : run.samples.back().path;
  const CutGrid grid(read_image(path), *run.sample_layout);
  if (!grid.fits()) {
    out.missing = "The newest sample grid is laid out otherwise than the run says.";
    return out;
  }
  out.source = is_held_out ? "Images that were held out of the training."
                           : fmt::format("The images of the sample grids, at step {}.",
                                         with_thousands(run.samples.back().step));
  for (std::size_t d = 0; d < run.sample_layout->columns.size(); ++d)
    out.directions.push_back(
        {direction_words(run, run.sample_layout->columns[d]), comparisons(grid, d, most)});
  return out;
}

}  // namespace torsor
