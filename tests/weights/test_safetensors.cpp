// Valid files are read and written.
#include "adtr/weights/safetensors.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using namespace std::string_literals;

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// The file of one tensor with these bytes, opened.
adtr::SafetensorsFile file_with(const TemporaryFolder& folder, adtr::DType dtype, std::size_t elements,
                                std::span<const std::byte> bytes) {
  const adtr::SafetensorsTensor tensor{"t", dtype, {elements}, bytes};
  adtr::write_safetensors(folder.file("one"), std::span(&tensor, 1));
  return adtr::SafetensorsFile::open(folder.file("one"));
}

template <class T>
void check_integers(const TemporaryFolder& folder, adtr::DType dtype, const std::vector<T>& values) {
  const adtr::SafetensorsFile file = file_with(folder, dtype, values.size(), bytes_of(values));
  const std::vector<double> read = file.read<double>("t");
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(read[i] == static_cast<double>(values[i]));
}

}  // namespace

TEST_CASE(
    "write_safetensors gives the bytes of the reference: test_serialization, _forced_alignement, _fp4, test_empty") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  const std::vector<float> values{0, 1, 2, 3, 4, 5};
  const std::string data(reinterpret_cast<const char*>(values.data()), 24);

  const adtr::SafetensorsTensor a = adtr::tensor_of<float>("attn.0", {1, 2, 3}, values);
  adtr::write_safetensors(path, std::span(&a, 1));
  CHECK(read_whole(path) ==
        "@\0\0\0\0\0\0\0"s + R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})" + data);

  const adtr::SafetensorsTensor b = adtr::tensor_of<float>("attn0", {1, 1, 2, 3}, values);
  adtr::write_safetensors(path, std::span(&b, 1));
  CHECK(read_whole(path) ==
        "H\0\0\0\0\0\0\0"s + R"({"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       )" + data);

  const std::vector<std::uint8_t> one{0};
  const adtr::SafetensorsTensor f4{"attn.0", adtr::DType::F4, {1, 2}, bytes_of(one)};
  adtr::write_safetensors(path, std::span(&f4, 1));
  CHECK(read_whole(path) ==
        "@\0\0\0\0\0\0\0"s + R"({"attn.0":{"dtype":"F4","shape":[1,2],"data_offsets":[0,1]}}    )" + "\0"s);

  adtr::write_safetensors(path, {});
  CHECK(read_whole(path) == "\x08\0\0\0\0\0\0\0{}      "s);
  adtr::write_safetensors(path, {}, {{"framework", "pt"}});
  CHECK(read_whole(path) == "(\0\0\0\0\0\0\0"s + R"({"__metadata__":{"framework":"pt"}}     )");
}

TEST_CASE("A written file reads back: names, shapes, values, metadata, order") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  const std::vector<double> d{1.5, -2.25};
  const std::vector<float> f{3.0F, 4.0F, 5.0F};
  const std::vector<std::uint8_t> u{1, 2, 3};
  const std::string odd = "quote\" slash\\ \xC3\xA9 line\n";
  const std::vector<adtr::SafetensorsTensor> tensors{
      {"small", adtr::DType::U8, {3}, bytes_of(u)},
      adtr::tensor_of<float>(odd, {1, 3}, f),
      adtr::tensor_of<double>("wide", {2}, d),
      adtr::tensor_of<float>("none", {0, 4}, std::span<const float>()),
  };
  const std::map<std::string, std::string> metadata{{"empty", ""}, {odd, odd}, {"architecture", "resnet18"}};
  adtr::write_safetensors(path, tensors, metadata);
  const auto file = adtr::SafetensorsFile::open(path);
  CHECK(file.path() == path);
  CHECK(file.metadata() == metadata);
  CHECK(file.names() == std::vector<std::string>{"wide", "none", odd, "small"});
  CHECK(file.at("none").shape == std::vector<std::size_t>{0, 4});
  CHECK(file.read<float>("none").empty());
  CHECK(file.read<double>("wide") == d);
  CHECK(file.read<float>(odd) == f);
  CHECK(file.at(odd).shape == std::vector<std::size_t>{1, 3});
  CHECK(file.read<float>("small") == std::vector<float>{1, 2, 3});
  CHECK(file.contains("wide"));
  CHECK_FALSE(file.contains("wid"));
  CHECK(file.find("absent") == nullptr);

  SECTION("the order in which tensors are given does not matter") {
    const std::string first = read_whole(path);
    const std::vector<adtr::SafetensorsTensor> turned(tensors.rbegin(), tensors.rend());
    adtr::write_safetensors(path, turned, metadata);
    CHECK(read_whole(path) == first);
  }
  SECTION("a file may be written over itself while it is mapped (test_serialize_to_file_same_path_with_active_mmap)") {
    const std::string first = read_whole(path);
    adtr::write_safetensors(path, file.tensors(), file.metadata());
    CHECK(read_whole(path) == first);
    CHECK(file.read<double>("wide") == d);
  }
  SECTION("a moved file works") {
    auto other = adtr::SafetensorsFile::open(path);
    const adtr::SafetensorsFile moved = std::move(other);
    CHECK(moved.read<double>("wide") == d);
    CHECK(moved.at(odd).name == odd);
  }
}

