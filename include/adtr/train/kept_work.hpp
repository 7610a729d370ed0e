/// The checkpoint of one run: decides when to write it, reports its state, and never touches a file of another run.
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

/// Tells the user how to resume from a checkpoint.
inline constexpr const char* how_to_resume = "resume it with --resume (TrainingRequest::resume)";

/// Throws Error if the run is to resume from a checkpoint that does not exist or, as far as `identity` tells, belongs
/// to another run. Without `resume`, throws Error if a checkpoint exists: it may hold hours of somebody's computing.
inline void check_earlier_work(const TrainingRequest& r, const RunIdentity& identity) {
  const std::string path = checkpoint_path(r);
  std::error_code error;
  const bool there = std::filesystem::exists(std::filesystem::symlink_status(path, error));
  if (r.resume && !there)
    throw file_error(path, "no such checkpoint to resume from (TrainingRequest::resume)", ErrorCode::file_missing);
  if (r.resume) return check_checkpoint(path, identity);
  if (!there) return;
  bool ours = false;
  try {
    ours = is_checkpoint_file(SafetensorsFile::open(path));
  } catch (const Error&) {  // not a safetensors file, so not ours
  }
  if (ours)
    throw file_error(path, std::string("an interrupted run left it; ") + how_to_resume + ", or delete it",
                     ErrorCode::file_conflict);
  throw file_error(path,
                   "is not a checkpoint, but training would write its checkpoint to this path; "
                   "move or delete the file",
                   ErrorCode::file_conflict);
}

/// The progress of a run, for a sentence that begins with "training was interrupted".
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

  /// Whether a checkpoint is due, at the end of an epoch or within one.
  [[nodiscard]] bool due_after_epoch() const { return since_saved() >= seconds_; }
  [[nodiscard]] bool due_within_epoch() const { return seconds_ > 0.0 && since_saved() >= seconds_; }

  void save(const TrainingState<T>& state) {
    failed_ = true;
    save_checkpoint(path_, state, identity_);
    failed_ = false;
    ours_ = true;
    note(state);
  }

  /// Saves the state if it has changed since the last save. Returns what went wrong, or an empty text. After a failed
  /// save it does nothing.
  [[nodiscard]] std::string rescue(const TrainingState<T>& state) noexcept try {
    if (failed_ || (state.epoch == epoch_ && state.steps() == steps_)) return {};
    save(state);
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }

  /// Whether the last save failed. The user sees that error, and rescue() does not try again.
  [[nodiscard]] bool failed() const { return failed_; }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Removes the checkpoint, once the model is written, if this run wrote it or resumed from it.
  void remove() const {
    std::error_code ignored;
    if (ours_) std::filesystem::remove(path_, ignored);
  }

  /// The text about an earlier checkpoint, for the case that this state could not be saved.
  [[nodiscard]] std::string earlier() const {
    if (!ours_) return {};
    return "; the checkpoint from epoch " + std::to_string(epoch_ + (steps_ > 0 ? 1 : 0)) + " still exists, " +
           how_to_resume;
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
  Index epoch_ = 0, steps_ = 0;  ///< state on disk; initially the start, which needs no saving
};

/// Throws an Error that reports both the current exception, which becomes the nested one, and that the work could not
/// be saved.
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
  } catch (...) {  // keep the default reason
  }
  std::throw_with_nested(Error(reason + "; the training so far could not be saved: " + trouble, code));
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
