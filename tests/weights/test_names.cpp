// The name tables against the names of real models (data/make_names.py), by position: lists of one model correspond.
#include "adtr/weights/names.hpp"

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using adtr::Convention;

std::vector<std::string> real_names(Convention convention, const std::string& model) {
  const std::string path = std::string(ADTR_SOURCE_DIR) + "/tests/weights/data/names_" +
                           std::string(adtr::convention_name(convention)) + "_" + model + ".txt";
  std::ifstream in(path);
  std::vector<std::string> names;
  std::string module;
  std::string letters;
  while (in >> module >> letters)
    for (const char c : letters)
      names.push_back(module + (c == 'w'   ? ".weight"
                                : c == 'b' ? ".bias"
                                : c == 'm' ? ".running_mean"
                                : c == 'v' ? ".running_var"
                                           : ".num_batches_tracked"));
  REQUIRE(names.size() > 100);
  return names;
}

/// Removes what the backbone does not need. This follows the models and not the table under test: the head is
/// everything after the last block.
std::vector<bool> needed(const std::vector<std::string>& timm_names) {
  std::vector<bool> out;
  for (const std::string& name : timm_names)
    out.push_back((name.starts_with("blocks.") || name.starts_with("conv_stem.") || name.starts_with("bn1.")) &&
                  name.find("num_batches") == std::string::npos);
  return out;
}

const std::vector<int> b0{1, 2, 2, 3, 3, 4, 1};
const std::vector<int> b4{2, 4, 4, 6, 6, 8, 2};

void check_table(const std::string& model, Convention convention, const std::vector<int>& depths, bool has_se) {
  const std::vector<std::string> timm = real_names(Convention::timm, model);
  const std::vector<std::string> other = real_names(convention, model);
  REQUIRE(timm.size() == other.size());
  const std::vector<bool> backbone = needed(timm);
  for (std::size_t i = 0; i < timm.size(); ++i) {
    INFO(timm[i]);
    CHECK(adtr::is_known_surplus(timm[i], Convention::timm) != backbone[i]);
    CHECK(adtr::is_known_surplus(other[i], convention) != backbone[i]);
    if (backbone[i]) CHECK(adtr::translate(timm[i], convention, depths, has_se) == other[i]);
  }
}

}  // namespace

TEST_CASE("Names of B0, B4 and Lite0 in three conventions") {
  check_table("b0", Convention::torchvision, b0, true);
  check_table("b4", Convention::torchvision, b4, true);
  check_table("b0", Convention::lukemelas, b0, true);
  check_table("b4", Convention::lukemelas, b4, true);
  check_table("lite0", Convention::lukemelas, b0, false);
}

TEST_CASE("Timm's names translate to themselves, also those of a ResNet") {
  for (const std::string& name : real_names(Convention::timm, "resnet18")) {
    CHECK(adtr::translate(name, Convention::timm, {}, false) == name);
    const bool surplus =
        name.starts_with("fc.") || name.starts_with("layer4.") || name.find("num_batches") != std::string::npos;
    CHECK(adtr::is_known_surplus(name, Convention::timm) == surplus);
  }
}

TEST_CASE("torchvision's layers without squeeze-and-excitation have lower indices") {
  CHECK(adtr::translate("blocks.0.0.conv_pw.weight", Convention::torchvision, b0, false) ==
        "features.1.0.block.1.0.weight");
  CHECK(adtr::translate("blocks.1.1.bn3.bias", Convention::torchvision, b0, false) == "features.2.1.block.2.1.bias");
  CHECK(adtr::translate("blocks.1.1.conv_dw.weight", Convention::torchvision, b0, false) ==
        "features.2.1.block.1.0.weight");
}

TEST_CASE("Names that no such network has are refused") {
  for (const char* name :
       {"", "blocks", "blocks.", "blocks.1", "blocks.7.0.conv_pw.weight", "blocks.1.2.conv_pw.weight",
        "blocks.-1.0.conv_pw.weight", "blocks.0.0.conv_pwl.weight", "blocks.1.0.conv_pw", "blocks.1.0.conv_q.weight",
        "blocks.x.0.conv_pw.weight", "layer1.0.conv1.weight"})
    for (const Convention to : {Convention::torchvision, Convention::lukemelas}) {
      INFO(name);
      const std::string error = error_of([&] { static_cast<void>(adtr::translate(name, to, b0, true)); });
      CHECK(error.find("has no tensor that timm calls \"" + std::string(name) + "\"") != std::string::npos);
    }
}

TEST_CASE("The convention of a file is detected by its names") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  const auto detect = [&](const std::vector<std::string>& names) {
    std::vector<adtr::SafetensorsTensor> tensors;
    for (const std::string& name : names) tensors.push_back({name, adtr::DType::F32, {0}, {}});
    adtr::write_safetensors(path, tensors);
    return adtr::detect_convention(adtr::SafetensorsFile::open(path));
  };
  for (const Convention c : {Convention::timm, Convention::torchvision, Convention::lukemelas})
    CHECK(detect(real_names(c, "b0")) == c);
  CHECK(detect(real_names(Convention::timm, "resnet18")) == Convention::timm);
  CHECK(detect(real_names(Convention::lukemelas, "lite0")) == Convention::lukemelas);
  const std::string other = error_of([&] { static_cast<void>(detect({"model.embed"})); });
  CHECK(other.starts_with(path + ": not the weights of a backbone: expected "));
  CHECK(other.ends_with("found tensors such as \"model.embed\""));
  CHECK(error_of([&] { static_cast<void>(detect({})); }).ends_with("found no tensor at all"));
}
