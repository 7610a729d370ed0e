// Files that are wrong: each case of the tests and attacks of the reference implementation (huggingface/safetensors,
// tensor.rs, attacks/), and more. Each must give one sentence that names the file, or be read as the reference reads
// it.
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>

#include "adtr/weights/safetensors.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using namespace std::string_literals;

std::string length_bytes(std::uint64_t n) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &n, 8);
  return out;
}

/// A file with this header and `data` zero bytes behind it.
std::string file_of(const std::string& header, std::size_t data = 0) {
  return length_bytes(header.size()) + header + std::string(data, '\0');
}

adtr::SafetensorsHeader parse(const std::string& file) {
  return adtr::parse_safetensors(std::as_bytes(std::span(file)), "w.safetensors");
}

std::string error_in(const std::string& file) {
  try {
    static_cast<void>(parse(file));
  } catch (const adtr::Error& e) {
    return e.what();
  }
  return "";
}

/// `file` is refused, in one line that names it and holds `sentence`.
void refused(const std::string& file, const std::string& sentence) {
  const std::string error = error_in(file);
  INFO("error: " << error);
  INFO("expected: " << sentence);
  CHECK(error.starts_with("w.safetensors: "));
  CHECK(error.find(sentence) != std::string::npos);
  CHECK(error.find('\n') == std::string::npos);
}

std::string i32(const std::string& shape, const std::string& offsets) {
  return R"({"test":{"dtype":"I32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

}  // namespace

TEST_CASE("safetensors reference: test_deserialization, test_lifetimes") {
  const std::string file = "<\0\0\0\0\0\0\0"s + i32("[2,2]", "[0,16]") + std::string(16, '\0');
  const adtr::SafetensorsHeader header = parse(file);
  REQUIRE(header.tensors.size() == 1);
  CHECK(header.tensors[0].name == "test");
  CHECK(header.tensors[0].shape == std::vector<std::size_t>{2, 2});
  CHECK(header.tensors[0].dtype == adtr::DType::I32);
  CHECK(header.tensors[0].bytes.size() == 16);
  CHECK(header.tensors[0].elements() == 4);
}

TEST_CASE("safetensors reference: test_empty_shapes_allowed, test_zero_sized_tensor, test_empty") {
  const auto scalar_file = file_of(i32("[]", "[0,4]"), 4);
  const auto scalar = parse(scalar_file);
  CHECK(scalar.tensors.at(0).shape.empty());
  CHECK(scalar.tensors.at(0).bytes.size() == 4);
  const auto none = parse(file_of(i32("[2,0]", "[0, 0]")));
  CHECK(none.tensors.at(0).shape == std::vector<std::size_t>{2, 0});
  CHECK(none.tensors.at(0).bytes.empty());
  CHECK(parse(file_of("{}      ")).tensors.empty());
  const auto metadata = parse(file_of(R"({"__metadata__":{"framework":"pt"}}     )"));
  CHECK(metadata.metadata == std::map<std::string, std::string>{{"framework", "pt"}});
  CHECK(parse(file_of(R"({"__metadata__":null})")).metadata.empty());
}

TEST_CASE("safetensors reference: test_whitespace_padded_header, test_whitespace_leading_padded_header") {
  CHECK(parse(file_of("{}\x0D\x20\x09\x0A")).tensors.empty());
  CHECK(parse(file_of("\x09\x0A{}\x0D\x20")).tensors.empty());
}

TEST_CASE("safetensors reference: test_serialization_fp4, test_serialization_fp4_misaligned") {
  const auto f4 = parse(file_of(R"({"a":{"dtype":"F4","shape":[1,2],"data_offsets":[0,1]}})", 1));
  CHECK(f4.tensors.at(0).elements() == 2);
  refused(file_of(R"({"a":{"dtype":"F4","shape":[1,3],"data_offsets":[0,2]}})", 2), "not a whole number of bytes");
  refused(file_of(R"({"a":{"dtype":"F4","shape":[1,2],"data_offsets":[0,2]}})", 2), "needs 1 bytes");
}

