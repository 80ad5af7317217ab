#include "data/loader.h"

#include <chrono>
#include <numeric>

#include "core/error.h"
#include "core/shuffle.h"

namespace torsor {

namespace {

constexpr std::size_t kBatchesAheadPerThread = 3;

std::pair<std::int64_t, std::int64_t> key(const LoaderPosition& p) { return {p.epoch, p.batch}; }

}  // namespace

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options, LoaderPosition start,
               const Context& context)
    : dataset_(std::move(dataset)),
      options_(options),
      rank_(context.rank()),
      ranks_(context.size()),
      position_(start.batch < batches_per_epoch() ? start : LoaderPosition{start.epoch + 1, 0}),
      next_job_(position_) {
  if (ranks_ > 1 && batches_per_epoch() == 0)
    fail_usage(
        "an epoch of {} images does not give each of {} ranks a batch of {}; take fewer ranks, a smaller "
        "--batch-size or a larger --epoch-size",
        epoch_items(), ranks_, options_.batch_size);
  for (std::int64_t t = 0; t < options_.threads; ++t) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::int64_t Loader::batches_per_epoch() const {
  if (ranks_ > 1) return epoch_items() / (options_.batch_size * ranks_);
  return (epoch_items() + options_.batch_size - 1) / options_.batch_size;
}

std::int64_t Loader::epoch_items() const {
  return options_.epoch_size > 0 ? options_.epoch_size : dataset_->size();
}

LoaderPosition Loader::after(LoaderPosition p) const {
  return p.batch + 1 < batches_per_epoch() ? LoaderPosition{p.epoch, p.batch + 1}
                                           : LoaderPosition{p.epoch + 1, 0};
}

// Every item once, shuffled or in order.
std::vector<std::int64_t> Loader::one_round(Rng& rng) const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset_->size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (options_.shuffle) shuffle(order.begin(), std::ssize(order), rng);
  return order;
}

// Called with the mutex held when threads run.
const std::vector<std::int64_t>& Loader::permutation(std::int64_t epoch) const {
  const auto found = permutations_.find(epoch);
  if (found != permutations_.end()) return found->second;
  while (permutations_.size() > 2) permutations_.erase(permutations_.begin());
  // A shorter epoch takes a random part of the set, a longer one goes through it again.
  std::vector<std::int64_t> order;
  Rng rng(derive_seed(options_.seed, "shuffle", {static_cast<std::uint64_t>(epoch)}));
  while (static_cast<std::int64_t>(order.size()) < epoch_items()) {
    const std::vector<std::int64_t> round = one_round(rng);
    order.insert(order.end(), round.begin(), round.end());
  }
  order.resize(static_cast<std::size_t>(epoch_items()));
  return permutations_.emplace(epoch, std::move(order)).first->second;
}

Loader::Job Loader::job_at(LoaderPosition position) const {
  const auto& order = permutation(position.epoch);
  const std::int64_t first = (position.batch * ranks_ + rank_) * options_.batch_size;
  const std::int64_t last = std::min<std::int64_t>(first + options_.batch_size, epoch_items());
  return {position, {order.begin() + first, order.begin() + last}};
}

Loader::Result Loader::run(const Job& job) const {
  try {
    std::vector<Batch> samples;
    for (const std::int64_t item : job.items) {
      Rng rng(
          derive_seed(options_.seed, "item",
                      {static_cast<std::uint64_t>(job.position.epoch), static_cast<std::uint64_t>(item)}));
      samples.push_back(dataset_->get(item, rng));
    }
    return {collate(samples), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

void Loader::work() {
  const std::size_t ahead = kBatchesAheadPerThread * static_cast<std::size_t>(options_.threads);
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [&] { return stopping_ || results_.size() < ahead; });
    if (stopping_) return;
    const Job job = job_at(next_job_);
    results_[key(next_job_)] = std::nullopt;
    next_job_ = after(next_job_);
    lock.unlock();
    Result result = run(job);
    lock.lock();
    results_[key(job.position)] = std::move(result);
    ready_.notify_all();
  }
}

Batch Loader::next() {
  const auto start = std::chrono::steady_clock::now();
  Result result;
  if (threads_.empty()) {
    result = run(job_at(position_));
  } else {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] {
      const auto found = results_.find(key(position_));
      return found != results_.end() && found->second.has_value();
    });
    auto node = results_.extract(key(position_));
    result = std::move(*node.mapped());
    lock.unlock();
    room_.notify_one();
  }
  seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (result.error) std::rethrow_exception(result.error);
  position_ = after(position_);
  return std::move(result.batch);
}

}  // namespace torsor
