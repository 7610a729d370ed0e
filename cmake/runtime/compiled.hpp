/// What the source files of adtr::runtime share: the detector behind the thin header, and how exceptions become
/// Failures.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "adtr/core/one_thread.hpp"
#include "adtr/detector.hpp"
#include "adtr/runtime.hpp"
#include "networks.hpp"

namespace adtr::runtime {

inline namespace ADTR_RUNTIME_ABI {

class CompiledDetector {
 public:
  adtr::Detector<Cpu, CompiledNetworks> detector;
  adtr::Detection detection{};  ///< reused, so that detection allocates nothing
  BusyFlag busy{false};         ///< whether a thread uses `detection`
};

}  // namespace ADTR_RUNTIME_ABI

/// Returns what `function` returns, or a default value and a Failure if it throws.
template <class Function>
auto guarded(Failure& failure, Function&& function) noexcept -> decltype(function()) {
  try {
    return function();
  } catch (const Error& error) {
    failure.failed = true;
    failure.code = error.code();
    failure.sentence = error.what();
  } catch (...) {
    failure.other = std::current_exception();
  }
  return {};
}

/// The detector of `compiled`; an empty one, which says so in every call, if there is none.
template <class Compiled>
auto& detector_of(Compiled* compiled) {
  if (compiled != nullptr) return compiled->detector;
  static adtr::Detector<Cpu, CompiledNetworks> empty;
  return static_cast<decltype((compiled->detector))>(empty);
}

[[nodiscard]] ModelSummary summarised(const ModelDescription& description);

}  // namespace adtr::runtime
