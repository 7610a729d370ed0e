/// adtr evaluate: a model's figures on a test set.
#include "adtr/evaluate.hpp"

#include <cstdio>
#include <set>

#include "adtr/core/number_text.hpp"
#include "adtr/core/printable.hpp"
#include "backends.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "output.hpp"
#include "page.hpp"

namespace program {

namespace {

std::string map_name(const adtr::Sample& sample) { return sample.kind + "/" + sample.path.stem().string(); }

/// The files that are read and written, compared before any work.
void check_files(const EvaluateOptions& options, const adtr::SampleSet& set, const MapWriter& maps) {
  adtr::FilePlan plan;
  plan.reads("the model", options.model);
  for (const adtr::Sample& sample : set) {
    plan.reads("a test image", sample.path);
    if (sample.mask) plan.reads("a mask", *sample.mask);
  }
  std::set<std::filesystem::path> folders;
  for (const char* part : {"train", "test", "ground_truth"}) folders.insert(std::filesystem::path(options.data) / part);
  for (const adtr::Sample& sample : set) folders.insert(sample.path.parent_path());  // a link may lead elsewhere
  for (const auto& folder : folders) plan.reads_folder("the data", folder, true);
  if (!options.json.empty()) plan.writes("--json", options.json, adtr::FileKind::json);
  if (!options.report.empty()) plan.writes("--report", options.report, adtr::FileKind::page);
  maps.add_to(plan);
  plan.check();
}

/// How many images a threshold is right about.
struct Judged {
  std::size_t found = 0, passed = 0;
};

Judged judge(const std::vector<Scored>& images, double threshold) {
  Judged judged;
  for (const Scored& scored : images)
    if ((scored.score >= threshold) == scored.defective) ++(scored.defective ? judged.found : judged.passed);
  return judged;
}

void print_table(const adtr::Evaluation& e, const std::vector<Scored>& images, std::optional<double> threshold) {
  std::printf("%-14s %td good, %td defective", "images", e.images_good, e.images_defective);
  if (!e.unreadable.empty()) std::printf(", %zu unreadable", e.unreadable.size());
  std::putchar('\n');
  for (const adtr::Figure& figure : e.figures)
    std::printf("%-14s %s\n", figure.title.c_str(),
                figure.value ? text("%.4f", *figure.value).c_str() : "not available");
  std::printf("%-14s %tdx%td\n", "resolution", e.resolution, e.resolution);
  std::printf("%-14s %.1f ms\n", "time per image", 1000 * e.seconds_per_image);
  if (threshold) {
    const Judged judged = judge(images, *threshold);
    std::printf("%-14s %s: %zu of %td defects found, %zu of %td good images passed\n", "threshold",
                adtr::number_text(*threshold).c_str(), judged.found, e.images_defective, judged.passed, e.images_good);
  } else {
    std::printf("%-14s none in the model, so all images are undecided\n", "threshold");
  }
  for (const std::string& reason : e.reasons) std::printf("%s\n", reason.c_str());
}

/// The figures by one scoring method.
struct MethodFigures {
  adtr::Scoring scoring;
  std::vector<adtr::Figure> figures;
};

/// Scores the set again by every other method that the model can use. The first entry is `own`, the figures by the
/// detector's present method, which it keeps.
std::vector<MethodFigures> figures_of_all(AnyDetector& detector, adtr::SampleSet& set, const adtr::Evaluation& own,
                                          ProgressLine& line) {
  const adtr::Scoring present = detector.description().scoring;
  const std::optional<double> threshold = detector.description().threshold;
  std::vector<MethodFigures> all{{present, own.figures}};
  for (const adtr::Scoring scoring : detector.scorings()) {
    if (scoring == present) continue;
    detector.set_scoring(scoring);
    std::size_t done = 0;
    const auto on_image = [&](const adtr::EvaluatedImage&) {
      line.update(text("%s: image %zu/%zu", std::string(name_of(scoring)).c_str(), ++done, set.size()));
      if (interrupted() == 0) return;
      line.clear();
      throw Interrupted("interrupted, so nothing is written; start again");
    };
    all.push_back({scoring, adtr::evaluate(detector, set, on_image).figures});
  }
  detector.set_scoring(present);
  detector.set_threshold(threshold);
  line.clear();
  return all;
}

void print_methods(const std::vector<MethodFigures>& methods) {
  std::printf("\n%-14s", "scoring");
  for (const adtr::Figure& figure : methods.front().figures) std::printf("  %s", figure.title.c_str());
  for (const MethodFigures& method : methods) {
    std::printf("\n%-14s", std::string(name_of(method.scoring)).c_str());
    for (const adtr::Figure& figure : method.figures)
      std::printf("  %*s", static_cast<int>(figure.title.size()),
                  figure.value ? text("%.4f", *figure.value).c_str() : "-");
  }
  std::putchar('\n');
}

/// What adtr decided for the user: sentences for the page, the terminal and the JSON file.
std::vector<std::string> remarks_on(const adtr::Evaluation& e, const adtr::SampleSet& set) {
  std::vector<std::string> remarks;
  if (!set.left_out.empty()) remarks.push_back(adtr::describe(set.left_out));
  for (const std::string& contradiction : set.allowed) remarks.push_back("allowed: " + contradiction);
  if (e.soft_masks > 0)
    remarks.push_back(
        text("%td of the masks have more than two values; each was thresholded at half of its range", e.soft_masks));
  if (e.turned > 0) remarks.push_back(text("%td of the images were turned upright by their orientation tag", e.turned));
  return remarks;
}

Json results_of(const EvaluateOptions& options, const adtr::Evaluation& e, const std::vector<Scored>& images,
                const adtr::SampleSet& set, const adtr::ModelDescription& model,
                const std::vector<MethodFigures>& methods) {
  const std::optional<double> threshold = model.threshold;
  Json json{{"model", json_name(options.model)}, {"data", json_name(options.data)}};
  for (const adtr::Figure& figure : e.figures) json[figure.key] = figure.value ? Json(*figure.value) : Json();
  json["scoring"] = std::string(name_of(model.scoring));
  for (const MethodFigures& method : methods)
    for (const adtr::Figure& figure : method.figures)
      json["scorings"][std::string(name_of(method.scoring))][figure.key] = figure.value ? Json(*figure.value) : Json();
  json["pixel_bound"] = e.pixel_bound;
  json["resolution"] = e.resolution;
  json["images_good"] = e.images_good;
  json["images_defective"] = e.images_defective;
  json["images_unreadable"] = e.unreadable.size();
  json["images_turned"] = e.turned;
  json["masks_cut_at_half"] = e.soft_masks;
  json["seconds_per_image"] = e.seconds_per_image;
  json["threshold"] = threshold ? Json(*threshold) : Json();
  const auto bound = false_alarm_bound(model);
  json["false_alarm_rate_bound"] = bound ? Json(*bound) : Json();
  json["reasons"] = e.reasons;
  json["left_out"] = json_of(set.left_out);
  json["allowed"] = json_of(set.allowed);
  Json& list = json["images"] = Json::array();
  for (const Scored& scored : images)
    list.push_back({{"file", json_name(scored.sample->path)},
                    {"kind", json_name(scored.sample->kind)},
                    {"defective", scored.defective},
                    {"verdict", std::string(name_of(adtr::verdict_of(scored.score, threshold)))},
                    {"score", scored.score}});
  for (const adtr::UnreadableFile& file : e.unreadable)
    list.push_back({{"file", json_name(file.path)},
                    {"verdict", "unreadable"},
                    {"score", nullptr},
                    {"error", adtr::printable(file.sentence)}});
  return json;
}

/// Paints the heat maps in the colours of the whole set, which are known at its end. The scores come from the files
/// that were written: in memory they would grow with the set.
void paint_again(const MapWriter& maps, const std::vector<Scored>& images, adtr::Index side, adtr::HeatScale scale,
                 ProgressLine& line) {
  if (!maps.active()) return;
  adtr::Resizer resize(side, side);
  adtr::Image resized(side, side);
  std::size_t done = 0;
  for (const Scored& scored : images) {
    resize(adtr::read_image(*scored.sample), resized);
    const std::string name = map_name(*scored.sample);
    maps.write_picture(name, maps.read_scores(name), resized, scale);
    line.update(text("heat map %zu/%zu", ++done, images.size()));
  }
}

}  // namespace

int evaluate(const EvaluateOptions& options) {
  adtr::SampleSet set = adtr::scan_test(options.data, options.scan);
  MapWriter maps(options.maps);
  for (const adtr::Sample& sample : set) maps.claim(map_name(sample), sample.path);
  check_files(options, set, maps);
  require_writable(options.json);
  require_writable(options.report);
  const auto detector = backend_functions(options.backend).load(options.model, options);
  for (const adtr::Scoring scoring : detector->scorings())
    if (name_of(scoring) == options.scoring) detector->set_scoring(scoring);
  const adtr::ModelDescription& model = detector->description();
  if (!options.scoring.empty() && options.scoring != "all" && name_of(model.scoring) != options.scoring)
    throw adtr::Error("--scoring " + options.scoring + ": the model " + adtr::printable(options.model) +
                          " has no memory bank or no score statistics for it",
                      adtr::ErrorCode::option);
  maps.make_folders();

  ProgressLine line;
  std::vector<Scored> images;
  const auto on_image = [&](const adtr::EvaluatedImage& image) {
    images.push_back({&image.sample, image.detection.score, image.defective});
    if (maps.active()) {  // in the model's colours, so that whatever ends the run leaves whole maps
      maps.write_picture(map_name(image.sample), image.detection.map, image.resized, scale_of(model));
      maps.write_scores(map_name(image.sample), image.detection);
    }
    line.update(text("image %zu/%zu", images.size(), set.size()));
    if (interrupted() == 0) return;
    line.clear();
    throw Interrupted(
        text("interrupted after %zu of %zu images: figures of a part of the set are meaningless, so none are "
             "written; start again",
             images.size(), set.size()));
  };
  const adtr::Evaluation evaluation = adtr::evaluate(*detector, set, on_image);
  const adtr::HeatScale scale = evaluation.scale.value_or(scale_of(model));
  if (evaluation.scale) paint_again(maps, images, evaluation.resolution, *evaluation.scale, line);
  line.clear();
  const std::vector<std::string> remarks = remarks_on(evaluation, set);
  for (const std::string& remark : remarks) say(remark);
  for (const adtr::UnreadableFile& file : evaluation.unreadable) say(file.sentence);
  print_table(evaluation, images, model.threshold);
  std::vector<MethodFigures> methods;
  if (options.scoring == "all") {
    methods = figures_of_all(*detector, set, evaluation, line);
    print_methods(methods);
  }
  write_json(options.json, "evaluate", results_of(options, evaluation, images, set, model, methods));
  if (!options.report.empty()) {
    write_page(options, *detector, evaluation, images, remarks, scale);
    std::printf("report         %s\n", adtr::printable(options.report).c_str());
  }
  return evaluation.unreadable.empty() ? 0 : 1;
}

}  // namespace program
