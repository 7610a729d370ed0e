/// Views of pixels: unsafe views do not compile or are errors.
#include <limits>
#include <type_traits>

#include "adtr/data/image_file.hpp"
#include "adtr/data/mat_view.hpp"
#include "adtr/data/mirror.hpp"
#include "adtr/data/resize.hpp"
#include "support.hpp"

using namespace test_data;
using adtr::ErrorCode;
using adtr::Image;
using adtr::ImageView;
using adtr::Mask;

// A view of a temporary image would look at freed memory.
static_assert(!std::is_convertible_v<Image, ImageView> && !std::is_constructible_v<ImageView, Image>);
static_assert(!std::is_convertible_v<const Image, ImageView> && !std::is_constructible_v<ImageView, const Image>);
static_assert(!std::is_convertible_v<Mask, ImageView> && !std::is_constructible_v<ImageView, Mask>);
static_assert(!std::is_convertible_v<const Mask, ImageView> && !std::is_constructible_v<ImageView, const Mask>);
static_assert(std::is_convertible_v<Image&, ImageView> && std::is_convertible_v<const Image&, ImageView>);
static_assert(std::is_convertible_v<Mask&, ImageView> && std::is_convertible_v<const Mask&, ImageView>);

namespace {

/// The part of cv::Mat that adtr uses.
struct FakeMat {
  struct Step {
    std::size_t bytes;
    operator std::size_t() const { return bytes; }
  };
  unsigned char* data = nullptr;
  int rows = 0;
  int cols = 0;
  Step step{0};
  int channel_count = 3;
  int kind = 0;  // CV_8U 0, CV_8S 1, CV_16U 2, CV_16S 3, CV_32S 4, CV_32F 5, CV_64F 6, CV_16F 7
  [[nodiscard]] int channels() const { return channel_count; }
  [[nodiscard]] int depth() const { return kind; }
  [[nodiscard]] std::size_t elemSize1() const {
    static constexpr std::size_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 2};
    return sizes[kind];
  }
};

static_assert(adtr::MatLike<FakeMat> && !adtr::MatLike<Image>);

template <class M>
concept Viewable = requires(M&& mat) {
  adtr::view_of(std::forward<M>(mat));
};
static_assert(Viewable<FakeMat&> && Viewable<const FakeMat&>);
static_assert(!Viewable<FakeMat> && !Viewable<const FakeMat>);

template <class F>
void check_code(F&& f, ErrorCode code, std::string_view words) {
  try {
    f();
  } catch (const adtr::Error& error) {
    INFO(error.what());
    CHECK(error.code() == code);
    CHECK(std::string(error.what()).find(words) != std::string::npos);
    return;
  }
  FAIL("no error, expected: " << words);
}

}  // namespace

TEST_CASE("functions that use an image at once accept a temporary one") {
  const TemporaryFolder folder;
  const Image image = formula_image(9, 8);
  CHECK(adtr::to_image(formula_image(9, 8)).data == image.data);
  CHECK(adtr::to_image(Mask(2, 2)).data == Image(2, 2).data);
  CHECK(adtr::resize(formula_image(9, 8), 4, 4).data == adtr::resize(image, 4, 4).data);
  Image out;
  adtr::Resizer(4, 4)(formula_image(9, 8), out);
  CHECK(out.data == adtr::resize(image, 4, 4).data);
  adtr::write_png(folder.path() / "a.png", formula_image(9, 8));
  CHECK(adtr::read_image(folder.path() / "a.png").data == image.data);
  adtr::write_png(folder.path() / "b.png", Mask(3, 5));
  CHECK(adtr::read_image(folder.path() / "b.png").data == Image(3, 5).data);
}

TEST_CASE("an image whose size and pixels disagree is an error wherever it is used") {
  const TemporaryFolder folder;
  Image image = formula_image(9, 8);
  Mask mask(9, 8);
  const Index size = GENERATE(8, 10, 0, -9, std::numeric_limits<Index>::max() / 4);
  image.height = mask.height = size;
  const auto check = [&](const auto& use) { check_code(use, ErrorCode::shape, "height of " + std::to_string(size)); };
  check([&] { static_cast<void>(ImageView(image)); });
  check([&] { static_cast<void>(ImageView(mask)); });
  check([&] { static_cast<void>(adtr::to_image(image)); });
  check([&] { static_cast<void>(adtr::resize(image, 4, 4)); });
  check([&] { static_cast<void>(adtr::resize_nearest(mask, 4, 4)); });
  check([&] { static_cast<void>(mirrored(image, {true, true})); });
  check([&] { adtr::write_png(folder.path() / "a.png", image); });
  CHECK(!std::filesystem::exists(folder.path() / "a.png"));
}

