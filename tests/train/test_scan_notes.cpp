/// The model's notes say what a scan left out and allowed, and train_model refuses contradictions.
#include "adtr/data/folder.hpp"
#include "adtr/train/train_model.hpp"
#include "data/image_bytes.hpp"
#include "models/small_model.hpp"
#include "support/catch.hpp"
#include "weights/temporary.hpp"

namespace {

void write_picture(const std::string& path, std::uint64_t seed) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  adtr::write_png(path, small_model::picture(40, 50, seed));
}

}  // namespace

TEST_CASE("A model's notes say what was left out and allowed") {
  const TemporaryFolder folder;
  const small_model::File start;
  for (std::uint64_t i = 0; i < 2; ++i) write_picture(folder.file("good/" + std::to_string(i) + ".png"), i);
  const std::string turned = read_whole(folder.file("good/0.png"));  // a quarter, by its orientation tag
  write_whole(folder.file("good/0.png"),
              test_data::with_chunk(turned, test_data::chunk("eXIf", test_data::exif_block(6, true))));
  for (int i = 0; i < 3; ++i) write_whole(folder.file("good/" + std::to_string(i) + ".tif"), "II*");
  write_picture(folder.file("defects/test/bent/0.png"), 5);
  adtr::Image black(40, 50);
  std::filesystem::create_directories(folder.file("defects/ground_truth/bent"));
  adtr::write_png(folder.file("defects/ground_truth/bent/0.png"), black);

  adtr::TrainingRequest request;
  request.start = start.path;
  request.out = folder.file("model.adtr");
  request.good = adtr::scan_training(folder.file("good"), {.allow = true});
  request.options = adtr::second_stage_options(adtr::Recipe::fast);
  request.options.epochs = 1;
  request.options.loss = adtr::Loss::image;
  const auto train = [&] { return adtr::train_model<adtr::Cpu, small_model::Networks>(request).description.notes; };
  SECTION("with allow") {
    request.defects = adtr::scan_defects(folder.file("defects"), {.allow = true});
    const auto notes = train();
    CHECK(notes.at("left_out_good") == "left out: 3 TIFF images, which adtr does not read (0.tif, …)");
    CHECK(notes.at("allowed_good") == "1");
    CHECK(notes.at("allowed_good_1").find("only 2 of 5 images would be used") != std::string::npos);
    CHECK(notes.at("allowed_defects") == "1");
    CHECK(notes.at("allowed_defects_1").find("it marks no pixel") != std::string::npos);
    CHECK_FALSE(notes.contains("left_out_defects"));
    CHECK(notes.at("images_turned") == "1");
    CHECK_FALSE(notes.contains("masks_cut_at_half"));
  }
  SECTION("without allow, a mask without a defect stops the training") {
    request.defects = adtr::scan_defects(folder.file("defects"));
    CHECK(error_of(train).find("it marks no pixel") != std::string::npos);
  }
  SECTION("without allow, an image that is good and defective stops the training") {
    request.good = adtr::SampleSet{request.good.samples};
    std::filesystem::remove_all(folder.file("defects/ground_truth"));
    std::filesystem::copy_file(folder.file("good/1.png"), folder.file("defects/test/bent/1.png"));
    request.defects = adtr::scan_defects(folder.file("defects"));
    CHECK(error_of(train).find("the same image as " + folder.file("good/1.png")) != std::string::npos);
  }
  CHECK(std::filesystem::exists(request.out) == request.defects.allow);
}
