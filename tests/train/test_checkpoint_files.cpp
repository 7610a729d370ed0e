// Which files a run resumes from, which it does not touch, and how it reports changes.
#include "train/run.hpp"

namespace {

using adtr::ErrorCode;
using adtr::TrainingRequest;
namespace fs = std::filesystem;

/// Leaves a checkpoint after the first step.
void interrupt(const TrainingRequest& r) {
  adtr::TrainingProgress progress;
  const std::size_t before = 2 * (r.good.size() + r.defects.size()) - 2;
  progress.cancelled = [before, asked = std::size_t{0}]() mutable { return ++asked > before; };
  REQUIRE(small_run::error_of(r, progress).code() == ErrorCode::cancelled);
  REQUIRE(fs::exists(r.out + ".checkpoint"));
}

}  // namespace

TEST_CASE("A run resumes from a checkpoint or leaves it alone, and touches no other file with its name") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out");
  const std::string checkpoint = r.out + ".checkpoint";
  interrupt(r);
  const std::string bytes = small_run::bytes_of(checkpoint);
  adtr::Error e = small_run::error_of(r);
  CHECK(e.code() == ErrorCode::file_conflict);
  CHECK(std::string(e.what()) == checkpoint + ": an interrupted run left it; resume it with --resume " +
                                     "(TrainingRequest::resume), or delete it");
  CHECK(small_run::bytes_of(checkpoint) == bytes);

  std::ofstream(checkpoint) << "the user's";
  e = small_run::error_of(r);
  CHECK(e.code() == ErrorCode::file_conflict);
  CHECK_THAT(e.what(), ContainsSubstring("is not a checkpoint that adtr wrote"));
  fs::remove(checkpoint);
  fs::create_symlink(folder.file("nowhere"), checkpoint);
  CHECK(small_run::error_of(r).code() == ErrorCode::file_conflict);
  CHECK(fs::is_symlink(checkpoint));
  fs::remove(checkpoint);

  // A file that appears there during a run that writes no checkpoint is not the run's.
  adtr::TrainingProgress progress;
  progress.epoch = [&](const auto& epoch) {
    if (epoch.loss) std::ofstream(checkpoint) << "the user's";
  };
  static_cast<void>(small_run::train(r, progress));
  CHECK(small_run::bytes_of(checkpoint) == "the user's");
}

TEST_CASE("Snapshots use unused names and are deleted") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out");
  r.snapshot_epochs = 1;
  std::ofstream(r.out + ".snapshot") << "the user's";
  std::string shown;
  adtr::TrainingProgress progress;
  progress.snapshot = [&](adtr::Index epoch, const std::string& path) {
    CHECK(epoch == 1);
    CHECK(adtr::is_model_file(adtr::SafetensorsFile::open(path)));
    shown = path;
  };
  static_cast<void>(small_run::train(r, progress));
  CHECK(fs::path(shown).parent_path() == folder.path);
  CHECK(folder.names() == std::vector<std::string>{"out", "out.snapshot"});
  CHECK(small_run::bytes_of(r.out + ".snapshot") == "the user's");
}

