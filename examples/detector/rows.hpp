/// Rows of a command line: what CLI11's own add_option() cannot say. A row names an option, the field that it writes,
/// and its help; its default is the field's own initial value, shown by capture_default_str() or as said below.
#pragma once

#include <concepts>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include "adtr/core/number_text.hpp"
#include "output.hpp"
#include "training_changes.hpp"

namespace program {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr int max_count = std::numeric_limits<int>::max();

/// A number in [low, high), or in (low, high) with `open`. CLI11's own ranges let NaN through.
inline CLI::Validator number_in(double low, double high, const char* description, bool open = false) {
  const auto check = [=](const std::string& text) -> std::string {
    const std::optional<double> value = adtr::parse_double(text);
    const bool fits = value && (open ? *value > low : *value >= low) && *value < high;
    return fits ? "" : "expected a number " + std::string(description) + ", found " + text;
  };
  return CLI::Validator(check, description);
}

/// A path that a shell left empty ("$UNSET") is a mistake, not the folder that one stands in.
inline CLI::Validator path_text() {
  return CLI::Validator(
      [](const std::string& text) { return text.empty() ? "expected a path, found an empty text" : ""; }, "");
}

/// An option that takes the names (name_of) of some enumerators and calls set(enumerator).
template <class Enum, class Set>
CLI::Option* add_names(CLI::App& command, const char* name, std::initializer_list<Enum> choices, Set set,
                       const std::string& help) {
  const std::vector<Enum> list(choices);
  std::vector<std::string> names;
  for (const Enum choice : list) names.emplace_back(name_of(choice));
  CLI::Option* const row = command.add_option_function<std::string>(
      name,
      [set, list](const std::string& text) {
        for (const Enum choice : list)
          if (text == name_of(choice)) set(choice);
      },
      help);
  return row->check(CLI::IsMember(names));
}

/// The same for a field, which may be optional.
template <class Field, class Enum>
CLI::Option* add_choice(CLI::App& command, const char* name, Field& field, std::initializer_list<Enum> choices,
                        const std::string& help) {
  CLI::Option* const row = add_names(
      command, name, choices, [&field](Enum choice) { field = choice; }, help);
  if constexpr (std::is_same_v<Field, Enum>) row->default_str(name_of(field));
  return row;
}

/// A default as help shows it.
inline std::string default_text(double value) { return text("%g", value); }
inline std::string default_text(std::signed_integral auto value) { return std::to_string(value); }
inline std::string default_text(std::unsigned_integral auto value) { return std::to_string(value); }
template <class Enum>
requires std::is_enum_v<Enum> std::string default_text(Enum value) { return name_of(value); }

/// An option that writes a field of TrainingOptions, whose default is the same in all recipes.
template <class T>
CLI::Option* add_training(CLI::App& command, TrainingChanges& changes, const char* name,
                          T adtr::TrainingOptions::*field, const std::string& help) {
  return command
      .add_option_function<T>(
          name, [&changes, field](const T& value) { changes.set(field, value); }, help)
      ->default_str(default_text(adtr::TrainingOptions{}.*field));
}

/// A field's defaults by recipe, and with --start where that changes them: "[fast 20, paper 500]".
template <class T>
std::string recipe_defaults(T adtr::TrainingOptions::*field, bool has_start = true) {
  using adtr::Recipe;
  const auto first = [&](Recipe recipe) { return default_text(adtr::training_options(recipe).*field); };
  const auto second = [&](Recipe recipe) {
    return has_start ? default_text(adtr::second_stage_options(recipe).*field) : first(recipe);
  };
  const bool fast = second(Recipe::fast) != first(Recipe::fast), paper = second(Recipe::paper) != first(Recipe::paper);
  if (!fast && !paper && first(Recipe::fast) == first(Recipe::paper)) return "[" + first(Recipe::fast) + "]";
  if (fast && paper)
    return "[fast " + first(Recipe::fast) + ", paper " + first(Recipe::paper) + "; with --start " +
           second(Recipe::fast) + ", " + second(Recipe::paper) + "]";
  const auto one = [&](Recipe recipe, bool other) {
    return std::string(name_of(recipe)) + " " + first(recipe) + (other ? ", with --start " + second(recipe) : "");
  };
  return "[" + one(Recipe::fast, fast) + (fast || paper ? "; " : ", ") + one(Recipe::paper, paper) + "]";
}

/// An option that writes a field of TrainingOptions, whose default the recipe decides; `defaults` ends its help.
template <class T>
CLI::Option* add_by_recipe(CLI::App& command, TrainingChanges& changes, const char* name,
                           T adtr::TrainingOptions::*field, const std::string& help, const std::string& defaults) {
  return add_training(command, changes, name, field, help + " " + defaults)->default_str("");
}
template <class T>
CLI::Option* add_by_recipe(CLI::App& command, TrainingChanges& changes, const char* name,
                           T adtr::TrainingOptions::*field, const std::string& help) {
  return add_by_recipe(command, changes, name, field, help, recipe_defaults(field));
}

/// The same for a field that takes the names of some enumerators.
template <class Enum>
CLI::Option* add_choice_by_recipe(CLI::App& command, TrainingChanges& changes, const char* name,
                                  Enum adtr::TrainingOptions::*field, std::initializer_list<Enum> choices,
                                  const std::string& help) {
  return add_names(
      command, name, choices, [&changes, field](Enum choice) { changes.set(field, choice); },
      help + " " + recipe_defaults(field));
}

}  // namespace program
