#include "train/observers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "core/files.h"
#include "data/tensor_image.h"
#include "image/codec.h"
#include "model/average_scope.h"
#include "report/grid.h"

namespace torsor {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool due(std::int64_t step, std::int64_t every) { return every > 0 && step % every == 0; }

// [C,H,W] -> [3,H,W]: grey replicated, missing channels zero, further ones left out.
at::Tensor as_rgb(const at::Tensor& chw, double black) {
  if (chw.size(0) == 1) return chw.expand({3, -1, -1});
  if (chw.size(0) == 2) return at::cat({chw, at::full_like(chw.slice(0, 0, 1), black)}, 0);
  return chw.slice(0, 0, 3);
}

// A row of pictures for each image of the columns.
void append_rows(const std::vector<LabelledImages>& columns, const ValueRange& range,
                 std::vector<std::vector<Image>>& rows) {
  for (std::int64_t i = 0; i < columns.front().images.size(0); ++i) {
    auto& row = rows.emplace_back();
    for (const LabelledImages& column : columns)
      row.push_back(to_image(as_rgb(column.images[i], range.black), range));
  }
}

}  // namespace

JsonlLog::JsonlLog(std::filesystem::path path, std::int64_t every, const Loader& loader)
    : ScalarLog(every), path_(std::move(path)), loader_(loader) {}

void JsonlLog::on_start(const TrainState& state) {
  rewind_jsonl(path_, state.step, [&](const Json& line) {
    if (line.contains("seconds") && line.at("seconds").is_number()) seconds_before_ = line.at("seconds");
  });
  file_.emplace(path_);
  started_ = now();
}

void JsonlLog::write(const TrainState& state, const StepScalars& scalars) {
  const double seconds = now() - started_;
  Json line = {{"step", state.step},
               {"epoch", state.step_epoch + 1},
               {"lr", state.lr},
               {"seconds", seconds_before_ + seconds},
               {"data_wait", seconds > 0 ? loader_.seconds_waited() / seconds : 0.0}};
  for (const auto& [name, value] : scalars.all())
    if (!line.emplace(name, value).second)
      throw std::logic_error("a scalar has the name of a field of the log: " + name);
  file_->write(line);
}

Json GridLayout::to_json() const {
  return {{"columns", columns}, {"cell", {cell.width, cell.height}}, {"margin", margin}};
}

GridLayout GridLayout::from_json(const Json& json) {
  const Json& cell = json.at("cell");
  return {json.at("columns").get<std::vector<std::vector<std::string>>>(),
          {json_count(cell.at(0)), json_count(cell.at(1))},
          json_count(json.at("margin"))};
}

SampleGrid sample_grid(Model& model, const Batch& images, const ValueRange& range) {
  const AverageScope averaged(model);
  std::vector<std::vector<std::vector<Image>>> rows;  // of each direction
  GridLayout layout;
  std::int64_t begin = 0;
  do {  // once also for a batch without images
    const auto directions = model.sample(images.part(begin, kSamplesAtOnce));
    rows.resize(directions.size());
    layout.columns.resize(directions.size());
    for (std::size_t d = 0; d < directions.size(); ++d) {
      append_rows(directions[d], range, rows[d]);
      layout.columns[d].clear();
      for (const LabelledImages& column : directions[d]) layout.columns[d].push_back(column.label);
    }
    begin += kSamplesAtOnce;
  } while (begin < images.size());
  std::vector<std::vector<Image>> all;
  for (auto& direction : rows) std::move(direction.begin(), direction.end(), std::back_inserter(all));
  const GridOptions options;
  Image grid = make_grid(all, options);
  const Image& any = all.front().front();
  const std::int64_t factor = grid_enlargement(any, options);
  layout.margin = options.margin;
  layout.cell = {any.width * factor, any.height * factor};
  return {std::move(grid), std::move(layout)};
}

Sampler::Sampler(Model& model, Batch images, const ValueRange& range, RunDirectory run, std::int64_t every,
                 Display display)
    : model_(model),
      images_(std::move(images)),
      range_(range),
      run_(std::move(run)),
      every_(every),
      display_(std::move(display)) {}

void Sampler::after_step(TrainState& state, const StepScalars&) {
  if (due(state.step, every_)) write(state);
}

void Sampler::on_end(TrainState& state, EndReason) {
  if (written_step_ != state.step) write(state);
}

void Sampler::write(const TrainState& state) {
  const SampleGrid grid = sample_grid(model_, images_, range_);
  if (!std::exchange(described_, true))
    write_file_atomically(run_.sample_layout(), grid.layout.to_json().dump() + "\n");
  const SamplePicture picture{state.step,
                              {grid.image.width, grid.image.height, encode_image("png", grid.image)}};
  write_file_atomically(run_.sample(state.step), picture.image.png);
  display_(picture);
  written_step_ = state.step;
}

void HeldOutSampler::on_end(TrainState&, EndReason) {
  constexpr std::int64_t kShown = 8;
  std::vector<Batch> shown;
  for (std::int64_t i = 0; i < std::min(kShown, images_->size()); ++i) {
    Rng rng(0);
    Batch image = images_->get(i, rng);
    // Images of varying size cannot share a batch.
    const auto fits = [&](const auto& named) {
      return named.second.sizes() == shown.front().at(named.first).sizes();
    };
    if (shown.empty() || std::all_of(image.tensors.begin(), image.tensors.end(), fits))
      shown.push_back(std::move(image));
  }
  if (!shown.empty()) write_image(path_, sample_grid(model_, collate(shown), range_).image);
}

Checkpointer::Checkpointer(RunDirectory run, Cadence every, Retention retention, Save save)
    : run_(std::move(run)), every_(every), retention_(retention), save_(std::move(save)) {}

void Checkpointer::on_start(const TrainState& state) {
  last_time_ = now();
  is_new_ = state.step == 0;
}

void Checkpointer::after_step(TrainState& state, const StepScalars&) {
  const bool is_first = std::exchange(is_new_, false) && !every_.is_never();
  if (is_first || every_.due(state.step, now() - last_time_)) write(state);
}

void Checkpointer::on_end(TrainState& state, EndReason) {
  if (written_step_ != state.step) write(state);
}

void Checkpointer::write(TrainState& state) {
  const auto path = run_.checkpoint(state.step);
  save_(path);
  state.last_checkpoint = path.string();
  written_step_ = state.step;
  last_time_ = now();
  remove_old(state.step);
}

void Checkpointer::remove_old(std::int64_t step) const {
  std::int64_t newer = 0;
  const auto there = run_.list_checkpoints();
  for (auto at = there.rbegin(); at != there.rend(); ++at) {
    if (at->step > step || newer++ < retention_.last) continue;
    if (retention_.every > 0 && at->step % retention_.every == 0) continue;
    std::error_code ec;
    std::filesystem::remove(at->path, ec);  // an old one that stays does no harm
  }
}

}  // namespace torsor
