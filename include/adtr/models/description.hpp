/// A model file's metadata: what it says about itself in addition to its tensors.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/models/load_backbone.hpp"
#include "adtr/models/scoring.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The contents of a model file's `__metadata__`, written by to_metadata() and read by read_description().
struct ModelDescription {
  static constexpr const char* format_version = "3";
  static constexpr const char* oldest_version = "2";  ///< the oldest version that is read; it has no 'pooling'
  static constexpr Index max_image_size = 16384;      ///< the largest size that a file may ask for

  Architecture architecture = Architecture::efficientnet_b4;
  Index image_size = 256;
  Index grid = 16;
  Numerics numerics;                    ///< bn_eps is unused: the stored backbone has its batch norms folded
  Pooling pooling = Pooling::bilinear;  ///< always bilinear in a file of version 2
  Scoring scoring = Scoring::norm;
  /// An image with this score or a higher one is anomalous; absent if no good images were held out.
  std::optional<double> threshold;
  /// The range of score map values that heat maps colour, the same for every image of this model.
  double colour_low = 0.0;
  double colour_high = 1.0;
  /// How the model was trained, for people to read: recipe, epochs, seed, images, held-out images, the rate behind the
  /// threshold.
  std::map<std::string, std::string> notes;
};

[[nodiscard]] std::map<std::string, std::string> to_metadata(const ModelDescription& d);

/// Whether a file says that it is a model (and not, for example, backbone weights).
[[nodiscard]] bool is_model_file(const SafetensorsFile& file);

/// Reads the description of a model. Throws Error naming the file: not_a_model if it is not a model; bad_weights if it
/// has another version, or if a value is absent or out of range: sizes are positive integers, all numbers are finite,
/// deviations are above 0.
[[nodiscard]] ModelDescription read_description(const SafetensorsFile& file);

/// Opens a model and reads its description. Throws the Errors of read_description() and of SafetensorsFile::open(), but
/// with the code not_a_model instead of bad_weights if the file cannot be read as safetensors.
[[nodiscard]] std::pair<SafetensorsFile, ModelDescription> open_model(const std::string& path);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/models/description.inl.hpp"
#endif
