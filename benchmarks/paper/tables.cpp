#include <algorithm>
#include <cstdio>
#include <optional>

#include "results.hpp"

namespace paper {

namespace {

std::string number(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

std::optional<double> figure(const Json& row, const char* group, const char* name) {
  if (!row.contains(group) || !row[group].contains(name) || !row[group][name].is_number()) return std::nullopt;
  return row[group][name].get<double>();
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Whether two rows differ only in the seed.
bool same_but_seed(const Json& a, const Json& b) {
  Json first = a["settings"], second = b["settings"];
  first.erase("seed");
  second.erase("seed");
  return first == second;
}

/// The mean over the rows that have the figure, followed by the single values if there are several.
std::string cell(const std::vector<const Json*>& rows, const char* name) {
  std::vector<double> values;
  for (const Json* row : rows)
    if (const auto value = figure(*row, "figures", name)) values.push_back(*value);
  if (values.empty()) return "";
  double sum = 0.0;
  for (const double v : values) sum += v;
  std::string result = number(sum / static_cast<double>(values.size()), 3);
  if (values.size() > 1) {
    result += " (";
    for (std::size_t i = 0; i < values.size(); ++i) result += (i > 0 ? ", " : "") + number(values[i], 3);
    result += ")";
  }
  return result;
}

std::string paper_cell(const Json& row, const char* name) {
  const auto value = figure(row, "paper", name);
  return value ? number(*value, 3) : "";
}

struct Column {
  const char* title;
  const char* figure;
};
constexpr Column columns[] = {{"image AUROC, max", "image_auroc"},
                              {"image AUROC, mean", "image_auroc_mean"},
                              {"pixel AUROC", "pixel_auroc"},
                              {"AUPRO", "aupro"}};

std::string table(const std::vector<const Json*>& rows) {
  std::vector<std::vector<const Json*>> groups;
  for (const Json* row : rows) {
    const auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return same_but_seed(*g.front(), *row); });
    if (group != groups.end())
      group->push_back(row);
    else
      groups.push_back({row});
  }
  std::string head = "| set | system | backbone | recipe, epochs, batch | seeds |", line = "|---|---|---|---|---|";
  for (const Column& column : columns) {
    head += std::string(" ") + column.title + " |";
    line += "---|";
  }
  std::string result = head + " paper: image / pixel | training, s |\n" + line + "---|---|\n";
  for (const auto& group : groups) {
    const Json& s = (*group.front())["settings"];
    std::string seeds;
    double seconds = 0.0;
    bool resumed = false;
    for (const Json* row : group) {
      seeds += (seeds.empty() ? "" : ", ") + text_of((*row)["settings"]["seed"]);
      seconds += row->value("seconds_training", 0.0) / static_cast<double>(group.size());
      resumed = resumed || row->value("resumed", false);
    }
    result += "| " + text_of(s["set"]) + " | " + text_of(s["system"]) + " | " + text_of(s["backbone"]) + " | " +
              (s["epochs"] == "0" ? "no training"
                                  : text_of(s["recipe"]) + ", " + text_of(s["epochs"]) + ", " + text_of(s["batch"])) +
              " | " + seeds + " |";
    for (const Column& column : columns) result += " " + cell(group, column.figure) + " |";
    const std::string image = paper_cell(*group.front(), "image_auroc"),
                      pixel = paper_cell(*group.front(), "pixel_auroc");
    result +=
        " " +
        (image.empty() && pixel.empty() ? "" : (image.empty() ? "–" : image) + " / " + (pixel.empty() ? "–" : pixel)) +
        " | " + (resumed ? "at least " : "") + number(seconds, 0) + " |\n";
  }
  return result;
}

}  // namespace

std::string markdown(const std::vector<Json>& rows) {
  std::vector<std::string> experiments;
  for (const Json& row : rows) {
    const std::string name = text_of(row["settings"]["experiment"]);
    if (std::find(experiments.begin(), experiments.end(), name) == experiments.end()) experiments.push_back(name);
  }
  std::string result =
      "Written by adtr_paper. Figures are means over the seeds, followed by the single values. The paper's figures are "
      "for its "
      "backbone (EfficientNet-B4) and its number of epochs, as means over all categories.\n";
  for (const std::string& name : experiments) {
    std::vector<const Json*> of;
    for (const Json& row : rows)
      if (text_of(row["settings"]["experiment"]) == name && row["state"] == "done") of.push_back(&row);
    result += "\n## " + name + "\n\n" + table(of);
    for (const Json* row : of) {
      if (!row->contains("curve") || (*row)["curve"].empty()) continue;
      result += "\n" + text_of((*row)["key"]) + ", image / pixel AUROC after epochs:";
      for (const Json& point : (*row)["curve"]) {
        result += " " + text_of(point["epoch"]) + ": " + number(point.value("image_auroc", 0.0), 3);
        if (point.contains("pixel_auroc")) result += " / " + number(point["pixel_auroc"].get<double>(), 3);
        result += point == (*row)["curve"].back() ? ".\n" : ",";
      }
    }
  }
  return result;
}

std::string csv(const std::vector<Json>& rows) {
  std::vector<std::string> settings, figures;
  const auto note = [](std::vector<std::string>& names, const Json& object) {
    for (const auto& [name, value] : object.items())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Json& row : rows) {
    note(settings, row["settings"]);
    if (row.contains("figures")) note(figures, row["figures"]);
  }
  const auto quoted = [](const Json& value) {
    std::string text = text_of(value), result = "\"";
    for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
    return result + "\"";
  };
  std::string result = "key";
  for (const auto& names : {settings, figures})
    for (const std::string& name : names) result += "," + name;
  result += ",seconds_features,seconds_training,resumed,commit,state\n";
  for (const Json& row : rows) {
    result += quoted(row["key"]);
    for (const std::string& name : settings)
      result += "," + (row["settings"].contains(name) ? quoted(row["settings"][name]) : "");
    for (const std::string& name : figures) {
      const auto value = figure(row, "figures", name.c_str());
      result += "," + (value ? number(*value, 6) : "");
    }
    for (const char* name : {"seconds_features", "seconds_training", "resumed", "commit", "state"})
      result += "," + (row.contains(name) ? text_of(row[name]) : "");
    result += "\n";
  }
  return result;
}

}  // namespace paper
