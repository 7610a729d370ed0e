/// Buffers and arenas.
#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "adtr/core/arena.hpp"
#include "core/child.hpp"
#include "support/catch.hpp"

namespace {

bool on_cache_line(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % adtr::alignment == 0; }

}  // namespace

TEST_CASE("a buffer is aligned and zeroed", "[core]") {
  for (const adtr::Index size : {1, 15, 16, 1000}) {
    const adtr::Buffer<float> buffer(size);
    CHECK(on_cache_line(buffer.data()));
    CHECK(buffer.size() == size);
    CHECK(buffer.span().size() == static_cast<std::size_t>(size));
    for (const float x : buffer.span()) CHECK(x == 0.0F);
  }
  CHECK(on_cache_line(adtr::Buffer<char>(3).data()));
}

TEST_CASE("an empty buffer owns nothing", "[core]") {
  CHECK(adtr::Buffer<float>().data() == nullptr);
  CHECK(adtr::Buffer<float>(0).data() == nullptr);
  CHECK(adtr::Buffer<float>(0).span().empty());
}

TEST_CASE("a buffer moves its memory", "[core]") {
  static_assert(!std::is_copy_constructible_v<adtr::Buffer<float>>);
  adtr::Buffer<int> a(10);
  a.data()[9] = 7;
  const int* const memory = a.data();
  adtr::Buffer<int> b(std::move(a));
  CHECK(b.data() == memory);
  adtr::Buffer<int> c(3);
  c = std::move(b);
  CHECK(c.data() == memory);
  CHECK(c.size() == 10);
  CHECK(c.data()[9] == 7);
}

TEST_CASE("a large buffer is like a small one", "[core]") {
  for (const adtr::Index size : {1 << 19, (1 << 19) + 1, 3'000'001}) {
    adtr::Buffer<float> buffer(size);
    CHECK(on_cache_line(buffer.data()));
    bool zero = true;
    for (float& x : buffer.span()) {
      zero = zero && x == 0.0F;
      x = 1.0F;
    }
    CHECK(zero);
    const adtr::Buffer<float> other = std::move(buffer);
    CHECK(other.data()[size - 1] == 1.0F);
  }
}

TEST_CASE("buffers made together outlive their block's maker, and do not overlap", "[core]") {
  std::vector<adtr::Buffer<int>> buffers;
  adtr::Buffer<int> apart;
  {
    const adtr::BuffersTogether together(1 << 16);
    for (const adtr::Index size : {1, 16, 17, 4000}) buffers.emplace_back(size);
    {
      const adtr::BuffersTogether none(0);
      apart = adtr::Buffer<int>(8);
    }
    buffers.emplace_back(8);
    buffers.emplace_back(1 << 15);  // no room
    buffers.emplace_back(1 << 20);
  }
  buffers.emplace_back(100);
  for (auto& b : buffers) {
    CHECK(on_cache_line(b.data()));
    for (const int x : b.span()) REQUIRE(x == 0);
    for (int& x : b.span()) x = static_cast<int>(&b - buffers.data()) + 1;
  }
  apart.data()[7] = -1;
  for (auto& b : buffers)
    for (const int x : b.span()) REQUIRE(x == static_cast<int>(&b - buffers.data()) + 1);
  buffers.erase(buffers.begin(), buffers.begin() + 3);
  for (const int x : buffers.front().span()) REQUIRE(x == 4);
}

TEST_CASE("a buffer that was moved from is empty", "[core]") {
  adtr::Buffer<int> a(10), b(3);
  const adtr::Buffer<int> c(std::move(a));
  CHECK((a.size() == 0 && a.data() == nullptr && a.span().empty()));
  a = std::move(b);
  CHECK((a.size() == 3 && b.size() == 0 && b.span().empty()));
}

TEST_CASE("a size beyond any memory is an error that names it", "[core]") {
  const auto sentence_of = [](adtr::Index size) -> std::string {
    try {
      const adtr::Buffer<float> buffer(size);
    } catch (const adtr::Error& e) {
      CHECK(e.code() == adtr::ErrorCode::no_resources);
      return e.what();
    }
    return "";
  };
  constexpr adtr::Index most = std::numeric_limits<adtr::Index>::max();
  CHECK(sentence_of(most) ==
        "out of memory: 9223372036854775807 elements of 4 bytes were requested, which is more than a computer can "
        "address");
  const adtr::MemoryFor outer("the weights of a test");
  CHECK(sentence_of(-1) ==
        "out of memory: -1 elements of 4 bytes were requested for the weights of a test, which is more than a computer "
        "can address");
#ifndef ADTR_SANITIZED  // the address sanitizer ends the program if it has no memory
  const adtr::MemoryFor inner("a test");
  CHECK(sentence_of(most / 8) == "out of memory: the system refused 4398046511104.0 MiB for a test");
#endif
}

#ifndef ADTR_SANITIZED
TEST_CASE("memory that the system refuses is an error that says how much and what for", "[core]") {
  const int result = in_child([] {
    constexpr rlim_t room = rlim_t{2} << 30;
    const rlimit limit{room, room};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 98;
    std::vector<adtr::Buffer<float>> taken;
    for (const bool together : {false, true}) {
      const adtr::BuffersTogether block(together ? 1 << 20 : 0);
      const adtr::MemoryFor purpose("the feature maps");
      try {
        for (int i = 0; i < 10; ++i) taken.emplace_back(adtr::Index{1} << 27);
        return 1;
      } catch (const adtr::Error& e) {
        if (e.code() != adtr::ErrorCode::no_resources) return 2;
        if (std::string(e.what()) != "out of memory: the system refused 512.0 MiB for the feature maps") return 3;
      }
      if (taken.empty()) return 4;
      taken.clear();
    }
    return 0;
  });
  CHECK(result == 0);
}
#endif

TEST_CASE("aligned sizes are whole cache lines", "[core]") {
  static_assert(adtr::aligned_size<float>(0) == 0);
  static_assert(adtr::aligned_size<float>(1) == 16);
  static_assert(adtr::aligned_size<float>(16) == 16);
  static_assert(adtr::aligned_size<double>(17) == 24);
}

TEST_CASE("an arena without memory measures what one with memory hands out", "[core]") {
  const auto plan = [](adtr::Arena<float>& arena) {
    float* const a = arena.take(5);
    float* b = nullptr;
    {
      const adtr::ArenaScope<float> scope(arena);
      b = arena.take(40);
    }
    float* const c = arena.take(3);
    {
      const adtr::ArenaScope<float> inactive(arena, false);
      static_cast<void>(arena.take(1));
    }
    return std::array{a, b, c};
  };
  adtr::Arena<float> measuring;
  for (const float* const piece : plan(measuring)) CHECK(piece != nullptr);
  CHECK(measuring.used() == 48);
  CHECK(measuring.peak() == 64);

  adtr::Buffer<float> memory(measuring.peak());
  adtr::Arena<float> arena(memory.data(), memory.size());
  const auto [a, b, c] = plan(arena);
  CHECK(a == memory.data());
  CHECK(b == a + 16);
  CHECK(c == b);
  for (const float* const piece : {a, b, c}) CHECK(on_cache_line(piece));
  CHECK(arena.peak() == measuring.peak());
  CHECK(arena.used() == 48);
  CHECK_THROWS_WITH(arena.take(17), ContainsSubstring("expected at most 64 elements to be taken, found 80"));
}
