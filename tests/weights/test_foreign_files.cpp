// Files that are not weights are named by their type, with advice.
#include "adtr/weights/foreign_file.hpp"

#include "adtr/models/description.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using std::string_literals::operator""s;

/// Returns "code: sentence" without the name of the file, which must be present.
std::string refusal(const std::string& content, bool as_model) {
  const TemporaryFolder folder;
  const std::string path = folder.file("given");
  write_whole(path, content);
  try {
    if (as_model)
      static_cast<void>(adtr::open_model(path));
    else
      static_cast<void>(adtr::load_weights(path));
  } catch (const adtr::Error& e) {
    const std::string text = e.what();
    REQUIRE(text.starts_with(path + ": "));
    REQUIRE(text.find('\n') == std::string::npos);
    return std::string(adtr::name_of(e.code())) + text.substr(path.size());
  }
  return "";
}

/// The beginning of a zip archive whose first file has this name.
std::string zip(const std::string& first) {
  return "PK\x03\x04"s + std::string(22, '\0') + static_cast<char>(first.size()) + "\0\0\0"s + first +
         std::string(50, 'x');
}

}  // namespace

TEST_CASE("foreign files are named by their type") {
  const std::string convert = "; tools/convert_weights converts it to a safetensors file";
  const std::string expected = ", expected weights or a model";
  const std::string other = ", expected safetensors; tools/convert_weights converts weights from PyTorch only";
  const std::string rest(300, '\x01');
  const std::vector<std::pair<std::string, std::string>> cases{
      {zip("archive/data.pkl"), "is a PyTorch file" + convert},
      {zip("resnet18/data.pkl"), "is a PyTorch file" + convert},
      {zip("arr_0.npy"), "is a NumPy archive (.npz)" + expected},
      {zip("package/__init__.py"),
       "is a zip archive; if it is a PyTorch file or a Python wheel that contains one, tools/convert_weights converts "
       "it "
       "to a safetensors file"},
      {"\x80\x02\x8a\nl\xfc\x9c"
       "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." +
           rest,
       "is a PyTorch file" + convert},
      {"\x80\x02}q\0."s + rest, "is a Python pickle, as old versions of PyTorch write it" + convert},
      {"\x80\x04\x95\x0b\0"s + rest, "is a Python pickle" + expected},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
       "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"},
      {"<!DOCTYPE html>\n<html>", "is an HTML page, perhaps from a failed download" + expected},
      {"\n  <HTML><head>", "is an HTML page, perhaps from a failed download" + expected},
      {"<?xml version=\"1.0\"?><Error>", "is an XML file, perhaps from a failed download" + expected},
      {"{\"error\": \"not found\"}", "is a JSON file" + expected},
      {"Entry not found\nmore", "is a text file that begins with \"Entry not found\"" + expected},
      {"\xc3\xa9" + std::string(300, 'e'),
       "is a text file that begins with \"\xc3\xa9" + std::string(58, 'e') + "\"" + expected},
      {"\x89PNG\r\n\x1a\n" + rest, "is a PNG image" + expected},
      {"\xff\xd8\xff\xe0" + rest, "is a JPEG image" + expected},
      {"\x93NUMPY\x01\0"s + rest, "is a NumPy array (.npy)" + expected},
      {"\x89HDF\r\n\x1a\n" + rest, "is an HDF5 file, as Keras writes it" + other},
      {"\x08\x07\x12\x07pytorch\x1a\x05"
       "2.1.0" +
           rest,
       "is an ONNX model" + other},
      {"\x08\x01\x12\xf0\x10" + rest, "is a TensorFlow model" + other},
      {"\x1c\0\0\0TFL3"s + rest, "is a TensorFlow Lite model" + other},
      {std::string(100, '\x02') + "\x57\xfb\x80\x8b\x24\x75\x47\xdb",
       "is the index of a TensorFlow checkpoint" + other},
      {"\x1f\x8b\x08" + rest, "is a gzip archive" + expected + "; unpack it first"},
      {"a/b" + std::string(254, '\0') + "ustar\0"s + rest, "is a tar archive" + expected + "; unpack it first"},
      {"\x7f"
       "ELF" +
           rest,
       "is a program" + expected},
  };
  for (const auto& [content, sentence] : cases) {
    CHECK(refusal(content, false) == "bad_weights: " + sentence);
    CHECK(refusal(content, true) == "not_a_model: " + sentence);
  }
}

