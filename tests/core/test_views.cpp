/// Views, extents, errors.
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/view.hpp"
#include "support/catch.hpp"

namespace {

std::vector<float> counting(std::size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

}  // namespace

TEST_CASE("a matrix view finds rows and columns", "[core]") {
  std::vector<float> memory = counting(24);
  const adtr::MatrixView<float> dense(memory.data(), 4, 6);
  CHECK(dense.stride == 6);
  CHECK(dense.row(2)[1] == 13.0F);

  const adtr::MatrixView<const float> middle = dense.columns(2, 3);
  CHECK(middle.rows == 4);
  CHECK(middle.cols == 3);
  CHECK(middle.stride == 6);
  CHECK(middle.row(3)[2] == 22.0F);
  CHECK(adtr::MatrixView<float>().data == nullptr);
}

TEST_CASE("a map view finds pixels and images", "[core]") {
  std::vector<float> memory = counting(2 * 3 * 4 * 5);
  const auto map = adtr::map_view<adtr::Extents<3, 4, 5>>(memory.data(), 2);
  CHECK(map.pixels() == 24);
  CHECK(map.pixel(1, 2, 3)[4] == 119.0F);
  CHECK(map.image(1).batch == 1);
  CHECK(map.image(1).pixel(0, 0, 0) == map.pixel(1, 0, 0));

  const adtr::MapView<const float> channels(memory.data() + 1, 2, 3, 4, 2, 5);
  CHECK(channels.pixel(1, 2, 3)[1] == 117.0F);
  CHECK(channels.image(1).pixel(0, 2, 3) == channels.pixel(1, 2, 3));
  const auto matrix = channels.matrix();
  CHECK(matrix.rows == 24);
  CHECK(matrix.cols == 2);
  CHECK(matrix.row(23) == channels.pixel(1, 2, 3));
}

TEST_CASE("a read-only view does not convert to a mutable one", "[core]") {
  static_assert(std::is_convertible_v<adtr::MatrixView<float>, adtr::MatrixView<const float>>);
  static_assert(!std::is_convertible_v<adtr::MatrixView<const float>, adtr::MatrixView<float>>);
  static_assert(std::is_convertible_v<adtr::MapView<float>, adtr::MapView<const float>>);
  static_assert(!std::is_convertible_v<adtr::MapView<const float>, adtr::MapView<float>>);
  static_assert(!std::is_convertible_v<adtr::MatrixView<double>, adtr::MatrixView<const float>>);
}

TEST_CASE("extents multiply out", "[core]") {
  using E = adtr::Extents<16, 8, 24>;
  static_assert(E::positions == 128 && E::size == 3072);
}

TEST_CASE("a file's error begins with its name", "[core]") {
  const adtr::Error error = adtr::file_error("part.png", "not an image");
  CHECK(std::string(error.what()) == "part.png: not an image");
}