TEST_CASE("Changes since the checkpoint was written are named before features are computed") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out", true);
  r.options.loss = adtr::Loss::pixel;
  r.confetti = true;
  std::vector<adtr::Sample> good(r.good.begin(), r.good.end()), defects = folder.images(1, 50, "bad");
  const auto mask = [&](adtr::Index from) {
    adtr::Image image(24, 24);
    std::fill(image.data.begin(), image.data.end(), std::uint8_t{0});
    for (adtr::Index y = from; y < from + 6; ++y) std::fill_n(image.row(y), 3 * 6, std::uint8_t{255});
    adtr::write_png(folder.file("mask.png"), image);
  };
  mask(0);
  defects[0].mask = folder.file("mask.png");
  defects[0].defective = true;
  r.defects = defects;
  interrupt(r);
  r.resume = true;
  const std::string bytes = small_run::bytes_of(r.out + ".checkpoint");
  bool features = false;
  adtr::TrainingProgress progress;
  progress.features = [&](adtr::Index, adtr::Index) { features = true; };
  const auto refused = [&](const TrainingRequest& changed, const std::string& sentence) {
    features = false;
    const adtr::Error e = small_run::error_of(changed, progress);
    CHECK(e.code() == ErrorCode::bad_weights);
    CHECK(std::string(e.what()) == r.out + ".checkpoint: " + sentence);
    CHECK_FALSE(features);
    CHECK(small_run::bytes_of(r.out + ".checkpoint") == bytes);
  };
  const auto with = [&](auto&& change) {
    TrainingRequest changed = r;
    change(changed);
    return changed;
  };
  refused(with([](auto& c) { c.options.seed = 2; }), "was made with --seed 0, this run has 2");
  refused(with([](auto& c) { c.options.epochs = 3; }), "was made with --epochs 2, this run has 3");
  refused(with([](auto& c) { c.options.alpha = 0.5; }), "was made with --alpha 0.003, this run has 0.5");
  refused(with([](auto& c) { c.confetti = false; }),
          "was made with confetti (--anomalies confetti), this run trains without it");
  refused(with([](auto& c) { c.mirror = true; }),
          "was made without mirror images (--mirror), this run trains with them");
  refused(with([](auto& c) { c.hold_out = 0.0; }),
          "was made with 2 good images held out (--hold-out), this run holds 0 out");
  refused(with([&](auto& c) { c.good = std::vector<adtr::Sample>(good.begin(), good.end() - 1); }),
          "the training images have changed since the checkpoint was written: there were 6 good images, now there are "
          "5");
  refused(with([&](auto& c) { c.good = std::vector<adtr::Sample>(good.rbegin(), good.rend()); }),
          "the training images have changed since the checkpoint was written");
  defects[0].path = folder.images(1, 70)[0].path;
  refused(with([&](auto& c) { c.defects = defects; }),
          "the images with defects (--defects) have changed since the checkpoint was written");
  mask(12);
  refused(r, "the masks of the images with defects have changed since the checkpoint was written");
  mask(0);
  refused(with([&](auto& c) {
            c.start.clear();
            c.weights = folder.file("weights");
            c.options.pooling = adtr::Pooling::bilinear;  // the model's
          }),
          "the model that training continues from (--start) has changed since the checkpoint was written");
  static_cast<void>(small_run::train(r));  // nothing has changed

  TrainingRequest plain = folder.request("plain");
  plain.options.pooling = adtr::Pooling::area;
  interrupt(plain);
  plain.resume = true;
  TrainingRequest bilinear = plain;
  bilinear.options.pooling = adtr::Pooling::bilinear;
  CHECK(std::string(small_run::error_of(bilinear).what()) ==
        plain.out + ".checkpoint: was made with --pooling area, this run has bilinear");
  const auto weights = adtr::SafetensorsFile::open(plain.weights);
  std::vector<float> changed(weights.at("conv_stem.weight").elements(), 0.125F);
  std::vector<adtr::SafetensorsTensor> tensors;
  for (const auto& tensor : weights.tensors())
    tensors.push_back(tensor.name == "conv_stem.weight" ? adtr::tensor_of<float>(tensor.name, tensor.shape, changed)
                                                        : tensor);
  plain.weights = folder.file("weights");
  adtr::write_safetensors(folder.file("other"), tensors, weights.metadata());
  plain.weights = folder.file("other");
  CHECK(std::string(small_run::error_of(plain).what()) ==
        plain.out + ".checkpoint: the backbone's weights have changed since the checkpoint was written");
  adtr::write_png(folder.file("good6.png"), small_model::picture(24, 24, 99));  // different pixels with the same name
  CHECK(std::string(small_run::error_of(plain).what()) ==
        plain.out + ".checkpoint: the training images have changed since the checkpoint was written");
}

TEST_CASE("Features need a folder for temporary files only if they go to a file") {
  const char* const before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  setenv("TMPDIR", "/nonexistent", 1);
  adtr::FeatureCache<float> memory(3, 16, 24, 1 << 20);
  CHECK_FALSE(memory.in_file());
  try {
    adtr::FeatureCache<float> file(3, 16, 24, 16);
    FAIL("expected an Error");
  } catch (const adtr::Error& e) {
    CHECK(e.code() == ErrorCode::file_unwritable);
    CHECK_THAT(e.what(), ContainsSubstring("3 images, 0 MiB") && ContainsSubstring("TMPDIR is /nonexistent"));
  }
  old.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", old.c_str(), 1);
}

TEST_CASE("The pooling is that of the options or of the model that training continues from") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("area");
  r.options.pooling = adtr::Pooling::area;
  CHECK(small_run::train(r).description.pooling == adtr::Pooling::area);
  const auto description = adtr::read_description(adtr::SafetensorsFile::open(r.out));
  CHECK(description.pooling == adtr::Pooling::area);
  CHECK_FALSE(description.notes.contains("pooling"));

  TrainingRequest more = folder.request("more", true);
  more.start = r.out;
  more.options.pooling = adtr::Pooling::bilinear;
  CHECK(small_run::train(more).description.pooling == adtr::Pooling::area);
  // Not a difference to the run that wrote the checkpoint: neither takes the option.
  interrupt(more);
  more.options.pooling = adtr::Pooling::area;
  more.resume = true;
  static_cast<void>(small_run::train(more));
}

TEST_CASE("A checkpoint from before there was a choice of pooling and bank is a bilinear one without a bank") {
  const small_run::Folder folder;
  TrainingRequest r = folder.request("out");
  r.options.pooling = adtr::Pooling::bilinear;
  interrupt(r);
  const auto file = adtr::SafetensorsFile::open(r.out + ".checkpoint");
  auto metadata = file.metadata();
  REQUIRE(metadata.erase("run.pooling") == 1);
  REQUIRE(metadata.erase("run.bank") == 1);
  adtr::write_safetensors(folder.file("old"), file.tensors(), metadata);
  fs::rename(folder.file("old"), r.out + ".checkpoint");
  r.resume = true;
  r.options.pooling = adtr::Pooling::area;
  CHECK_THAT(small_run::error_of(r).what(), ContainsSubstring("was made with --pooling bilinear, this run has area"));
  r.options.pooling = adtr::Pooling::bilinear;
  r.options.bank = 10;
  CHECK_THAT(small_run::error_of(r).what(), ContainsSubstring("was made with --bank 0, this run has 10"));
  r.options.bank = 0;
  static_cast<void>(small_run::train(r));
}
