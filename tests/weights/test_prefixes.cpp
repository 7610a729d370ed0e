// Prefixes of trainers are removed from a backbone's names; a file with two backbones is refused.
#include "adtr/weights/prefixes.hpp"

#include <fstream>
#include <numeric>

#include "adtr/models/load_backbone.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using Lite0 = adtr::EfficientNetLite0<adtr::ImageShape<32, 32>>::Layers;
using ResNet = adtr::ResNet18<adtr::ImageShape<32, 32>>::Layers;

/// A backbone's parameters in memory, and as tensors with timm's names.
template <class Layers>
struct Weights {
  adtr::Buffer<float> memory{adtr::parameter_count<Layers>};
  adtr::ParametersOf<Layers, float> parameters = adtr::bind_parameters<Layers>(memory.data());
  adtr::ParameterWriter<float> writer;

  Weights() {
    for (std::size_t i = 0; i < memory.span().size(); ++i) memory.span()[i] = static_cast<float>(i % 251) - 125.0F;
    adtr::walk_parameters(parameters, "", writer);
  }
  /// Returns the tensors of a file with changed names.
  [[nodiscard]] std::vector<adtr::SafetensorsTensor> named(const auto& rename) {
    std::vector<adtr::SafetensorsTensor> tensors = writer.tensors();
    for (auto& tensor : tensors) tensor.name = rename(tensor.name);
    return tensors;
  }
};

/// Returns the error of loading a file; without one, checks that all values are as written.
template <class Layers>
std::string load(const std::string& path, Weights<Layers>& weights) {
  return error_of([&] {
    const auto file = adtr::load_weights(path);
    adtr::Buffer<float> memory(adtr::parameter_count<Layers>);
    auto parameters = adtr::bind_parameters<Layers>(memory.data());
    adtr::load_backbone<Layers>(file, 1e-5, parameters);
    REQUIRE(std::equal(memory.span().begin(), memory.span().end(), weights.memory.span().begin()));
  });
}

const std::vector<std::string> prefixes{"",
                                        "module.",
                                        "_orig_mod.",
                                        "model.",
                                        "backbone.",
                                        "encoder.",
                                        "module._orig_mod.",
                                        "_orig_mod.module.model.backbone.",
                                        "ema.",
                                        "model_ema.module.",
                                        "ema_model.module.model.",
                                        "state_dict_ema.",
                                        "shadow.",
                                        "net\xc3\xa9."};

/// A file of one-element tensors; the last convolution has `channels` inputs.
void write_names(const std::string& path, const std::string& list, const std::string& prefix, std::size_t channels) {
  std::ifstream in(std::string(ADTR_SOURCE_DIR) + "/tests/weights/data/names_" + list + ".txt");
  REQUIRE(in);
  static const std::vector<float> values(2048);
  std::vector<adtr::SafetensorsTensor> tensors;
  for (std::string layer, parameters; in >> layer >> parameters;) {
    const bool head = layer == "conv_head" || layer == "features.8.0" || layer == "_conv_head";
    if (head)
      tensors.push_back(
          adtr::tensor_of<float>(prefix + layer + ".weight", {1, channels, 1, 1}, std::span(values).first(channels)));
    else
      tensors.push_back(adtr::tensor_of<float>(prefix + layer + ".weight", {1}, std::span(values).first(1)));
  }
  adtr::write_safetensors(path, tensors, {});
}

}  // namespace

TEST_CASE("a backbone is found with any prefix, in every convention") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  Weights<Lite0> lite;
  const std::vector<int> depths{1, 2, 2, 3, 3, 4, 1};
  for (const auto convention : {adtr::Convention::timm, adtr::Convention::torchvision, adtr::Convention::lukemelas})
    for (const std::string& prefix : prefixes) {
      INFO(adtr::convention_name(convention) << " behind " << prefix);
      auto tensors = lite.named(
          [&](const std::string& name) { return prefix + adtr::translate(name, convention, depths, false); });
      if (!prefix.empty()) tensors.push_back(adtr::tensor_of<float>("other.part", {0}, {}));
      adtr::write_safetensors(path, tensors, {});
      CHECK(load(path, lite).empty());
    }
  Weights<ResNet> resnet;
  for (const std::string& prefix : prefixes) {
    INFO("ResNet behind " << prefix);
    adtr::write_safetensors(path, resnet.named([&](const std::string& name) { return prefix + name; }), {});
    CHECK(load(path, resnet).empty());
  }
}

TEST_CASE("surplus tensors with the prefix are reported") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  Weights<Lite0> lite;
  auto tensors = lite.named([&](const std::string& name) { return "module." + name; });
  tensors.push_back(adtr::tensor_of<float>("module.classifier.weight", {0}, {}));
  tensors.push_back(adtr::tensor_of<float>("module.blocks.9.0.conv_pw.weight", {0}, {}));
  adtr::write_safetensors(path, tensors, {});
  CHECK(load(path, lite) == path +
                                ": tensors do not fit the network: 1 that the network does not have: "
                                "\"module.blocks.9.0.conv_pw.weight\"");
}