TEST_CASE("unknown and safetensors files get no type") {
  CHECK(refusal("\x9f\x01\x02\x03\x04\x05\x06\x07\x08\x09", false) ==
        "bad_weights: not a safetensors file: its first 8 bytes do not give the length of a header below 100 MB");
  CHECK(refusal("", false) == "bad_weights: not a safetensors file: expected at least 8 bytes, found 0");
  // The length of a header can look like any text; the bytes after it decide.
  for (int length = 2; length < 70'000; length += 97) {
    std::string file(8, '\0');
    for (std::size_t i = 0; i < 3; ++i) file[i] = static_cast<char>(length >> 8 * i);
    file += "{}" + std::string(static_cast<std::size_t>(length) - 2, ' ');
    REQUIRE(refusal(file, false).empty());
  }
}

TEST_CASE("models, checkpoints and backbones that are confused are named") {
  const TemporaryFolder folder;
  const auto written = [&](const std::map<std::string, std::string>& metadata, const std::string& tensor) {
    const std::vector<float> one{1.0F};
    const std::vector<adtr::SafetensorsTensor> tensors{adtr::tensor_of<float>(tensor, {1}, one)};
    adtr::write_safetensors(folder.file("f"), tensors, metadata);
    return read_whole(folder.file("f"));
  };
  const std::string backbone = written({{"architecture", "resnet18"}}, "conv1.weight");
  CHECK(refusal(backbone, true) ==
        "not_a_model: is not a model that adtr trained but a backbone's weights (resnet18); adtr train makes a model "
        "with "
        "them (--backbone)");
  CHECK(refusal(written({}, "module._conv_stem.weight"), true) ==
        "not_a_model: is not a model that adtr trained but a backbone's weights; adtr train makes a model with them "
        "(--backbone)");
  CHECK(refusal(written({{"format", "adtr-checkpoint"}}, "parameters"), true) ==
        "not_a_model: is a checkpoint of a training run, not a model that adtr trained; adtr train --resume continues "
        "it");
  CHECK(refusal(written({}, "anything"), true) ==
        "not_a_model: is not a model that adtr trained (its metadata has no format 'adtr')");
  const auto as_weights = [&](const std::string& format) {
    written({{"format", format}, {"architecture", "resnet18"}}, "backbone.conv1.weight");
    return error_of([&] { static_cast<void>(adtr::describe_weights(adtr::load_weights(folder.file("f")))); });
  };
  CHECK(as_weights("adtr") == folder.file("f") +
                                  ": is a model that adtr trained, expected a backbone's weights (--backbone); --start "
                                  "continues from a model");
  CHECK(as_weights("adtr-checkpoint") == folder.file("f") +
                                             ": is a checkpoint of a training run, expected a backbone's weights "
                                             "(--backbone); --resume continues from a checkpoint");
  CHECK(as_weights("pt").empty());
}

TEST_CASE("paths of weights and models that cannot be used keep their codes") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("nothing", folder.file("dangling"));
  for (const bool as_model : {false, true})
    for (const auto& [name, code] :
         std::vector<std::pair<std::string, adtr::ErrorCode>>{{"absent", adtr::ErrorCode::file_missing},
                                                              {"dangling", adtr::ErrorCode::file_missing},
                                                              {".", adtr::ErrorCode::file_unreadable}}) {
      adtr::ErrorCode found = adtr::ErrorCode::other;
      try {
        as_model ? static_cast<void>(adtr::open_model(folder.file(name)))
                 : static_cast<void>(adtr::load_weights(folder.file(name)));
      } catch (const adtr::Error& e) {
        found = e.code();
      }
      CHECK(found == code);
    }
}
