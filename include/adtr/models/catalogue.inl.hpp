/// parse_architecture() of catalogue.hpp; see core/compiled.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/models/catalogue.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION NamedArchitecture parse_architecture(std::string_view name) {
  constexpr std::string_view tensorflow = "tf_";
  const bool prefixed = name.starts_with(tensorflow);
  const std::string_view plain = prefixed ? name.substr(tensorflow.size()) : name;
  for (std::size_t i = 0; i < detail::backbone_rows.size(); ++i) {
    const detail::BackboneRow& row = detail::backbone_rows[i];
    if (row.name != plain || (prefixed && !plain.starts_with("efficientnet_"))) continue;
    const bool lite = row.numerics == UsualNumerics::tensorflow;
    Numerics numerics;
    if (prefixed || lite) {
      numerics.bn_eps = 1e-3;
      numerics.padding = Padding::same;
    }
    if (lite) {
      numerics.mean.fill(127.0F / 255.0F);
      numerics.std.fill(128.0F / 255.0F);
    }
    return {static_cast<Architecture>(i), numerics};
  }
  std::string known;
  for (const detail::BackboneRow& row : detail::backbone_rows)
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw Error("architecture '" + std::string(name) + "' is not known; expected one of " + known +
                  ", or tf_efficientnet_b0 to tf_efficientnet_b7",
              ErrorCode::option);
}

}  // namespace ADTR_ABI
}  // namespace adtr
