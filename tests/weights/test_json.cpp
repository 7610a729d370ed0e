// Text that the JSON reader must accept, text that it must refuse, and its messages.
#include <functional>
#include <string>
#include <vector>

#include "adtr/io/json.hpp"
#include "support/catch.hpp"

namespace {

std::string error_in(const std::string& text, const std::function<void(adtr::JsonReader&)>& read) {
  try {
    adtr::JsonReader json(text, "file", "the header");
    read(json);
    json.end();
  } catch (const adtr::Error& e) {
    return e.what();
  }
  return "";
}

std::string skip_error(const std::string& text) {
  return error_in(text, [](adtr::JsonReader& json) { json.skip_value(); });
}

std::string string_of(const std::string& text) {
  adtr::JsonReader json(text, "file", "the header");
  std::string out = json.string();
  json.end();
  return out;
}

}  // namespace

TEST_CASE("JSON: any value can be skipped") {
  for (const char* text : {"{}", " [ ] ", "[1, -2.5e+10, 0, 0.5, 1E5, \"x\", true, false, null]",
                           R"({"a":{"b":[{}]},"c":"\"\\\/\b"})", "\t\r\n 12 \n"}) {
    INFO(text);
    CHECK(skip_error(text).empty());
  }
}

TEST_CASE("JSON: malformed values are refused") {
  for (const char* text :
       {"",      " ",   "{",       "[",         "}",     "[1,]",   "[1 2]", "{\"a\"}",   "{\"a\":}", "{\"a\":1,}",
        "{a:1}", "'a'", "01",      "-",         "1.",    ".5",     "1e",    "+1",        "nul",      "True",
        "NaN",   "\"a", "\"\\x\"", "\"\\u12\"", "{} {}", "\"\t\"", "[}",    "{\"a\":1]", "1 1"}) {
    INFO(text);
    const std::string error = skip_error(text);
    CHECK(error.find("file: the header is not valid JSON at byte ") == 0);
    CHECK(error.find('\n') == std::string::npos);
  }
  CHECK(skip_error("{\"a\":1,}") == "file: the header is not valid JSON at byte 7: expected a string, found \"}\"");
  CHECK(skip_error("{") ==
        "file: the header is not valid JSON at byte 1: expected a string, found the end of the text");
  CHECK(skip_error("[\xC3\xA9]") ==
        "file: the header is not valid JSON at byte 1: expected a value, found \"\xC3\xA9\"");
}

TEST_CASE("JSON: strings are unescaped") {
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("\u0041\u00e9\u20AC\uD83D\uDE00")") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(string_of(R"("\u0000")") == std::string(1, '\0'));
  CHECK(string_of("\"\xE2\x82\xAC\"") == "\xE2\x82\xAC");
  for (const char* half : {R"("\uD83D")", R"("\uDE00")", R"("\uD83D\u0041")", R"("\uD83Dx")"}) {
    INFO(half);
    CHECK(skip_error(half).find("half of a surrogate pair") != std::string::npos);
  }
}

TEST_CASE("JSON: quoting and reading are inverse") {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\xC3\xA9";
  CHECK(string_of(adtr::json_quoted(all)) == all);
  CHECK(adtr::json_quoted("\x1F\"\\\n") == R"("\u001f\"\\\n")");
  const std::string longer(119, 'a');
  CHECK(adtr::quoted_for_message(longer + "\xC3\xA9" + "b") == "\"" + longer + "\"...");
}

TEST_CASE("JSON: unsigned integers keep all 64 bits") {
  const auto integer = [](const std::string& text) {
    return adtr::JsonReader(text, "file", "the header").unsigned_integer();
  };
  CHECK(integer("0") == 0);
  CHECK(integer("18446744073709551615") == 18446744073709551615U);
  for (const char* text :
       {"18446744073709551616", "99999999999999999999", "-1", "1.0", "1e3", "01", "\"1\"", "", "null"}) {
    INFO(text);
    CHECK_FALSE(error_in(text, [](adtr::JsonReader& json) { static_cast<void>(json.unsigned_integer()); }).empty());
  }
}

TEST_CASE("JSON: a key that appears twice is refused at any depth, also spelt differently") {
  CHECK(skip_error(R"({"a":1,"b":{"a":2}})").empty());
  CHECK(skip_error(R"({"a":1,"a":2})").find("the key \"a\" appears twice") != std::string::npos);
  CHECK(skip_error(R"([{"x":{"a":1,"\u0061":2}}])").find("the key \"a\" appears twice") != std::string::npos);
}

TEST_CASE("JSON: depth is limited, length is not") {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(skip_error(nested(adtr::JsonReader::depth_limit)).empty());
  CHECK(skip_error(nested(adtr::JsonReader::depth_limit + 1)).find("nest deeper than 128") != std::string::npos);
  CHECK(skip_error(std::string(5'000'000, '[')).find("nest deeper than 128") != std::string::npos);
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "[[]],";
  CHECK(skip_error(wide + "1]").empty());
}

TEST_CASE("UTF-8: the table of well-formed byte sequences, at its edges") {
  const auto valid = [](const std::string& s) { return adtr::find_invalid_utf8(s) == std::string::npos; };
  for (const char* s : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    CHECK(valid(s));
  for (const char* s :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82\x41"})
    CHECK_FALSE(valid(s));
  CHECK(adtr::find_invalid_utf8("ab\xE2\x82\xAC\xFF") == 5);
}