TEST_CASE("Tensors at any address are read") {
  // After a header with an odd length, nothing is aligned.
  const TemporaryFolder folder;
  std::string header = R"({"t":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})";
  if (header.size() % 2 == 0) header += ' ';
  const std::vector<double> values{1.0 / 3.0, -7e200};
  const std::string file = std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header +
                           std::string(reinterpret_cast<const char*>(values.data()), 16);
  write_whole(folder.file("w"), file);
  const auto read = adtr::SafetensorsFile::open(folder.file("w"));
  REQUIRE(reinterpret_cast<std::uintptr_t>(read.at("t").bytes.data()) % 2 == 1);
  CHECK(read.read<double>("t") == values);
}

TEST_CASE("Number formats become float and double") {
  const TemporaryFolder folder;
  check_integers<std::int8_t>(folder, adtr::DType::I8, {-128, 0, 127});
  check_integers<std::uint8_t>(folder, adtr::DType::U8, {0, 255});
  check_integers<std::uint8_t>(folder, adtr::DType::BOOL, {0, 1});
  check_integers<std::int16_t>(folder, adtr::DType::I16, {-32768, 32767});
  check_integers<std::uint16_t>(folder, adtr::DType::U16, {0, 65535});
  check_integers<std::int32_t>(folder, adtr::DType::I32, {-2147483647, 5});
  check_integers<std::uint32_t>(folder, adtr::DType::U32, {4294967295U});
  check_integers<std::int64_t>(folder, adtr::DType::I64, {-3, std::int64_t{1} << 52});
  check_integers<std::uint64_t>(folder, adtr::DType::U64, {std::uint64_t{1} << 63});
  const std::vector<double> d{0.1, -1e-30};
  const auto wide = file_with(folder, adtr::DType::F64, 2, bytes_of(d));
  CHECK(wide.read<float>("t") == std::vector<float>{0.1F, -1e-30F});
  const std::vector<float> f{0.1F};
  CHECK(file_with(folder, adtr::DType::F32, 1, bytes_of(f)).read<double>("t")[0] == static_cast<double>(0.1F));
  // 1, the largest, the smallest normal, the smallest subnormal, -0, infinity (IEEE 754 binary16)
  const std::vector<std::uint16_t> halves{0x3C00, 0x7BFF, 0x0400, 0x0001, 0x8000, 0xFC00, 0x7E00, 0x83FF};
  const auto half = file_with(folder, adtr::DType::F16, 8, bytes_of(halves)).read<float>("t");
  CHECK(half[0] == 1.0F);
  CHECK(half[1] == 65504.0F);
  CHECK(half[2] == 0x1p-14F);
  CHECK(half[3] == 0x1p-24F);
  CHECK((half[4] == 0.0F && std::signbit(half[4])));
  CHECK(half[5] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half[6]));
  CHECK(half[7] == -1023 * 0x1p-24F);
  const std::vector<std::uint16_t> brains{0x3F80, 0xC049, 0x7F80};
  const auto brain = file_with(folder, adtr::DType::BF16, 3, bytes_of(brains)).read<double>("t");
  CHECK(brain[0] == 1.0);
  CHECK(brain[1] == -3.140625);
  CHECK(brain[2] == std::numeric_limits<double>::infinity());
}

