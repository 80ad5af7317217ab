#include "dist/thread_ranks.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/error.h"

namespace torsor {

namespace {

/// Where the threads meet.
class Meeting {
 public:
  explicit Meeting(std::int64_t size) : size_(size), tensors_(static_cast<std::size_t>(size)) {}

  std::int64_t size() const { return size_; }

  void wait() {
    std::unique_lock lock(mutex_);
    require_all();
    const std::int64_t round = round_;
    if (++waiting_ == size_) {
      waiting_ = 0;
      ++round_;
      all_here_.notify_all();
      return;
    }
    all_here_.wait(lock, [&] { return round_ != round || error_; });
    if (round_ == round) require_all();
  }

  /// Lays a rank's tensor open to the others, until the next wait() but one.
  void show(std::int64_t rank, const at::Tensor& tensor) {
    const std::lock_guard lock(mutex_);
    tensors_[static_cast<std::size_t>(rank)] = tensor;
  }
  at::Tensor shown(std::int64_t rank) const {
    const std::lock_guard lock(mutex_);
    return tensors_[static_cast<std::size_t>(rank)];
  }

  void end_with(std::exception_ptr error, std::int64_t rank) {
    const std::lock_guard lock(mutex_);
    if (!error_) {
      error_ = std::move(error);
      failed_ = rank;
    }
    all_here_.notify_all();
  }
  std::exception_ptr error() const { return error_; }

 private:
  void require_all() const {
    if (error_) fail("rank {} has ended with an error, and the others cannot continue without it", failed_);
  }

  std::int64_t size_;
  mutable std::mutex mutex_;
  std::condition_variable all_here_;
  std::int64_t waiting_ = 0, round_ = 0, failed_ = 0;
  std::exception_ptr error_;  // the first
  std::vector<at::Tensor> tensors_;
};

class ThreadRank : public Context {
 public:
  ThreadRank(Meeting& meeting, std::int64_t rank) : meeting_(meeting), rank_(rank) {}

  std::int64_t rank() const override { return rank_; }
  std::int64_t size() const override { return meeting_.size(); }
  void barrier() override { meeting_.wait(); }

  // Each adds up all of them in the same order.
  void all_reduce(const at::Tensor& sum) override {
    const at::NoGradGuard no_grad;
    meeting_.show(rank_, sum);
    meeting_.wait();
    at::Tensor total = meeting_.shown(0).clone();
    for (std::int64_t other = 1; other < size(); ++other) total.add_(meeting_.shown(other));
    meeting_.wait();  // all have read it
    sum.copy_(total);
  }

  void broadcast(const at::Tensor& value, std::int64_t root) override {
    const at::NoGradGuard no_grad;
    meeting_.show(rank_, value);
    meeting_.wait();
    if (rank_ != root) value.copy_(meeting_.shown(root));
    meeting_.wait();
  }

 private:
  Meeting& meeting_;
  std::int64_t rank_;
};

}  // namespace

void run_thread_ranks(std::int64_t size, const std::function<void(Context&)>& work) {
  if (size < 1) throw std::logic_error("there is no training on fewer than one rank");
  Meeting meeting(size);
  {
    std::vector<std::jthread> threads;
    for (std::int64_t rank = 0; rank < size; ++rank)
      threads.emplace_back([&, rank] {
        try {
          ThreadRank context(meeting, rank);
          work(context);
        } catch (...) {
          meeting.end_with(std::current_exception(), rank);
        }
      });
  }
  if (meeting.error()) std::rethrow_exception(meeting.error());
}

}  // namespace torsor
