/// A view of OpenCV's cv::Mat, or of a type with the same members, that checks what a byte pointer hides. Does not need
/// OpenCV.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The requirements of view_of() on a matrix; cv::Mat meets them.
template <class M>
concept MatLike = requires(const M& mat) {
  static_cast<const std::uint8_t*>(mat.data);
  { mat.rows } -> std::convertible_to<Index>;
  { mat.cols } -> std::convertible_to<Index>;
  static_cast<std::size_t>(mat.step);
  { mat.channels() } -> std::convertible_to<Index>;
  { mat.depth() } -> std::convertible_to<int>;
  { mat.elemSize1() } -> std::convertible_to<std::size_t>;
};

/// Returns a view of a matrix, without a copy. The channel order is bgr, as cv::imread and cv::VideoCapture return it,
/// unless `order` says otherwise.
///
///     cv::Mat frame = cv::imread("part.png");
///     adtr::Detection d = detector.detect(adtr::view_of(frame));
///
/// The matrix must outlive the view and keep its pixels; a temporary one does not compile. Error: option, of values
/// that are not unsigned 8-bit: scale a camera's 16 bits first, for example with cv::Mat::convertTo, because only the
/// caller knows which bits are in use. Error: shape, of an empty matrix (which cv::imread returns for a missing file),
/// more than two dimensions, other than 1, 3 or 4 channels.
template <MatLike M>
[[nodiscard]] ImageView view_of(const M& mat, ChannelOrder order = ChannelOrder::bgr) {
  if (mat.rows < 0 || mat.cols < 0)  // OpenCV sets -1 for more than two dimensions
    throw Error("view_of: expected a matrix of two dimensions", ErrorCode::shape);
  if (mat.data == nullptr || mat.rows == 0 || mat.cols == 0) {
    throw Error(
        "view_of: expected a matrix with pixels, found an empty one (cv::imread returns one for a file that it "
        "cannot read)",
        ErrorCode::shape);
  }
  constexpr int unsigned_8_bit = 0;  // CV_8U
  if (mat.depth() != unsigned_8_bit || mat.elemSize1() != 1) {
    throw Error("view_of: expected unsigned values of 8 bits, found " + std::to_string(8 * mat.elemSize1()) +
                    " bits (depth " + std::to_string(mat.depth()) +
                    "); scale them first, for example with cv::Mat::convertTo",
                ErrorCode::option);
  }
  const auto step = static_cast<std::size_t>(mat.step);
  if (step == 0 || step > static_cast<std::size_t>((std::numeric_limits<Index>::max)())) {
    throw Error("view_of: expected a step that memory can hold, found " + std::to_string(step) + " bytes",
                ErrorCode::shape);
  }
  return {
      static_cast<const std::uint8_t*>(mat.data), mat.rows, mat.cols, mat.channels(), static_cast<Index>(step), order};
}
template <MatLike M>
ImageView view_of(const M&&, ChannelOrder = ChannelOrder::bgr) = delete;

}  // namespace ADTR_ABI
}  // namespace adtr
