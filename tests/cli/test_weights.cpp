/// Bad weights and model files give status 1 and one sentence, and an earlier model is kept.
#include <cstring>
#include <limits>

#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

/// Checks that training from these weights fails with all of `parts` in its message, and keeps the old output.
void check_refused(const std::string& weights, const std::vector<std::string>& parts,
                   const std::vector<std::string>& options = {}, const std::string& image_size = "32",
                   const std::string& grid = "8") {
  const TemporaryFolder folder;
  const std::string out = folder.file("model.adtr");
  Material::get().put_earlier(out);
  auto arguments = Material::get().training(out, options);
  arguments[4] = weights;
  *(std::find(arguments.begin(), arguments.end(), "--image-size") + 1) = image_size;
  *(std::find(arguments.begin(), arguments.end(), "--grid") + 1) = grid;
  const Outcome outcome = run(arguments);
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  const std::string said = sentence(outcome);
  CHECK(said.starts_with(weights + ": "));
  for (const std::string& part : parts) {
    INFO(part);
    CHECK(said.find(part) != std::string::npos);
  }
  CHECK(Material::get().is_earlier(out));
  CHECK(folder.names() == std::vector<std::string>{"model.adtr"});
}

/// The same for a model that detects.
void check_model_refused(const std::string& model, const std::string& part) {
  const Outcome outcome = run({"detect", "--model", model, Material::get().data() + "/test/good/0.png"});
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  CHECK(sentence(outcome).starts_with(model + ": "));
  CHECK(sentence(outcome).find(part) != std::string::npos);
  CHECK(outcome.out.empty());
}

std::string with_header(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

}  // namespace

TEST_CASE("weights whose tensors do not fit are described in one sentence") {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights.safetensors");
  TensorFile file = TensorFile::read(Material::get().weights());
  file.tensors.erase("conv_stem.weight");
  file.tensors["blocks.9.0.conv_pw.weight"] = {{1}, {0.0F}};
  file.tensors["blocks.0.0.conv_dw.bias"] = {{3}, {0.0F, 0.0F, 0.0F}};
  file.tensors["blocks.1.0.conv_pw.bias"].values[5] = std::numeric_limits<float>::quiet_NaN();
  file.write(path);
  check_refused(path, {R"(1 missing: "conv_stem.weight")", R"("blocks.0.0.conv_dw.bias" is [3], expected [32])",
                       R"(not finite numbers: "blocks.1.0.conv_pw.bias")",
                       R"(that the network does not have: "blocks.9.0.conv_pw.weight")"});
}

TEST_CASE("truncated and hostile weights, and other files, are refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights.safetensors");
  const std::string whole = read_whole(Material::get().weights());
  const std::string tensor = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "expected at least 8 bytes, found 0"},
      {whole.substr(0, 5), "expected at least 8 bytes, found 5"},
      {whole.substr(0, 100), "truncated"},
      {whole.substr(0, whole.size() - 1), "truncated"},
      {whole + "x", "surplus bytes"},
      {std::string(8, '\xff') + "{}", "not a safetensors file"},
      {with_header("[]"), "header"},
      {with_header("{" + tensor + "," + tensor + "}", std::string(8, '\0')), "\"a\""},
      {with_header(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
                   std::string(8, '\0')),
       "\"a\""},
      {with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", std::string(8, '\0')), "\"a\""},
      {"PK\x03\x04 a pickle, as PyTorch saves it", "tools/convert_weights"},
      {"\x89PNG\r\n\x1a\n" + std::string(100, '\x01'), "is a PNG image, expected weights or a model"},
      {read_whole(Material::get().model()), "is a model that adtr trained, expected a backbone's weights (--backbone)"},
  };
  for (const auto& [bytes, part] : cases) {
    write_whole(path, bytes);
    check_refused(path, {part});
  }
  std::filesystem::remove(path);
  check_refused(path, {"no such file"});
}

TEST_CASE("the architecture must be known, named, compiled and correct") {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights.safetensors");
  TensorFile file = TensorFile::read(Material::get().weights());
  check_refused(Material::get().weights(), {"holds weights of efficientnet_lite0, expected resnet18"},
                {"--architecture", "resnet18"});
  file.metadata.erase("architecture");
  file.write(path);
  check_refused(path, {"--architecture"});
  check_refused(path, {"holds the weights of another network", "missing"}, {"--architecture", "efficientnet_b4"}, "256",
                "16");

  // The sentence is about an option here, not a file.
  for (const auto& [options, part] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--architecture", "vgg16"}, "vgg16"},
           {{"--architecture", "efficientnet_lite0", "--grid", "7"}, "not compiled for efficientnet_lite0 32/7"}}) {
    auto arguments = Material::get().training(folder.file("m.adtr"));
    arguments[4] = path;
    if (options.size() > 2) std::replace(arguments.begin(), arguments.end(), std::string("8"), options[3]);
    arguments.insert(arguments.end(), options.begin(), options.begin() + 2);
    const Outcome outcome = run(arguments);
    CHECK(outcome.status == 1);
    CHECK(sentence(outcome).find(part) != std::string::npos);
  }
}

TEST_CASE("models that are not for this program are refused") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string path = folder.file("model.adtr");
  const TensorFile model = TensorFile::read(m.model());
  const auto changed = [&](const std::string& key, const std::string& value) {
    TensorFile file = model;
    file.metadata[key] = value;
    file.write(path);
    return path;
  };
  check_model_refused(changed("format_version", "1"), "format version 1; this program reads versions 2 and 3");
  check_model_refused(changed("grid", "7"), "not compiled for efficientnet_lite0 32/7");
  check_model_refused(changed("image_size", "huge"), R"('image_size' is "huge", expected an integer from 1 to 16384)");
  check_model_refused(changed("architecture", "vgg16"), "vgg16");
  check_model_refused(m.weights(), "is not a model that adtr trained");

  TensorFile poisoned = model;
  poisoned.tensors["pos_embed"].values[3] = std::numeric_limits<float>::infinity();
  poisoned.tensors.erase("output_proj.bias");
  poisoned.write(path);
  check_model_refused(path, R"(1 missing: "output_proj.bias"; 1 with values that are not finite numbers: "pos_embed")");

  const std::string whole = read_whole(m.model());
  write_whole(path, whole.substr(0, whole.size() - 4));
  check_model_refused(path, "truncated");
}
