/// The checkpoint of one run: when it is written, what is said of it, and that nobody else's file is touched.
#pragma once

#include <chrono>
#include <exception>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "adtr/train/checkpoint.hpp"
#include "adtr/train/training_request.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

[[nodiscard]] inline std::string checkpoint_path(const TrainingRequest& r) { return r.out + ".checkpoint"; }

/// How to go on with a checkpoint, for the user.
inline constexpr const char* how_to_go_on = "go on with --resume (TrainingRequest::resume)";

/// Throws Error where the run is to go on with a checkpoint that is not there or not of it, as far as `identity` tells,
/// and where one is there that it is not to go on with: hours of somebody's computing.
inline void check_earlier_work(const TrainingRequest& r, const RunIdentity& identity) {
  const std::string path = checkpoint_path(r);
  std::error_code error;
  const bool there = std::filesystem::exists(std::filesystem::symlink_status(path, error));
  if (r.resume && !there)
    throw file_error(path, "no such checkpoint to go on with (TrainingRequest::resume)", ErrorCode::file_missing);
  if (r.resume) return check_checkpoint(path, identity);
  if (!there) return;
  bool ours = false;
  try {
    ours = is_checkpoint_file(SafetensorsFile::open(path));
  } catch (const Error&) {  // whatever it is, it is not ours
  }
  if (ours)
    throw file_error(path, std::string("an interrupted run left it; ") + how_to_go_on + ", or delete it",
                     ErrorCode::file_conflict);
  throw file_error(path,
                   "is in the way: training would write its checkpoint there, and it is not a checkpoint; "
                   "expected no such file",
                   ErrorCode::file_conflict);
}

/// Where a run is, for a sentence that begins with "training was interrupted".
template <class T>
[[nodiscard]] std::string place_of(const TrainingState<T>& state, Index epochs) {
  const std::string of = " of " + std::to_string(epochs);
  if (state.steps() > 0) return "in epoch " + std::to_string(state.epoch + 1) + of;
  if (state.epoch < epochs) return "after epoch " + std::to_string(state.epoch) + of;
  return "after its last epoch, before the model was written";
}

template <class T>
class KeptWork {
 public:
  KeptWork(const TrainingRequest& request, RunIdentity identity)
      : path_(checkpoint_path(request)),
        identity_(std::move(identity)),
        seconds_(request.checkpoint_seconds),
        ours_(request.resume) {}

  /// Fills `state` from the checkpoint.
  void load(TrainingState<T>& state) {
    load_checkpoint(path_, identity_, state);
    note(state);
  }

  /// Whether it is time for a checkpoint: at the end of an epoch, or in its middle.
  [[nodiscard]] bool due_after_epoch() const { return since_saved() >= seconds_; }
  [[nodiscard]] bool due_within_epoch() const { return seconds_ > 0.0 && since_saved() >= seconds_; }

  void save(const TrainingState<T>& state) {
    failed_ = true;
    save_checkpoint(path_, state, identity_);
    failed_ = false;
    ours_ = true;
    note(state);
  }

  /// Saves a state that is not on disk yet and is worth it; says what went wrong, or nothing.
  [[nodiscard]] std::string rescue(const TrainingState<T>& state) noexcept try {
    if (failed_ || (state.epoch == epoch_ && state.steps() == steps_)) return {};
    save(state);
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }

  /// Whether an attempt to save has failed: that is what the user is told, and it is not tried again.
  [[nodiscard]] bool failed() const { return failed_; }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// The model is written: removes the checkpoint, if this run wrote it or went on with it.
  void remove() const {
    std::error_code ignored;
    if (ours_) std::filesystem::remove(path_, ignored);
  }

  /// What is said of an earlier checkpoint where this state could not be saved.
  [[nodiscard]] std::string earlier() const {
    if (!ours_) return {};
    return "; the checkpoint from epoch " + std::to_string(epoch_ + (steps_ > 0 ? 1 : 0)) + " is still there, " +
           how_to_go_on;
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] double since_saved() const { return std::chrono::duration<double>(Clock::now() - saved_).count(); }
  void note(const TrainingState<T>& state) {
    saved_ = Clock::now();
    epoch_ = state.epoch;
    steps_ = state.steps();
  }

  std::string path_;
  RunIdentity identity_;
  double seconds_;
  bool ours_;
  bool failed_ = false;
  Clock::time_point saved_ = Clock::now();
  Index epoch_ = 0, steps_ = 0;  ///< of what is on disk; at first of what needs not be: nothing was done yet
};

/// Throws what says both: the exception on its way, which stays as the nested one, and that the work could not be
/// saved.
[[noreturn]] inline void throw_with_lost_work(const std::string& trouble) {
  std::string reason = "a callback threw an exception";
  ErrorCode code = ErrorCode::other;
  try {
    throw;
  } catch (const Error& e) {
    reason = e.what();
    code = e.code();
  } catch (const std::exception& e) {
    reason = e.what();
  } catch (...) {  // the sentence above
  }
  std::throw_with_nested(Error(reason + "; and the training so far could not be saved: " + trouble, code));
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
