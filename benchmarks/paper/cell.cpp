#include "cell.hpp"

#include <fstream>

#include "adtr/train/checkpoint.hpp"

namespace paper {

namespace {

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  return s >= 3600 ? program::text("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60)
                   : program::text("%lld:%02lld", s / 60, s % 60);
}

/// FNV-1a hash of the file, so that different weights with the same name count as different settings.
std::string fingerprint_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::uint64_t hash = 0xCBF29CE484222325;
  std::vector<char> block(std::size_t{1} << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    for (std::streamsize i = 0; i < in.gcount(); ++i)
      hash = (hash ^ static_cast<unsigned char>(block[static_cast<std::size_t>(i)])) * 0x100000001B3;
  return program::text("%016llx", static_cast<unsigned long long>(hash));
}

}  // namespace

std::string key_of(const Cell& cell) {
  const adtr::TrainingOptions& o = cell.request.options;
  std::string epochs;
  if (cell.origin.contains("first_stage_epochs"))
    epochs = std::to_string(cell.origin["first_stage_epochs"].get<adtr::Index>()) + "+";
  if (o.epochs > 0) epochs += std::to_string(o.epochs) + " epochs/";
  return cell.experiment + "/" + cell.set + "/" + cell.system + "/" + cell.backbone + "/" + epochs + "seed " +
         std::to_string(o.seed);
}

Json settings_of(const Cell& cell) {
  const adtr::TrainingRequest& r = cell.request;
  const adtr::TrainingOptions& o = r.options;
  Json settings{{"experiment", cell.experiment},
                {"set", cell.set},
                {"system", cell.system},
                {"backbone", cell.backbone},
                {"weights", fingerprint_of(cell.weights)},
                {"image_size", r.image_size},
                {"grid", r.grid},
                {"images", r.good.size()},
                {"mirror", r.mirror},
                {"defects", r.defects.size()},
                {"confetti", r.confetti},
                {"second_stage", !r.start.empty()},
                {"test_images", cell.test.size()},
                {"origin", cell.origin}};
  for (const auto& [name, value] : adtr::identity_of(o)) settings[name] = value;
  return settings;
}

std::string model_file(const Results& results, const Cell& cell) {
  std::string name;
  for (const char c : key_of(cell)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    name += plain ? std::string(1, c) : c == '+' ? "plus" : "-";
  }
  return (results.folder() / (name + ".adtr")).string();
}

Json new_row(const Cell& cell) {
  Json row{{"key", key_of(cell)},   {"settings", settings_of(cell)}, {"state", "new"},         {"resumed", false},
           {"commit", ADTR_COMMIT}, {"curve", Json::array()},        {"paper", Json::object()}};
  if (cell.paper_image) row["paper"]["image_auroc"] = *cell.paper_image;
  if (cell.paper_pixel) row["paper"]["pixel_auroc"] = *cell.paper_pixel;
  return row;
}

adtr::TrainingProgress progress_on(program::ProgressLine& line, const std::string& key) {
  adtr::TrainingProgress progress;
  progress.features = [&line, key](adtr::Index done, adtr::Index images) {
    line.update(key + program::text("  features of image %td/%td", done, images));
  };
  progress.epoch = [&line, key](const adtr::TrainingProgress::Epoch& e) {
    line.update(key + program::text("  epoch %td/%td, image %td/%td  %s left", e.epoch, e.epochs, e.images_done,
                                    e.images, duration(e.seconds_left).c_str()));
  };
  return progress;
}

}  // namespace paper