TEST_CASE("safetensors reference: test_header_too_small, test_header_too_large, test_invalid_header_length") {
  refused("", "expected at least 8 bytes, found 0");
  refused("\1\0\0\0\0\0\0"s, "expected at least 8 bytes, found 7");
  refused("<\0\0\0\0\xff\xff\xff"s + i32("[2,2]", "[0,16]") + std::string(16, '\0'), "header below 100 MB");
  refused(length_bytes(~std::uint64_t{0}), "header below 100 MB");
  refused(length_bytes(100'000'001) + "{}", "its first 8 bytes do not give the length of a header below 100 MB");
  refused("<\0\0\0\0\0\0\0"s, "its header should have 60 bytes, but 0 follow");
}

TEST_CASE("safetensors reference: test_invalid_header_non_utf8, test_invalid_header_not_json") {
  refused("\1\0\0\0\0\0\0\0\xff"s, "the header is not UTF-8: byte 0");
  refused(file_of("{\"a\xE2\x82\":1}"), "the header is not UTF-8: byte 3");
  refused("\1\0\0\0\0\0\0\0{"s, "the header is not valid JSON at byte 1");
  refused(file_of(""), "expected an object, found the end of the text");
  refused(file_of("[]"), "expected an object, found \"[\"");
  refused(file_of("{}}"), "expected the end of the text");
  refused(file_of("{}\0"s), "expected the end of the text");
}

TEST_CASE("safetensors reference: test_metadata_incomplete_buffer") {
  const std::string header = i32("[2,2]", "[0,16]");
  refused(file_of(header, 16) + "extra_bogus_data_for_polyglot_file", "16 bytes of tensors, but 50 follow");
  refused(file_of(header, 14), "16 bytes of tensors, but 14 follow it (truncated file?)");
  refused(file_of("{}", 1), "0 bytes of tensors, but 1 follow");
}

TEST_CASE("safetensors reference: test_json_attack, overlapping tensors") {
  std::string header = "{";
  for (int i = 0; i < 10; ++i)
    header += (i == 0 ? "" : ",") + ("\"weight_" + std::to_string(i)) +
              R"(":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]})";
  refused(file_of(header + "}", 16), "expected them to begin at 16");
}

TEST_CASE("safetensors reference: test_invalid_info") { refused(file_of(i32("[2,2]", "[0, 4]")), "needs 16 bytes"); }

TEST_CASE("safetensors reference: test_validation_overflow") {
  refused(file_of(i32("[2,18446744073709551614]", "[0,16]"), 16), "overflows 64 bits");
  refused(file_of(i32("[2,9223372036854775807]", "[0,16]"), 16), "overflows 64 bits");
  refused(file_of(i32("[4611686018427387904]", "[0,0]")),
          "overflows 64 bits");  // 2^62 elements: only the bytes overflow
  refused(file_of(i32("[9223372036854775808,2,0]", "[0,0]")), "overflows 64 bits");
}

TEST_CASE("safetensors attacks: gaps, negative and reversed offsets, offsets beyond the file") {
  refused(file_of(i32("[2,2]", "[4,20]"), 20), "expected them to begin at 0");
  refused(file_of(i32("[2,2]", "[16,0]"), 16), "expected them to begin at 0");
  refused(file_of(i32("[0]", "[0,18446744073709551615]")), "needs 0 bytes");
  refused(file_of(i32("[2,2]", "[-16,0]"), 16), "expected an integer of 0 or above");
  refused(file_of(i32("[2,2]", "[0,18446744073709551616]"), 16), "above 2^64 - 1");
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  const std::string gap = R"("b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]})";
  const std::string overlap = R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]})";
  refused(file_of("{" + a + "," + gap + "}", 9),
          "tensor \"b\" has the data_offsets [5, 9], expected them to begin at 4");
  refused(file_of("{" + a + "," + overlap + "}", 7), "expected them to begin at 4");
}

