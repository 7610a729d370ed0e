#include <algorithm>

#include "adtr/data/confetti.hpp"
#include "networks.hpp"
#include "request.hpp"

namespace paper {

namespace {

using adtr::Image;
using adtr::Index;

constexpr Index side = 256, gap = 6;

/// Arranges pictures in rows with white between them.
class Sheet {
 public:
  void add(const std::vector<Image>& row) { rows_.push_back(row); }

  void write(const std::filesystem::path& path) const {
    std::size_t columns = 0;
    for (const auto& row : rows_) columns = std::max(columns, row.size());
    Image sheet(static_cast<Index>(rows_.size()) * (side + gap) - gap,
                static_cast<Index>(columns) * (side + gap) - gap);
    std::fill(sheet.data.begin(), sheet.data.end(), std::uint8_t{255});
    for (std::size_t r = 0; r < rows_.size(); ++r)
      for (std::size_t c = 0; c < rows_[r].size(); ++c)
        for (Index y = 0; y < side; ++y)
          std::copy_n(rows_[r][c].row(y), side * Image::channels,
                      sheet.row(static_cast<Index>(r) * (side + gap) + y) +
                          static_cast<Index>(c) * (side + gap) * Image::channels);
    adtr::write_png(path, sheet);
  }

 private:
  std::vector<std::vector<Image>> rows_;
};

Image resized(const Image& image) {
  Image result(side, side);
  adtr::Resizer(side, side)(image, result);
  return result;
}

Image picture_of(const adtr::Mask& mask) { return adtr::to_image(adtr::resize_nearest(mask, side, side)); }

/// Good images, the same images with confetti, and the masks; one column per image.
void confetti_sheet(const std::vector<adtr::Sample>& good, std::uint64_t seed, const std::filesystem::path& path) {
  adtr::ConfettiMaker maker;
  std::vector<Image> normal, anomalous, masks;
  for (std::size_t i = 0; i < std::min<std::size_t>(good.size(), 6); ++i) {
    const Image image = adtr::read_image(good[i]);
    Image with_confetti;
    adtr::Mask mask;
    maker(image, adtr::RandomStream(seed, i), with_confetti, mask);
    for (std::uint8_t& pixel : mask.data) pixel = pixel != 0 ? 255 : 0;
    normal.push_back(resized(image));
    anomalous.push_back(resized(with_confetti));
    masks.push_back(picture_of(mask));
  }
  Sheet sheet;
  sheet.add(normal);
  sheet.add(anomalous);
  sheet.add(masks);
  sheet.write(path);
}

/// Sample, ground truth and score map of up to two defects of each kind, one row per defect, with one colour scale.
void maps_sheet(const Options& options, const std::string& model, const std::filesystem::path& path) {
  PaperDetector detector = load_detector(model, options.request.threads);
  std::map<std::string, int> shown;
  std::vector<float> good, defective;
  struct Kept {
    Image image, truth;
    adtr::Detection detection;
  };
  std::vector<Kept> kept;
  for (const adtr::Sample& sample : adtr::scan_test(options.data)) {
    const bool wanted = sample.mask && shown[sample.kind] < 2;
    if (sample.defective && !wanted) continue;
    const Image image = adtr::read_image(sample);
    const adtr::Detection detection = detector.detect(image);
    std::vector<float>& scores = sample.defective ? defective : good;
    for (std::size_t i = 0; i < detection.map.size(); i += 16) scores.push_back(detection.map.data()[i]);
    if (!wanted) continue;
    ++shown[sample.kind];
    adtr::Mask mask = adtr::read_sample_mask(sample, image.height, image.width);
    for (std::uint8_t& pixel : mask.data) pixel = pixel != 0 ? 255 : 0;
    kept.push_back({detector.resized(), picture_of(mask), detection});
  }
  if (kept.empty() || good.empty())
    throw adtr::file_error(options.data, "expected good test images, and defects with masks; found " +
                                             std::to_string(kept.size()) + " defects with masks");
  if (detector.description().image_size != side) throw adtr::file_error(model, "expected a model of 256x256 images");
  const adtr::HeatScale scale = adtr::heat_scale(good, defective);
  Sheet sheet;
  for (const Kept& k : kept) sheet.add({k.image, k.truth, program::heat_map(k.detection.map, k.image, scale)});
  sheet.write(path);
}

}  // namespace

void make_figures(const Options& options, const std::string& model) {
  const std::filesystem::path out(options.out);
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) throw adtr::file_error(options.out, "cannot be made: " + error.message());
  confetti_sheet(adtr::scan_training(options.data).samples, options.seeds.front(), out / "confetti.png");
  std::printf("wrote %s: good images, the same with confetti, and masks\n", (out / "confetti.png").c_str());
  if (model.empty()) return;
  maps_sheet(options, model, out / "maps.png");
  std::printf("wrote %s: sample, ground truth and score map\n", (out / "maps.png").c_str());
}

}  // namespace paper