TEST_CASE("negative sizes and sizes beyond any memory are errors with the code shape") {
  constexpr Index most = std::numeric_limits<Index>::max();
  check_code([] { static_cast<void>(Image(-3, 5)); }, ErrorCode::shape, "found a height of -3 and a width of 5");
  check_code([] { static_cast<void>(Mask(3, -5)); }, ErrorCode::shape, "found a height of 3 and a width of -5");
  check_code([] { static_cast<void>(Image(most, 2)); }, ErrorCode::shape, "found a height of 9223372036854775807");
  Image image(2, 2);
  check_code([&] { image.resize(2, -1); }, ErrorCode::shape, "a width of -1");
  CHECK((image.height == 2 && image.width == 2 && image.data.size() == 12));

  const std::vector<std::uint8_t> pixels(300);
  const auto view = [&](Index h, Index w, Index channels, Index stride) {
    return [&pixels, h, w, channels, stride] { static_cast<void>(ImageView(pixels.data(), h, w, channels, stride)); };
  };
  check_code(view(-4, 5, 3, 0), ErrorCode::shape, "found a height of -4 and a width of 5");
  check_code(view(0, 5, 3, 0), ErrorCode::shape, "found a height of 0");
  check_code(view(most, most, 3, 0), ErrorCode::shape, "expected a size that memory can hold");
  check_code(view(2, most / 2, 3, 0), ErrorCode::shape, "expected a size that memory can hold");
  check_code(view(5, 5, 3, most), ErrorCode::shape, "expected a row stride that memory can hold");
  check_code(view(5, 5, 3, std::numeric_limits<Index>::min()), ErrorCode::shape, "a row stride that memory can hold");
  check_code(view(5, 5, 3, -14), ErrorCode::shape, "expected a row stride of at least 15 bytes, found -14");
  check_code(view(5, 5, 2, 0), ErrorCode::shape, "expected 1, 3 or 4 channels, found 2");
  check_code([] { static_cast<void>(ImageView(nullptr, 5, 5)); }, ErrorCode::shape, "found a null pointer");
  CHECK(ImageView(pixels.data(), 1, 5, 3, 2).row_stride == 2);  // with one row, the stride does not matter
  CHECK(ImageView(pixels.data() + 60, 5, 5, 3, -15).row(4) == pixels.data());
}

TEST_CASE("a matrix like OpenCV's is viewed in place, if it has 8 bits") {
  const Image image = formula_image(6, 7);
  std::vector<std::uint8_t> pixels(6 * 32, 9);
  for (Index y = 0; y < 6; ++y)
    for (Index x = 0; x < 7; ++x)
      for (Index c = 0; c < 3; ++c) pixels[static_cast<std::size_t>(32 * y + 3 * x + c)] = image.row(y)[3 * x + 2 - c];
  FakeMat mat{.data = pixels.data(), .rows = 6, .cols = 7, .step = {32}};
  CHECK(adtr::to_image(adtr::view_of(mat)).data == image.data);
  CHECK(adtr::view_of(mat, adtr::ChannelOrder::rgb).order == adtr::ChannelOrder::rgb);
  mat.channel_count = 1;
  CHECK(adtr::view_of(mat).channels == 1);
  mat.channel_count = 2;
  check_code([&] { static_cast<void>(adtr::view_of(mat)); }, ErrorCode::shape, "found 2");
  mat.channel_count = 3;
  for (int kind = 1; kind < 8; ++kind) {
    mat.kind = kind;
    check_code([&] { static_cast<void>(adtr::view_of(mat)); }, ErrorCode::option,
               "expected unsigned values of 8 bits, found " + std::to_string(8 * mat.elemSize1()));
  }
  mat.kind = 0;
  mat.step = {20};
  check_code([&] { static_cast<void>(adtr::view_of(mat)); }, ErrorCode::shape, "row stride of at least 21");
  mat.step = {std::numeric_limits<std::size_t>::max()};
  check_code([&] { static_cast<void>(adtr::view_of(mat)); }, ErrorCode::shape, "a step that memory can hold");
  mat.rows = mat.cols = -1;
  check_code([&] { static_cast<void>(adtr::view_of(mat)); }, ErrorCode::shape, "two dimensions");
  const FakeMat empty;
  check_code([&] { static_cast<void>(adtr::view_of(empty)); }, ErrorCode::shape, "found an empty one");
}
