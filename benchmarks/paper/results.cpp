#include "results.hpp"

#include <algorithm>
#include <fstream>

#include "adtr/core/error.hpp"
#include "adtr/io/atomic_file.hpp"

namespace paper {

namespace {

void write(const std::filesystem::path& path, const std::string& content) {
  adtr::AtomicFile file(path.string());
  file.write(content);
  file.commit();
}

bool is_row(const Json& row) {
  return row.is_object() && row.contains("key") && row["key"].is_string() && row.contains("settings") &&
         row.contains("state");
}

}  // namespace

Results::Results(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw adtr::file_error(folder_.string(), "cannot be made: " + error.message());
  const std::filesystem::path path = folder_ / "results.json";
  adtr::AtomicFile{path.string()};  // throws now, and not after an hour, if the file cannot be written
  if (!std::filesystem::exists(path, error)) {
    for (const char* name : {"results.csv", "results.md"})  // adtr_paper writes them only together with results.json
      if (std::filesystem::exists(folder_ / name, error))
        throw adtr::file_error(
            (folder_ / name).string(),
            "exists without results.json next to it, so adtr_paper did not write it; it is left unchanged",
            adtr::ErrorCode::file_conflict);
    return;
  }
  std::ifstream in(path);
  const Json json = Json::parse(in, nullptr, false);
  if (!json.is_array() || !std::all_of(json.begin(), json.end(), is_row))
    throw adtr::file_error(path.string(), "is not a result file of adtr_paper; expected an array of its rows");
  rows_.assign(json.begin(), json.end());
}

const Json* Results::find(const std::string& key, const Json& settings) const {
  const auto same = std::find_if(rows_.begin(), rows_.end(), [&](const Json& r) { return r["key"] == key; });
  if (same == rows_.end()) return nullptr;
  const Json& known = (*same)["settings"];
  for (const auto& [name, value] : settings.items())
    if (!known.contains(name) || known[name] != value)
      throw adtr::Error("row '" + key + "' of " + (folder_ / "results.json").string() + " has other settings: " + name +
                        " is " + (known.contains(name) ? known[name].dump() : "missing") + ", this run has " +
                        value.dump() + "; use another --out to keep both");
  return &*same;
}

void Results::put(const Json& row) {
  const auto same = std::find_if(rows_.begin(), rows_.end(), [&](const Json& r) { return r["key"] == row["key"]; });
  if (same != rows_.end())
    *same = row;
  else
    rows_.push_back(row);
  write(folder_ / "results.json", Json(rows_).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write(folder_ / "results.csv", csv(rows_));
  write(folder_ / "results.md", markdown(rows_));
}

}  // namespace paper
