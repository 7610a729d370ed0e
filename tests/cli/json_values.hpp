/// Values out of the program's JSON files.
#pragma once

#include <string>
#include <vector>

#include "weights/temporary.hpp"

/// The values of `"key": value` in a JSON file, in order, as text: numbers are written so that they read back exactly.
inline std::vector<std::string> json_values(const std::string& path, const std::string& key) {
  const std::string json = read_whole(path), mark = "\"" + key + "\": ";
  std::vector<std::string> found;
  for (std::size_t at = json.find(mark); at != std::string::npos; at = json.find(mark, at)) {
    at += mark.size();
    found.push_back(json.substr(at, json.find_first_of(",\n}", at) - at));
  }
  return found;
}
