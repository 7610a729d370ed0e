#include "request.hpp"

namespace paper {

namespace {

/// The category folders under `data`, or `data` itself.
std::vector<std::filesystem::path> categories(const std::filesystem::path& data) {
  const auto is_category = [](const std::filesystem::path& folder) {
    return std::filesystem::is_directory(folder / "train" / "good") && std::filesystem::is_directory(folder / "test");
  };
  if (is_category(data)) return {data};
  std::vector<std::filesystem::path> found;
  adtr::detail::expect_folder(data);
  for (const auto& folder : adtr::detail::list_folders(data))
    if (is_category(folder)) found.push_back(folder);
  if (found.empty())
    throw adtr::file_error(data.string(), "expected folders with train/good and test in them, found none");
  return found;
}

}  // namespace

void run_mvtec(const Options& options, bool plus) {
  Results results(options.out);
  for (const auto& category : categories(options.data))
    for (const std::string& weights : options.backbones)
      for (const std::uint64_t seed : options.seeds) {
        Cell cell;
        cell.experiment = "mvtec";
        cell.set = std::filesystem::weakly_canonical(category).filename().string();
        cell.system = "ADTR";
        cell.paper_image = 0.964;
        cell.paper_pixel = 0.972;
        set_first_stage(cell, options, weights, seed);
        cell.request.good = adtr::scan_training(category);
        cell.test = adtr::scan_test(category);
        run_with(PaperNetworks{}, results, cell, options.curve);
        if (!plus) continue;
        cell.paper_image = 0.969;
        cell.paper_pixel = 0.975;
        set_second_stage(cell, options, model_file(results, cell), adtr::Loss::pixel);
        cell.request.confetti = true;
        run_with(PaperNetworks{}, results, cell, options.curve);
      }
}

}  // namespace paper