TEST_CASE("The 16-bit floats in order: every next one is larger, by what the format says") {
  for (std::uint16_t h = 0; h < 0x7C00; ++h) {
    const float step = adtr::float_from_f16(static_cast<std::uint16_t>(h + 1)) - adtr::float_from_f16(h);
    const int exponent = h < 0x0400 ? -24 : (h >> 10) - 25;
    if (h != 0x7BFF) REQUIRE(step == std::ldexp(1.0F, exponent));
  }
}

TEST_CASE("Requests for missing tensors are errors") {
  const TemporaryFolder folder;
  const std::string path = folder.file("one");
  const std::vector<float> f{1, 2};
  const auto file = file_with(folder, adtr::DType::F32, 2, bytes_of(f));
  std::vector<float> three(3);
  CHECK(error_of([&] { static_cast<void>(file.at("x")); }) == path + ": has no tensor \"x\"");
  CHECK(error_of([&] { file.copy_to("t", std::span(three)); }) == path + ": tensor \"t\" has 2 elements, expected 3");
  const auto complex = file_with(folder, adtr::DType::C64, 1, bytes_of(f));
  CHECK(error_of([&] { static_cast<void>(complex.read<float>("t")); }) ==
        path + ": tensor \"t\" is of type C64, expected real numbers such as F32");
}

TEST_CASE("check_finite names file, tensor and element") {
  std::vector<float> values(10, 1.0F);
  CHECK_NOTHROW(adtr::check_finite<float>("f", "t", values));
  values[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(error_of([&] { adtr::check_finite<float>("f", "t", values); }) ==
        "f: tensor \"t\" holds nan at element 7, expected finite numbers");
  const std::vector<double> infinite{-std::numeric_limits<double>::infinity()};
  CHECK(error_of([&] { adtr::check_finite<double>("f", "t", infinite); }) ==
        "f: tensor \"t\" holds -inf at element 0, expected finite numbers");
}

TEST_CASE("write_safetensors refuses files that no reader would accept") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  write_whole(path, "earlier");
  const std::vector<float> f{1, 2};
  const auto write = [&](std::vector<adtr::SafetensorsTensor> tensors,
                         std::map<std::string, std::string> metadata = {}) {
    const std::string error = error_of([&] { adtr::write_safetensors(path, tensors, metadata); });
    CHECK(error.starts_with(path + ": cannot be written: "));
    CHECK(read_whole(path) == "earlier");
    CHECK(folder.names().size() == 1);
    return error;
  };
  const auto t = [&](std::string name) { return adtr::tensor_of<float>(std::move(name), {2}, f); };
  CHECK(write({t("a"), t("b"), t("a")}).find("two tensors have the name \"a\"") != std::string::npos);
  CHECK(write({t("__metadata__")}).find("reserved for the metadata") != std::string::npos);
  CHECK(write({t("\xFF")}).find("not UTF-8") != std::string::npos);
  CHECK(write({t("a")}, {{"k", "\xC3"}}).find("not UTF-8") != std::string::npos);
  CHECK(write({adtr::tensor_of<float>("a", {3}, f)}).find("of shape [3] does not have the size of its 8 bytes") !=
        std::string::npos);
  // The reference's test_invalid_header_size_serialization.
  CHECK(write({}, {{"very_large_metadata", std::string(100'000'000, 'a')}}).find("the limit is 100000000") !=
        std::string::npos);
}
