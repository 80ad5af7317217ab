#include "doctor/opened_sets.h"

#include <algorithm>

#include "core/error.h"
#include "data/data_source.h"
#include "data/folder_source.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kDrawnSide = 256;
constexpr std::string_view kSkipped = "skipped: ";

// Keeps what is said while sets are opened.
class KeepingLog : public LogSink {
 public:
  void notice(const std::string&) override {}
  void warning(const std::string& line) override {
    lines.push_back(line.starts_with(kSkipped) ? line.substr(kSkipped.size()) : line);
  }
  std::vector<std::string> lines;
};

class SetOpener {
 public:
  explicit SetOpener(const DataPlace& place) : place_(place), source_(open_data_source(request())) {}

  OpenedSets open() {
    const bool a = add(Holds::domain_a, Split::train), b = add(Holds::domain_b, Split::train);
    if (must_be_two() && !problems_.empty()) fail("{}", problems_.front());
    if (!a && !b) problems_.clear();  // it has another layout
    const bool pairs = add(Holds::pairs, Split::train);
    if (!a && !b && !pairs) return the_folder_itself();
    add(a || b ? Holds::domain_a : Holds::pairs, Split::test);
    if (a || b) add(Holds::domain_b, Split::test);
    keep_one_of_equal_sets();
    OpenedSets out{std::move(sets_), std::move(log_->lines)};
    out.left_out.insert(out.left_out.end(), problems_.begin(), problems_.end());
    return out;
  }

 private:
  DataRequest request() const {
    DataRequest out;
    out.data = place_.data;
    out.a = place_.a;
    out.b = place_.b;
    out.limit = place_.max_images;
    out.pages = place_.pages;
    out.bad_files = BadFiles::skip;
    out.size = kDrawnSide;
    if (place_.max_images > 0) out.drawn_tests = std::min(place_.max_images, out.drawn_tests);
    out.log = log_;
    return out;
  }

  // Two folders, or a generated task: there is no other layout to try.
  bool must_be_two() const { return place_.data.empty() || is_drawn(place_.data); }

  bool add(Holds holds, Split split) {
    const SetName name = holds == Holds::domain_a   ? SetName::real_a
                         : holds == Holds::domain_b ? SetName::real_b
                                                    : SetName::pairs;
    try {
      const std::shared_ptr<ImageSet> images = source_->open(name, split);
      if (!images || images->size() == 0) return false;
      sets_.push_back({title(*images, holds, split), holds, split, images});
      return true;
    } catch (const Error& error) {
      problems_.emplace_back(error.what());
      return false;
    }
  }

  std::string title(const ImageSet& images, Holds holds, Split split) const {
    if (!place_.data.empty() && !images.folder().empty()) return folder_name(images.folder());
    const std::string letter = holds == Holds::domain_a ? "A" : "B";
    return split == Split::train ? letter : "the test images of " + letter;
  }

  // MNIST's files are both domains.
  void keep_one_of_equal_sets() {
    if (is_drawn(place_.data) || place_.data.empty() || sets_.size() < 2) return;
    const auto same = [&](const OpenedSet& set) {
      return set.holds == Holds::domain_b && set.images->folder().empty() &&
             std::any_of(sets_.begin(), sets_.end(), [&](const OpenedSet& other) {
               return other.holds != Holds::domain_b && other.split == set.split &&
                      other.images->identity() == set.images->identity();
             });
    };
    const auto before = sets_.size();
    std::erase_if(sets_, same);
    if (sets_.size() == before) return;
    for (OpenedSet& set : sets_) {
      set.holds = Holds::images;
      set.title = set.split == Split::train ? "the training images" : "the test images";
    }
  }

  OpenedSets the_folder_itself() const {
    KeepingLog log;
    auto images = open_folder(place_.data, place_.max_images, place_.pages, BadFiles::skip, log);
    return {{{folder_name(place_.data), Holds::images, Split::train, std::move(images)}}, log.lines};
  }

  DataPlace place_;
  std::shared_ptr<KeepingLog> log_ = std::make_shared<KeepingLog>();
  std::unique_ptr<DataSource> source_;
  std::vector<OpenedSet> sets_;
  std::vector<std::string> problems_;
};

}  // namespace

OpenedSets open_sets(const DataPlace& place) { return SetOpener(place).open(); }

}  // namespace torsor
