/// adtr train: a folder of good images and a backbone's weights in, a model out.
#include "adtr/train/train_model.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "adtr/core/number_text.hpp"
#include "backends.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "output.hpp"

namespace program {

namespace {

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  return s >= 3600 ? text("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60) : text("%lld:%02lld", s / 60, s % 60);
}

/// Pixels teach more than labels, where all defects have masks.
adtr::Loss loss_of(const TrainOptions& options, const adtr::SampleSet& defects) {
  if (options.loss) return *options.loss;
  if (!options.request.confetti && defects.empty()) return adtr::Loss::norm;
  const bool masks =
      std::all_of(defects.begin(), defects.end(), [](const adtr::Sample& s) { return s.mask.has_value(); });
  return masks ? adtr::Loss::pixel : adtr::Loss::image;
}

/// The request of the command line with its images, and with the options of its recipe that were not given.
adtr::TrainingRequest request_of(const TrainOptions& options) {
  adtr::TrainingRequest r = options.request;
  r.good = adtr::scan_training(options.data, options.scan);
  if (!options.defects.empty()) r.defects = adtr::scan_defects(options.defects, options.scan);
  say_what_was_left(r.good);
  say_what_was_left(r.defects);
  const adtr::Recipe recipe = r.options.recipe;
  r.options =
      options.changes.applied_to(r.start.empty() ? adtr::training_options(recipe) : adtr::second_stage_options(recipe));
  r.options.loss = loss_of(options, r.defects);
  return r;
}

/// Whether to resume from a checkpoint. Without --resume, train_model() refuses to start if there is one.
bool resumes(const adtr::TrainingRequest& request) {
  const std::string checkpoint = request.out + ".checkpoint";
  std::error_code error;
  if (!request.resume || std::filesystem::exists(checkpoint, error)) return request.resume;
  say("no " + checkpoint + " to resume, so training starts at the first epoch");
  return false;
}

adtr::TrainingProgress progress_on(ProgressLine& line) {
  adtr::TrainingProgress progress;
  progress.cancelled = [] { return interrupted() != 0; };
  progress.features = [&line](adtr::Index done, adtr::Index images) {
    if (done == images)
      line.finish(text("features of %td images", images));
    else
      line.update(text("features of image %td/%td", done, images));
  };
  progress.epoch = [&line](const adtr::TrainingProgress::Epoch& e) {
    const std::string rate = text("%.3g images/s  %s left", e.images_per_second, duration_text(e.seconds_left).c_str());
    if (e.loss)
      line.finish(text("epoch %td/%td  loss %.5g  ", e.epoch, e.epochs, *e.loss) + rate);
    else
      line.update(text("epoch %td/%td  image %td/%td  ", e.epoch, e.epochs, e.images_done, e.images) + rate);
  };
  return progress;
}

void report(const TrainOptions& options, const adtr::TrainingResult& result) {
  const adtr::ModelDescription& d = result.description;
  std::printf("wrote %s: %s, image %td, grid %td, trained on %td images in %s\n", options.request.out.c_str(),
              std::string(adtr::name_of(d.architecture)).c_str(), d.image_size, d.grid, result.images,
              duration_text(result.seconds_features + result.seconds_training).c_str());
  if (result.turned > 0) say(text("%td of the images were turned upright by their orientation tag", result.turned));
  if (result.soft_masks > 0)
    say(text("%td of the masks have more than two values; each was thresholded at half of its range",
             result.soft_masks));
  if (const std::string advice = adtr::threshold_advice(result); !advice.empty()) std::puts(advice.c_str());
  if (!result.threshold) return;
  const adtr::GoodThreshold& t = *result.threshold;
  std::printf(
      "threshold %s: %zu of %zu held-out good images lie at or above it; of good parts like these, expect %.1f %% "
      "false "
      "alarms, and with %.0f %% confidence at most %.1f %%\n",
      adtr::number_text(t.value).c_str(), t.false_alarms, t.good_images, 100 * t.expected_rate, 100 * t.confidence,
      100 * t.upper_bound);
}

Json results_of(const TrainOptions& options, const adtr::TrainingRequest& request, const adtr::TrainingResult& result) {
  const adtr::TrainingOptions& o = request.options;
  Json json{{"model", request.out},
            {"architecture", std::string(adtr::name_of(result.description.architecture))},
            {"image_size", result.description.image_size},
            {"grid", result.description.grid},
            {"backend", options.backend},
            {"recipe", adtr::name_of(o.recipe)},
            {"epochs", o.epochs},
            {"batch", o.batch},
            {"learning_rate", o.learning_rate},
            {"weight_decay", o.weight_decay},
            {"dropout", o.dropout},
            {"clip", o.clip},
            {"jitter", o.jitter},
            {"pooling", adtr::name_of(result.description.pooling)},
            {"seed", o.seed},
            {"images", result.images},
            {"mirror", request.mirror},
            {"images_good", result.good},
            {"images_held_out", result.held_out},
            {"hold_out_rule", adtr::name_of(result.hold_out_rule)},
            {"images_turned", result.turned},
            {"masks_cut_at_half", result.soft_masks},
            {"left_out", json_of(request.good.left_out)},
            {"allowed", json_of(request.good.allowed)},
            {"loss", adtr::name_of(o.loss)},
            {"confetti", request.confetti},
            {"defects", result.defects},
            {"losses", result.losses},
            {"seconds_features", result.seconds_features},
            {"seconds_training", result.seconds_training},
            {"threshold", nullptr}};
  if (const auto& t = result.threshold) {
    json["threshold"] = t->value;
    json["false_alarms_held_out"] = t->false_alarms;
    json["false_alarm_rate_asked"] = t->requested_rate;
    json["false_alarm_rate_expected"] = t->expected_rate;
    json["false_alarm_rate_bound"] = t->upper_bound;
    json["confidence"] = t->confidence;
  }
  return json;
}

}  // namespace

int train(const TrainOptions& options) {
  adtr::TrainingRequest request = request_of(options);
  adtr::FilePlan plan = adtr::file_plan(request);
  if (!options.json.empty()) plan.writes("--json", options.json, adtr::FileKind::json);
  plan.check();
  require_writable(options.json);
  request.resume = resumes(request);
  ProgressLine line;
  const adtr::TrainingResult result = backend_functions(options.backend).train(request, options, progress_on(line));
  report(options, result);
  write_json(options.json, "train", results_of(options, request, result));
  return 0;
}

}  // namespace program
