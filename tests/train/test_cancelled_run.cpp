// A run that is cancelled at any point says what it saved, and resumes to the same model file.
#include <sys/resource.h>

#include "train/run.hpp"

namespace {

using adtr::ErrorCode;
using adtr::Index;
using adtr::TrainingRequest;
namespace fs = std::filesystem;

/// Callbacks that cancel the run at the call number `at` of cancelled(), and count these calls.
struct Cancel {
  explicit Cancel(Index question = 0) : at(question) {}
  Index at, asked = 0;
  std::vector<double> losses;  ///< in the order of the reports
  std::vector<Index> epochs;   ///< the epochs of these losses
  [[nodiscard]] adtr::TrainingProgress progress() {
    adtr::TrainingProgress p;
    p.cancelled = [this] { return ++asked == at; };
    p.epoch = [this](const adtr::TrainingProgress::Epoch& e) {
      if (!e.loss) return;
      losses.push_back(*e.loss);
      epochs.push_back(e.epoch);
    };
    return p;
  }
};

}  // namespace

TEST_CASE(
    "A run that is cancelled at any moment keeps its finished steps, and ends with the bits of one that was not") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("straight");
  SECTION("from a backbone's weights") {}
  SECTION("from a model, with confetti and defects") {
    r = folder.request("straight", true);
    r.options.loss = adtr::Loss::image;
    r.confetti = true;
    r.defects = folder.images(2, 50, "bad");
  }
  Cancel never;
  const adtr::TrainingResult straight = small_run::train(r, never.progress());
  const std::string model = small_run::bytes_of(folder.file("straight"));
  CHECK(never.losses == straight.losses);
  const auto reads = static_cast<Index>(r.good.size() + r.defects.size()), features = reads - 2;  // two are held out
  // Two steps per epoch, the end of each epoch, four training images scored by two methods, and two held-out images.
  CHECK(never.asked == reads + features + 4 + 8 + 2);

  r.out = folder.file("out");
#ifdef ADTR_SANITIZED  // a few moments of each kind run the same code
  constexpr Index stride = 5;
#else
  constexpr Index stride = 1;
#endif
  for (Index at = 1; at <= never.asked; at += stride) {
    INFO("question " << at << " of " << never.asked);
    Cancel cancel{at};
    const adtr::Error e = small_run::error_of(r, cancel.progress());
    CHECK(e.code() == ErrorCode::cancelled);
    const std::string said = e.what();
    CHECK_THAT(said, ContainsSubstring("training was interrupted "));
    CHECK(cancel.asked == at);
    CHECK_FALSE(fs::exists(r.out));
    const bool kept = at > reads + features;
    CHECK(fs::exists(r.out + ".checkpoint") == kept);
    if (!kept) {
      CHECK_THAT(said, ContainsSubstring(at > reads ? "while the features of its images were computed; nothing"
                                                    : "while its images were read; nothing"));
      continue;
    }
    const Index step = at - reads - features;
    const std::string place = step == 1   ? "in epoch 1 of 2"
                              : step == 2 ? "after epoch 1 of 2"
                              : step == 3 ? "in epoch 2 of 2"
                                          : "after its last epoch, before the model was written";
    CHECK(said == "training was interrupted " + place + "; " + r.out +
                      ".checkpoint holds the finished steps, resume it with --resume (TrainingRequest::resume)");
    CHECK(folder.names() == std::vector<std::string>{"out.checkpoint", "straight"});
    TrainingRequest again = r;
    again.resume = true;
    Cancel rest;
    const adtr::TrainingResult resumed = small_run::train(again, rest.progress());
    CHECK(small_run::bytes_of(r.out) == model);
    CHECK(resumed.losses == straight.losses);
    cancel.losses.insert(cancel.losses.end(), rest.losses.begin(), rest.losses.end());
    CHECK(cancel.losses == straight.losses);  // each epoch is reported once
    CHECK_FALSE(fs::exists(r.out + ".checkpoint"));
    fs::remove(r.out);
  }
}

TEST_CASE("A run that is cancelled twice resumes twice, and cancelling before training keeps the checkpoint") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("straight");
  static_cast<void>(small_run::train(r));
  r.out = folder.file("out");
  constexpr Index before_training = 6 + 4;
  Cancel first{before_training + 1}, reading{3}, second{before_training + 2};
  static_cast<void>(small_run::error_of(r, first.progress()));
  const std::string checkpoint = small_run::bytes_of(r.out + ".checkpoint");
  r.resume = true;
  CHECK_THAT(small_run::error_of(r, reading.progress()).what(),
             ContainsSubstring("; nothing was saved, and " + r.out + ".checkpoint is unchanged"));
  CHECK(small_run::bytes_of(r.out + ".checkpoint") == checkpoint);
  CHECK_THAT(small_run::error_of(r, second.progress()).what(), ContainsSubstring("in epoch 2 of 2"));
  static_cast<void>(small_run::train(r));
  CHECK(small_run::bytes_of(r.out) == small_run::bytes_of(folder.file("straight")));
}

