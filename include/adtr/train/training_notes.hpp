/// The notes of a model: how it was trained, and every automatic decision about its data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "adtr/core/number_text.hpp"
#include "adtr/train/run_identity.hpp"
#include "adtr/train/training_request.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// The options that a run depends on, without what the model's description itself says.
[[nodiscard]] inline RunIdentity options_as_notes(const TrainingOptions& options) {
  RunIdentity notes = identity_of(options);
  notes.erase("pooling");
  return notes;
}

/// Notes which files the scan of `name` left out, and how many contradictions it allowed, with the first ten.
inline void add_scan_notes(const std::string& name, const SampleSet& set, std::map<std::string, std::string>& notes) {
  if (!set.left_out.empty()) notes["left_out_" + name] = adtr::describe(set.left_out);
  if (!set.allowed.empty()) notes["allowed_" + name] = std::to_string(set.allowed.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(set.allowed.size(), 10); ++i)
    notes["allowed_" + name + "_" + std::to_string(i + 1)] = set.allowed[i];
}

/// Notes which images were held out and what the threshold promises. `seed` drew them; `fingerprint` is theirs.
inline void add_hold_out_notes(const TrainingRequest& request, std::uint64_t seed, std::uint64_t fingerprint,
                               TrainingResult& result) {
  auto& notes = result.description.notes;
  notes["good_images"] = std::to_string(result.good);
  notes["held_out_images"] = std::to_string(result.held_out);
  notes["hold_out_rule"] = name_of(result.hold_out_rule);
  if (!result.threshold) return;
  if (request.hold_out) notes["hold_out"] = number_text(*request.hold_out);
  notes["hold_out_seed"] = std::to_string(seed);
  notes["held_out_fingerprint"] = std::to_string(fingerprint);
  if (!result.hold_out_caution.empty()) notes["hold_out_caution"] = result.hold_out_caution;
  const GoodThreshold& t = *result.threshold;
  notes["false_alarm_rate"] = number_text(t.requested_rate);
  notes["false_alarm_rate_expected"] = number_text(t.expected_rate);
  notes["false_alarm_rate_bound"] = number_text(t.upper_bound);
  notes["false_alarm_rate_confidence"] = number_text(t.confidence);
}

/// Writes all notes into the result's description. `bank_tokens`: the tokens in the model's bank, 0 without one; the
/// other numbers as in add_hold_out_notes().
inline void add_notes(const TrainingRequest& request, std::uint64_t hold_out_seed, std::uint64_t held_out_fingerprint,
                      Index bank_tokens, TrainingResult& result) {
  auto& notes = result.description.notes;
  for (const auto& [key, value] : options_as_notes(request.options)) notes[key] = value;
  if (request.options.loss != Loss::norm)
    notes["anomalies"] = !request.confetti ? "defects" : result.defects > 0 ? "confetti, defects" : "confetti";
  if (result.defects > 0) notes["training_defects"] = std::to_string(result.defects);
  notes["training_images"] = std::to_string(result.images);
  notes["final_loss"] = number_text(result.losses.back());
  if (bank_tokens > 0) notes["bank_tokens"] = std::to_string(bank_tokens);
  if (request.mirror) notes["mirror"] = "yes";
  if (result.turned > 0) notes["images_turned"] = std::to_string(result.turned);
  if (result.soft_masks > 0) notes["masks_cut_at_half"] = std::to_string(result.soft_masks);
  add_scan_notes("good", request.good, notes);
  add_scan_notes("defects", request.defects, notes);
  add_hold_out_notes(request, hold_out_seed, held_out_fingerprint, result);
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
