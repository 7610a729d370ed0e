// The description in a model file is checked.
#include <limits>

#include "adtr/models/description.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

adtr::ModelDescription good() {
  adtr::ModelDescription d;
  d.architecture = adtr::Architecture::resnet18;
  d.threshold = 5.1813612345678901;
  d.colour_low = 0.1;
  d.colour_high = 0.30000000000000004;
  d.notes = {{"recipe", "fast"}};
  return d;
}

/// Returns "code: sentence" without the path; empty if the description is accepted.
std::string refusal(std::map<std::string, std::string> metadata) {
  const TemporaryFolder folder;
  const std::string path = folder.file("m");
  adtr::write_safetensors(path, {}, metadata);
  try {
    static_cast<void>(adtr::open_model(path));
  } catch (const adtr::Error& e) {
    return std::string(adtr::name_of(e.code())) + std::string(e.what()).substr(path.size());
  }
  return "";
}

}  // namespace

TEST_CASE("descriptions: numbers come back as they went in, to the last bit") {
  const TemporaryFolder folder;
  adtr::write_safetensors(folder.file("m"), {}, adtr::to_metadata(good()));
  const auto [file, d] = adtr::open_model(folder.file("m"));
  CHECK(file.path() == folder.file("m"));
  CHECK(d.threshold == good().threshold);
  CHECK((d.colour_low == 0.1 && d.colour_high == 0.30000000000000004));
  CHECK(d.numerics.mean == good().numerics.mean);
  CHECK(d.notes == good().notes);
}

TEST_CASE("descriptions: the pooling is named; a file of version 2 has none and is bilinear") {
  const TemporaryFolder folder;
  const auto pooling_of = [&](const std::map<std::string, std::string>& metadata) {
    adtr::write_safetensors(folder.file("m"), {}, metadata);
    return adtr::open_model(folder.file("m")).second.pooling;
  };
  adtr::ModelDescription d = good();
  d.pooling = adtr::Pooling::area;
  auto metadata = adtr::to_metadata(d);
  CHECK(metadata["format_version"] == "3");
  CHECK(metadata["pooling"] == "area");
  CHECK(pooling_of(metadata) == adtr::Pooling::area);
  CHECK(pooling_of(adtr::to_metadata(good())) == adtr::Pooling::bilinear);
  metadata["pooling"] = "max";
  CHECK(refusal(metadata) == R"(bad_weights: metadata 'pooling' is "max", expected "bilinear" or "area")");
  metadata.erase("pooling");
  metadata["format_version"] = "2";
  CHECK(pooling_of(metadata) == adtr::Pooling::bilinear);
}

TEST_CASE("descriptions: sizes are positive integers that make sense") {
  REQUIRE(refusal(adtr::to_metadata(good())).empty());
  for (const char* bad : {"0", "-256", "256.5", "2.56e2", "1e300", "99999999999999999999999", "16385", "", " 256",
                          "+256", "256 ", "0x100", "nan", "huge"}) {
    INFO(bad);
    auto metadata = adtr::to_metadata(good());
    metadata["image_size"] = bad;
    CHECK(refusal(metadata) ==
          "bad_weights: metadata 'image_size' is \"" + std::string(bad) + "\", expected an integer from 1 to 16384");
    metadata = adtr::to_metadata(good());
    metadata["grid"] = bad;
    CHECK(refusal(metadata) ==
          "bad_weights: metadata 'grid' is \"" + std::string(bad) + "\", expected an integer from 1 to 256");
  }
  auto metadata = adtr::to_metadata(good());
  metadata["grid"] = "257";
  CHECK(refusal(metadata) == "bad_weights: metadata 'grid' is \"257\", expected an integer from 1 to 256");
}

TEST_CASE("descriptions: numbers are finite, deviations above 0, words known, values there") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"threshold", {"nan", "inf", "-inf", "1e999", "", "five", "5.1 ", "5,1"}},
      {"colour_low", {"nan", "inf", "", "1"}},  // 1 is above colour_high
      {"colour_high", {"nan", "-inf", "-1"}},
      {"mean", {"0,0", "0,0,nan", "0;0;0", "", "0,0,0,0"}},
      {"std", {"1,1,0", "1,-1,1", "0,0,0", "1,1,inf", "1,1,1e-60"}},
      {"padding", {"valid", "SAME"}},
      {"scoring", {"max", ""}},
      {"architecture", {"vgg16", "resnet18\n"}},
      {"pooling", {"max", "Area", ""}},
      {"format_version", {"1", "4", "2.0", ""}}};
  for (const auto& [key, values] : cases)
    for (const std::string& value : values) {
      INFO(key << " = " << value);
      auto metadata = adtr::to_metadata(good());
      metadata[key] = value;
      const std::string said = refusal(metadata);
      // An empty mean counts as missing.
      if (key == "mean" && value.empty()) continue;
      CHECK(said.starts_with("bad_weights: "));
      CHECK(said.find('\n') == std::string::npos);
    }
  for (const char* key :
       {"format_version", "architecture", "image_size", "grid", "pooling", "scoring", "colour_low", "colour_high"}) {
    auto metadata = adtr::to_metadata(good());
    metadata.erase(key);
    CHECK(refusal(metadata) == "bad_weights: metadata has no '" + std::string(key) + "'");
  }
}