TEST_CASE("a file with plain weights and averages, or with two backbones, is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  Weights<ResNet> resnet;
  const auto both = [&](const std::string& first, const std::string& second) {
    auto tensors = resnet.named([&](const std::string& name) { return first + name; });
    for (auto& tensor : resnet.named([&](const std::string& name) { return second + name; })) tensors.push_back(tensor);
    adtr::write_safetensors(path, tensors, {});
    return load(path, resnet);
  };
  CHECK(both("", "ema.") == path +
                                ": holds plain weights (without a prefix) and their averages, EMA (with the prefix "
                                "\"ema.\"); choose one with tools/convert_weights --no-ema or --ema");
  CHECK(both("state_dict_ema.module.", "state_dict.module.") ==
        path +
            ": holds plain weights (with the prefix \"state_dict.module.\") and their averages, EMA (with the prefix "
            "\"state_dict_ema.module.\"); choose one with tools/convert_weights --no-ema or --ema");
  CHECK(both("encoder_q.", "encoder_k.") ==
        path +
            ": holds 2 backbones, one with the prefix \"encoder_k.\" and one with the prefix \"encoder_q.\"; "
            "choose one with tools/convert_weights --prefix");
}

TEST_CASE("averages are recognised by whole words") {
  for (const char* prefix :
       {"ema.", "model_ema.module.", "ema_model.", "state_dict_ema.", "swa_model.", "shadow.", "a.b_ema_c."})
    CHECK(adtr::is_average_prefix(prefix));
  for (const char* prefix : {"", "module.", "schema.", "emap.", "nema.model.", "shadows."})
    CHECK_FALSE(adtr::is_average_prefix(prefix));
}

TEST_CASE("architectures are recognised by real names, with and without a prefix") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  struct Case {
    const char *list, *architecture;
    std::size_t channels;
  };
  for (const Case& c : {Case{"timm_b0", "efficientnet_b0", 320}, Case{"timm_b4", "efficientnet_b4", 448},
                        Case{"timm_lite0", "efficientnet_lite0", 320}, Case{"torchvision_b0", "efficientnet_b0", 320},
                        Case{"torchvision_b4", "efficientnet_b4", 448}, Case{"lukemelas_b0", "efficientnet_b0", 320},
                        Case{"lukemelas_b4", "efficientnet_b4", 448},
                        Case{"lukemelas_lite0", "efficientnet_lite0", 320}, Case{"timm_resnet18", "resnet18", 1}})
    for (const char* prefix : {"", "module.backbone."}) {
      INFO(c.list << prefix);
      write_names(path, c.list, prefix, c.channels);
      const auto file = adtr::load_weights(path);
      CHECK(adtr::backbone_prefix(file) == prefix);
      CHECK(adtr::recognise_backbone(file, prefix) == std::string(c.architecture));
      CHECK(adtr::describe_weights(file, c.architecture).architecture ==
            adtr::parse_architecture(c.architecture).architecture);
      CHECK(error_of([&] { static_cast<void>(adtr::describe_weights(file, "resnet34")); }) ==
            path + ": holds the weights of " + c.architecture + ", as its tensors show, expected resnet34");
    }
  write_names(path, "timm_b0", "", 321);  // no EfficientNet has that many channels
  CHECK_FALSE(adtr::recognise_backbone(adtr::load_weights(path), ""));
}

TEST_CASE("weights of another network are named instead of listing what is missing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  Weights<Lite0> lite;
  write_names(path, "timm_resnet18", "", 1);
  CHECK(load(path, lite) == path +
                                ": holds the weights of another network, probably resnet18: 239 of this network's 240 "
                                "tensors are missing, such as \"conv_stem.weight\"; the file has others, such as "
                                "\"conv1.weight\"");
  const std::vector<float> one{1.0F};
  for (const auto& [name, network] : std::vector<std::pair<std::string, std::string>>{
           {"blocks.0.attn.qkv.weight", ", probably a vision transformer (ViT)"},
           {"layers.0.blocks.0.attn.relative_position_bias_table", ", probably a Swin transformer"},
           {"model.embed_tokens.weight", ", probably a language model"},
           {"mystery", ""}}) {
    adtr::write_safetensors(path, std::vector{adtr::tensor_of<float>(name, {1}, one)}, {});
    CHECK(load(path, lite) ==
          path + ": holds the weights of another network" + network +
              ": 240 of this network's 240 tensors are missing, such as \"conv_stem.weight\"; the file has "
              "others, such as \"" +
              name + "\"");
  }
  // A few missing ones are still listed: those of the batch norm that a file without this bias must have.
  auto tensors = lite.writer.tensors();
  tensors.pop_back();
  adtr::write_safetensors(path, tensors, {});
  CHECK(load(path, lite).find("tensors do not fit the network: 4 missing: ") != std::string::npos);
}