TEST_CASE("safetensors: fields that are missing, doubled, unknown or of the wrong kind") {
  refused(file_of(R"({"t":{"shape":[],"data_offsets":[0,4]}})", 4), "tensor \"t\" has no dtype");
  refused(file_of(R"({"t":{"dtype":"I32","data_offsets":[0,4]}})", 4), "tensor \"t\" has no shape");
  refused(file_of(R"({"t":{"dtype":"I32","shape":[]}})", 4), "tensor \"t\" has no data_offsets");
  refused(file_of(i32("[]", "[0]"), 4), "no data_offsets of two numbers");
  refused(file_of(i32("[]", "[0,4,4]"), 4), "no data_offsets of two numbers");
  refused(file_of(i32("[1.0]", "[0,4]"), 4), "expected an integer");
  refused(file_of(i32("[true]", "[0,4]"), 4), "expected an integer");
  refused(file_of(i32("2", "[0,4]"), 4), "expected an array");
  refused(file_of(R"({"t":{"dtype":"F31","shape":[],"data_offsets":[0,4]}})", 4),
          "tensor \"t\" has the unknown dtype \"F31\"");
  refused(file_of(R"({"t":{"dtype":"f32","shape":[],"data_offsets":[0,4]}})", 4), "unknown dtype \"f32\"");
  refused(file_of(R"({"t":{"dtype":7,"shape":[],"data_offsets":[0,4]}})", 4), "expected a string");
  refused(file_of(R"({"t":5})"), "expected an object");
  refused(file_of(R"({"__metadata__":{"a":1}})"), "expected a string");
  refused(file_of(R"({"__metadata__":{"a":{"b":"c"}}})"), "expected a string");
  const std::string t = R"("t":{"dtype":"U8","shape":[],"data_offsets":[0,1]})";
  refused(file_of("{" + t + "," + t + "}", 1), "the key \"t\" appears twice");
  refused(file_of(R"({"t":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}})", 1),
          "the key \"dtype\" appears twice");
  // Unknown fields are skipped, as in the reference.
  CHECK(error_in(file_of(R"({"t":{"dtype":"U8","shape":[],"data_offsets":[0,1],"note":[{"x":null}]}})", 1)).empty());
  refused(file_of(R"({"t":{"note":)" + std::string(1000, '[')), "nest deeper than 128");
}

TEST_CASE("safetensors: a hostile name stays on one line of bounded length") {
  const std::string name = "line\\nbreak\\u001b" + std::string(100'000, 'x');
  const std::string error =
      error_in(file_of("{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1));
  CHECK(error.find('\n') == std::string::npos);
  CHECK(error.find('\x1b') == std::string::npos);
  CHECK(error.size() < 600);
}

TEST_CASE("safetensors: a truncation or a changed byte causes no more than an error") {
  const std::string whole =
      file_of(R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
              R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[24,26]}})",
              26);
  REQUIRE(error_in(whole).empty());
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(error_in(whole.substr(0, n)).empty());
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = whole;
    for (int k = 0; k < 1 + i % 3; ++k) changed[random() % changed.size()] = static_cast<char>(random() % 256);
    const std::string error = error_in(changed);
    if (!error.empty()) REQUIRE((error.starts_with("w.safetensors: ") && error.find('\n') == std::string::npos));
  }
}

TEST_CASE("safetensors: paths that name no file to read") {
  const TemporaryFolder folder;
  const auto open_error = [](const std::string& path) {
    try {
      static_cast<void>(adtr::SafetensorsFile::open(path));
    } catch (const adtr::Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const std::string absent = folder.file("absent");
  CHECK(open_error(absent) == absent + ": no such file");
  CHECK(open_error(folder.path()) == folder.path() + ": cannot be read: it is a folder, expected a file");
  CHECK(open_error("/dev/null") == "/dev/null: cannot be read: it is a device, expected a file");
  const std::string empty = folder.file("empty");
  write_whole(empty, "");
  CHECK(open_error(empty) == empty + ": not a safetensors file: expected at least 8 bytes, found 0");
  const std::string image = folder.file("image.png");
  write_whole(image, "\x89PNG\r\n\x1a\n" + std::string(100, 'x'));
  CHECK(open_error(image) == image + ": is a PNG image, expected weights or a model");
  CHECK(open_error("") == "expected the name of a file, found an empty one");
}