TEST_CASE("If a callback throws, the finished steps are saved and its exception propagates") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("straight");
  r.snapshot_epochs = 1;
  static_cast<void>(small_run::train(r));
  r.out = folder.file("out");
  struct Mine {
    Index epoch;
  };
  adtr::TrainingProgress progress;
  Index epoch = 1;
  SECTION("within an epoch") {
    progress.epoch = [&](const auto& e) {
      if (!e.loss) throw Mine{e.epoch};
    };
  }
  SECTION("at the end of an epoch") {
    progress.epoch = [&](const auto& e) {
      if (e.loss) throw Mine{e.epoch};
    };
  }
  SECTION("at the end of the last epoch") {
    epoch = 2;
    progress.epoch = [&](const auto& e) {
      if (e.loss && e.epoch == 2) throw Mine{e.epoch};
    };
  }
  SECTION("from a snapshot, whose file is deleted") {
    progress.snapshot = [&](Index at, const std::string& path) {
      CHECK(fs::exists(path));
      throw Mine{at};
    };
  }
  SECTION("from cancelled()") {
    progress.cancelled = [&, asked = 0]() mutable -> bool {
      if (++asked > 6 + 4) throw Mine{1};
      return false;
    };
  }
  try {
    static_cast<void>(small_run::train(r, progress));
    FAIL("expected the callback's exception");
  } catch (const Mine& mine) {
    CHECK(mine.epoch == epoch);
  }
  CHECK(folder.names() == std::vector<std::string>{"out.checkpoint", "straight"});
  r.resume = true;
  static_cast<void>(small_run::train(r));
  CHECK(small_run::bytes_of(r.out) == small_run::bytes_of(folder.file("straight")));
}

TEST_CASE("If the work cannot be saved, the error says so in addition to why the run ended") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out");
  const std::string checkpoint = r.out + ".checkpoint";
  adtr::TrainingProgress progress;
  SECTION("a cancelled run") {
    progress.cancelled = [&, asked = 0]() mutable {
      if (++asked <= 6 + 4) return false;
      fs::create_directory(checkpoint);
      return true;
    };
    const adtr::Error e = small_run::error_of(r, progress);
    CHECK(e.code() == ErrorCode::cancelled);
    CHECK_THAT(e.what(), ContainsSubstring(
                             "training was interrupted in epoch 1 of 2, and its finished steps could not be saved: " +
                             checkpoint + ": cannot be written"));
  }
  SECTION("a callback that throws") {
    progress.epoch = [&](const auto&) {
      fs::create_directory(checkpoint);
      throw std::runtime_error("mine");
    };
    const adtr::Error e = small_run::error_of(r, progress);
    CHECK_THAT(e.what(), ContainsSubstring("mine; the training so far could not be saved: " + checkpoint + ": "));
    try {
      std::rethrow_if_nested(e);
    } catch (const std::runtime_error& mine) {
      CHECK(std::string(mine.what()) == "mine");
    }
  }
  SECTION("a checkpoint after an epoch, which is not tried a second time") {
    r.checkpoint_seconds = 0.0;
    progress.epoch = [&](const auto&) { fs::create_directory(checkpoint); };
    const std::string said = small_run::error_of(r, progress).what();
    CHECK(said.find(".checkpoint") == said.rfind(".checkpoint"));
  }
}

TEST_CASE("If the model cannot be written at the end, no epoch is lost") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("straight");
  static_cast<void>(small_run::train(r));
  r.out = folder.file("out");
  adtr::TrainingProgress progress;
  progress.epoch = [&](const auto& e) {
    if (e.loss && e.epoch == 2) fs::create_directory(r.out);
  };
  CHECK_THAT(small_run::error_of(r, progress).what(), ContainsSubstring(r.out + ": cannot be written"));
  fs::remove(r.out);
  r.resume = true;
  Index steps = 0;
  progress.epoch = [&](const auto&) { ++steps; };
  static_cast<void>(small_run::train(r, progress));
  CHECK(steps == 0);
  CHECK(small_run::bytes_of(r.out) == small_run::bytes_of(folder.file("straight")));
}

TEST_CASE("A checkpoint is written every checkpoint_seconds, also within an epoch") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out");
  r.options.batch = 1;
  r.options.epochs = 1;
  r.checkpoint_seconds = GENERATE(1e-9, 0.0, 1e9);
  Index seen = 0, steps = 0;
  adtr::TrainingProgress progress;
  progress.epoch = [&](const auto& e) {
    if (e.loss) return;
    ++steps;
    if (!fs::exists(r.out + ".checkpoint")) return;
    const auto file = adtr::open_checkpoint(r.out + ".checkpoint");
    CHECK(file.metadata().at("epoch") == "0");
    CHECK(static_cast<Index>(file.at("step_losses").elements()) == steps - 1);
    ++seen;
  };
  static_cast<void>(small_run::train(r, progress));
  CHECK(steps == 3);                                      // of four, the last of which ends the epoch
  CHECK(seen == (r.checkpoint_seconds == 1e-9 ? 2 : 0));  // 0: after each epoch
  const std::string model = small_run::bytes_of(r.out);
  r.out = folder.file("straight");
  r.checkpoint_seconds = 30.0;
  static_cast<void>(small_run::train(r));
  CHECK(small_run::bytes_of(r.out) == model);
}
