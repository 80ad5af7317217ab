// Shuffled, prefetched batches without end. What comes out depends on (seed, epoch, index) alone, never on
// threads. On several ranks the same items come out in the same order, dealt out to them.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "data/dataset.h"
#include "dist/context.h"

namespace torsor {

struct LoaderOptions {
  std::int64_t batch_size = 1;  // of each rank
  std::int64_t threads = 2;     // 0 = load in the calling thread
  bool shuffle = true;
  std::uint64_t seed = 0;
  std::int64_t epoch_size = 0;  // items an epoch; 0 = the dataset's size
};

/// Where the loader stands: all that a continuation needs (the permutation follows from seed and epoch).
struct LoaderPosition {
  std::int64_t epoch = 0;  // from 0
  std::int64_t batch = 0;  // next batch of this epoch, the same on all ranks
};

class Loader : public BatchSource {
 public:
  /// A start behind the end of its epoch, which has become shorter since, stands for the next epoch's start.
  /// Of several ranks each takes every size()-th batch, so that a step of all of them sees what one rank with
  /// as large a batch would; what is left at an epoch's end and would not give each a whole batch is passed
  /// over. Throws UsageError when that is the whole epoch.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options, LoaderPosition start = {},
         const Context& context = single_rank());
  ~Loader() override;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; on one rank the last one of an epoch may be short. Rethrows what the dataset threw for
  /// one of its items.
  Batch next() override;

  std::int64_t batches_per_epoch() const;
  LoaderPosition position() const { return position_; }
  /// Seconds that next() spent waiting for data so far.
  double seconds_waited() const { return seconds_waited_; }

 private:
  struct Job {
    LoaderPosition position;
    std::vector<std::int64_t> items;
  };
  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  Job job_at(LoaderPosition position) const;
  Result run(const Job& job) const;
  void work();
  LoaderPosition after(LoaderPosition position) const;
  std::int64_t epoch_items() const;
  std::vector<std::int64_t> one_round(Rng& rng) const;
  const std::vector<std::int64_t>& permutation(std::int64_t epoch) const;

  std::shared_ptr<const Dataset> dataset_;
  LoaderOptions options_;
  std::int64_t rank_, ranks_;
  LoaderPosition position_;
  double seconds_waited_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable ready_, room_;
  LoaderPosition next_job_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::optional<Result>>
      results_;  // claimed or done, by position
  mutable std::map<std::int64_t, std::vector<std::int64_t>> permutations_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace torsor
