/// A streaming JSON reader. It builds no tree, so its memory stays proportional to the length of the text.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "adtr/core/error.hpp"
#include "adtr/io/json_text.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A cursor over JSON text (RFC 8259). The caller asks for the value that should come next; anything else is an Error
/// that names the file and the byte. Nesting depth is limited, and a duplicate key in one object is an Error.
class JsonReader {
 public:
  static constexpr int depth_limit = 128;

  /// `text` must outlive the reader. `what` says in messages where the text stands, such as "the header". Errors have
  /// the code bad_weights, because adtr reads the headers of weights files.
  JsonReader(std::string_view text, std::string path, std::string what)
      : text_(text), path_(std::move(path)), what_(std::move(what)) {
    if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos)
      throw file_error(path_, what_ + " is not UTF-8: byte " + std::to_string(bad) + " begins no valid character",
                       ErrorCode::bad_weights);
  }

  /// Reads an object. Calls `member(key)` at each value, which must read it.
  template <class Member>
  void object(Member&& member) {
    std::unordered_set<std::string> keys;
    enter('{', "an object");
    if (!accept('}')) {
      do {
        const std::string key = string();
        if (!keys.insert(key).second) fail("the key " + quoted_for_message(key) + " appears twice in one object");
        expect(':');
        member(key);
      } while (accept(','));
      expect('}');
    }
    --depth_;
  }

  /// Reads an array. Calls `element()` at each value, which must read it.
  template <class Element>
  void array(Element&& element) {
    enter('[', "an array");
    if (!accept(']')) {
      do element();
      while (accept(','));
      expect(']');
    }
    --depth_;
  }

  /// Reads a string and decodes its escapes.
  [[nodiscard]] std::string string() {
    if (!accept('"')) fail_expected("a string");
    std::string out;
    for (;;) {
      if (at_ == text_.size()) fail_expected("the end of a string");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) fail_expected("no control character inside a string");
      ++at_;
      if (c == '"') return out;
      if (c == '\\') {
        escape(out);
      } else {
        out += c;
      }
    }
  }

  /// Reads an integer from 0 to 2⁶⁴ − 1 that consists of digits only.
  [[nodiscard]] std::uint64_t unsigned_integer() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; is_digit(peek()); ++at_) {
      const auto digit = static_cast<std::uint64_t>(peek() - '0');
      if (value > ((std::numeric_limits<std::uint64_t>::max)() - digit) / 10) fail("a number is above 2^64 - 1");
      value = value * 10 + digit;
    }
    const bool leading_zero = at_ - begin > 1 && text_[begin] == '0';
    if (at_ == begin || leading_zero || peek() == '.' || peek() == 'e' || peek() == 'E') {
      if (leading_zero) at_ = begin;
      fail_expected("an integer of 0 or above");
    }
    return value;
  }

  /// Skips one value of any kind.
  void skip_value() {
    skip_space();
    switch (peek()) {
      case '{':
        object([this](const std::string&) { skip_value(); });
        break;
      case '[':
        array([this] { skip_value(); });
        break;
      case '"':
        static_cast<void>(string());
        break;
      case 't':
        literal("true");
        break;
      case 'f':
        literal("false");
        break;
      case 'n':
        literal("null");
        break;
      default:
        skip_number();
    }
  }

  /// The first character of the next value, not consumed; 0 at the end.
  [[nodiscard]] char next() {
    skip_space();
    return peek();
  }

  /// Throws Error unless only white space is left.
  void end() {
    skip_space();
    if (at_ != text_.size()) fail_expected("the end of the text");
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail_expected("'" + std::string(1, c) + "'");
  }

  void enter(char bracket, const char* kind) {
    if (!accept(bracket)) fail_expected(kind);
    if (++depth_ > depth_limit) fail("values nest deeper than " + std::to_string(depth_limit) + " levels");
  }

  void literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) fail_expected("a value");
    at_ += word.size();
  }

  void digits() {
    if (!is_digit(peek())) fail_expected("a value");
    while (is_digit(peek())) ++at_;
  }

  void skip_number() {
    if (peek() == '-') ++at_;
    if (peek() == '0' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))
      fail_expected("a number without leading 0");
    digits();
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
  }

  [[nodiscard]] unsigned hex4() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      unsigned digit = 0;
      if (is_digit(c)) {
        digit = static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<unsigned>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<unsigned>(c - 'A') + 10;
      } else {
        fail_expected("four hexadecimal digits after \\u");
      }
      code = code << 4 | digit;
    }
    return code;
  }

  void escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char c = peek();
    if (const std::size_t i = names.find(c); i != std::string_view::npos) {
      ++at_;
      out += meanings[i];
      return;
    }
    if (c != 'u') fail_expected("an escape that JSON knows");
    ++at_;
    unsigned code = hex4();
    if (code >= 0xDC00 && code <= 0xDFFF) fail("a \\u escape is half of a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (text_.substr(at_, 2) != "\\u") fail("a \\u escape is half of a surrogate pair");
      at_ += 2;
      const unsigned low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail("a \\u escape is half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
  }

  [[noreturn]] void fail(const std::string& sentence) const {
    throw file_error(path_, what_ + " is not valid JSON at byte " + std::to_string(at_) + ": " + sentence,
                     ErrorCode::bad_weights);
  }

  [[noreturn]] void fail_expected(const std::string& expected) const {
    fail("expected " + expected + ", found " + (at_ == text_.size() ? std::string("the end of the text") : found()));
  }

  /// The complete character at the cursor: a lead byte alone would make the message invalid UTF-8.
  [[nodiscard]] std::string found() const {
    std::size_t n = 1;
    while (at_ + n < text_.size() && (static_cast<unsigned char>(text_[at_ + n]) & 0xC0) == 0x80) ++n;
    return json_quoted(text_.substr(at_, n));
  }

  std::string_view text_;
  std::string path_;
  std::string what_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr
