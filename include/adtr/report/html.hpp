/// Writes the HTML report of an evaluation: one file without scripts that embeds its pictures, so that it can be
/// mailed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/file_kind.hpp"
#include "adtr/metrics/verdict.hpp"
#include "adtr/report/heat_map.hpp"
#include "adtr/report/histogram.hpp"
#include "adtr/report/markup.hpp"
#include "adtr/report/pick_cases.hpp"
#include "adtr/report/style.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct ReportMetric {
  std::string name;
  std::optional<double> value;  ///< no value and NaN are both shown as "not available: reason"
  std::string reason;
};

struct ReportSetting {
  std::string name;
  std::string value;
};

/// One image of the test set with its pictures. Make the heat map (see overlay()) at the size of the input.
struct ReportCase {
  std::string name;
  double score = 0;
  bool defective = false;
  Picture input;
  Picture heat_map;
  std::optional<Picture> ground_truth;  ///< if no case has one, the page has no column for it
};

/// The content of the page. Lists may be empty; their part of the page is then left out.
struct Report {
  std::string title;
  std::string subtitle;
  std::vector<ReportMetric> metrics;  ///< the first two are also shown large, at the top
  std::vector<ReportSetting> settings;
  std::vector<double> good_scores;       ///< image scores of all good images
  std::vector<double> defective_scores;  ///< image scores of all defective images
  std::optional<double> threshold;       ///< score ≥ threshold is anomalous; without one all parts are undecided
  std::vector<std::string> unreadable;   ///< a sentence for each file that was not judged and so has no score
  std::vector<std::string> remarks;      ///< sentences on what was left out, allowed or changed, shown near the top
  std::optional<HeatScale> scale;        ///< of every heat map on the page
  std::vector<ReportCase> highest_good;
  std::vector<ReportCase> lowest_defective;
  std::vector<ReportCase> highest_defective;
};

namespace detail {

inline std::string report_tile(const std::string& value, const std::string& note, const std::string& name) {
  return "<div class=\"tile\"><b>" + value + (note.empty() ? "" : " <small>" + note + "</small>") + "</b><span>" +
         html_escape(name) + "</span></div>";
}

inline bool available(const ReportMetric& metric) { return metric.value && !std::isnan(*metric.value); }

/// The first questions of an inspection engineer: how many defects are found, how many good parts pass, and how many
/// parts are undecided.
inline std::string report_tiles(const Report& report) {
  std::string html;
  const auto count = [&](const std::vector<double>& scores, Verdict verdict) {
    return static_cast<std::size_t>(std::count_if(
        scores.begin(), scores.end(), [&](double score) { return verdict_of(score, report.threshold) == verdict; }));
  };
  const auto tile = [&](std::size_t part, std::size_t total, const char* name) {
    if (total > 0) html += report_tile(std::to_string(part), "of " + std::to_string(total), name);
  };
  if (report.threshold) {
    tile(count(report.defective_scores, Verdict::anomalous), report.defective_scores.size(), "defects found");
    tile(count(report.good_scores, Verdict::good), report.good_scores.size(), "good parts passed");
    const std::string exact = number_text(*report.threshold), brief = short_number(*report.threshold);
    html += report_tile(brief, "", exact == brief ? "threshold" : "threshold, exactly " + exact);
  }
  const std::size_t undecided =
      count(report.defective_scores, Verdict::undecided) + count(report.good_scores, Verdict::undecided);
  if (undecided > 0)
    tile(undecided, report.defective_scores.size() + report.good_scores.size(),
         report.threshold ? "parts undecided: their score is not a finite number"
                          : "parts undecided: there is no threshold");
  if (!report.unreadable.empty())
    html += report_tile(std::to_string(report.unreadable.size()), "", "files unreadable, not judged");
  for (std::size_t i = 0; i < std::min<std::size_t>(2, report.metrics.size()); ++i) {
    if (available(report.metrics[i])) {
      html += report_tile(short_number(*report.metrics[i].value), "", report.metrics[i].name);
    }
  }
  return html.empty() ? "" : "<div class=\"tiles\">" + html + "</div>";
}

inline std::string report_legend(HeatScale scale) {
  std::string colours;
  for (std::size_t i = 0; i < heat_colours.size(); ++i) {
    const auto [r, g, b] = heat_colours[i];
    const float t = static_cast<float>(i) / static_cast<float>(heat_colours.size() - 1);
    colours += ",rgb(" + std::to_string(r) + " " + std::to_string(g) + " " + std::to_string(b) + "/" +
               short_number(static_cast<double>(heat_opacity(t))) + ")";
  }
  return "<div class=\"legend\"><span>Heat maps, one scale for all images: transparent up to pixel score " +
         short_number(static_cast<double>(scale.low)) + "</span><i style=\"background-image:linear-gradient(90deg" +
         colours + ")\"></i><span>" + short_number(static_cast<double>(scale.high)) + " and above</span></div>";
}

/// `ground_truth` says whether the card has that column. It has none if the data set has no masks.
inline std::string report_card(const ReportCase& item, std::optional<double> threshold, bool ground_truth) {
  std::string chip = item.defective ? "<span class=\"chip\">defective</span>" : "<span class=\"chip\">good</span>";
  const Verdict verdict = verdict_of(item.score, threshold);
  if (verdict != Verdict::undecided) {
    const bool rejected = verdict == Verdict::anomalous;
    const std::pair<const char*, const char*> result =
        item.defective ? (rejected ? std::pair("found", "defect found") : std::pair("missed", "defect missed"))
                       : (rejected ? std::pair("rejected", "false alarm") : std::pair("passed", "good, passed"));
    chip = std::string("<span class=\"chip ") + result.first + "\">" + result.second + "</span>";
  } else if (threshold) {
    chip += "<span class=\"chip\">undecided</span>";
  }
  const auto view = [&](const std::string& picture, const char* name) {
    return "<figure>" + picture + "<figcaption>" + name + "</figcaption></figure>";
  };
  return "<article class=\"card\"><header><b>" + html_escape(item.name) + "</b>" + chip +
         "<span class=\"score\">score " + number_text(item.score) + "</span></header><div class=\"views\">" +
         view(html_image(item.input, "Input " + item.name), "input") +
         view(html_image(item.heat_map, "Heat map of " + item.name), "heat map") +
         (!ground_truth ? ""
          : item.ground_truth
              ? view(html_image(*item.ground_truth, "Ground truth of " + item.name), "ground truth")
              : view(std::string("<div class=\"none\">") + (item.defective ? "no mask" : "no defect") + "</div>",
                     "ground truth")) +
         "</div></article>";
}

inline std::string report_cards(const char* title, const char* note, const std::vector<ReportCase>& cases,
                                std::optional<double> threshold, bool ground_truth) {
  if (cases.empty()) return "";
  std::string html = std::string("<section><h2>") + title + "</h2><p>" + note + "</p><div class=\"cards\">";
  for (const ReportCase& item : cases) html += report_card(item, threshold, ground_truth);
  return html + "</div></section>";
}

/// The remarks that the reader must know before using the figures.
inline std::string report_remarks(const Report& report) {
  if (report.unreadable.empty() && report.remarks.empty()) return "";
  std::string html = "<section class=\"remarks\"><h2>Left out of the figures, or changed</h2><ul>";
  for (const std::string& remark : report.remarks) html += "<li>" + html_escape(remark) + "</li>";
  for (const std::string& sentence : report.unreadable)
    html += "<li><b>unreadable</b> " + html_escape(sentence) + "</li>";
  return html + "</ul></section>";
}

inline std::string report_tables(const Report& report) {
  std::string html = "<div class=\"tables\">";
  if (!report.metrics.empty()) {
    html += "<section><h2>Metrics</h2><div class=\"table\"><table>";
    for (const ReportMetric& metric : report.metrics) {
      html += "<tr><th scope=\"row\">" + html_escape(metric.name) + "</th>" +
              (available(metric) ? "<td>" + short_number(*metric.value)
                                 : "<td class=\"missing\">not available: " + html_escape(metric.reason)) +
              "</td></tr>";
    }
    html += "</table></div></section>";
  }
  if (!report.settings.empty()) {
    html += "<section><h2>Settings</h2><div class=\"table\"><table>";
    for (const ReportSetting& setting : report.settings) {
      html += "<tr><th scope=\"row\">" + html_escape(setting.name) + "</th><td>" + html_escape(setting.value) +
              "</td></tr>";
    }
    html += "</table></div></section>";
  }
  return html + "</div>";
}

}  // namespace detail

/// Returns the page. Pictures come before the tables, and hard cases before clear ones. Throws Error if a picture is
/// empty or does not have the size that it says.
[[nodiscard]] inline std::string report_html(const Report& report) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" + std::string(page_mark) +
                     "\"><meta name=\"viewport\" "
                     "content=\"width=device-width,initial-scale=1\"><title>" +
                     html_escape(report.title) + "</title><style>" + std::string(report_style) +
                     "</style></head><body><main><h1>" + html_escape(report.title) + "</h1>";
  if (!report.subtitle.empty()) html += "<p>" + html_escape(report.subtitle) + "</p>";
  html += detail::report_tiles(report);
  html += detail::report_remarks(report);
  html += histogram_figure(report.good_scores, report.defective_scores, report.threshold);
  if (report.scale) html += detail::report_legend(*report.scale);
  const auto has_masks = [](const std::vector<ReportCase>& cases) {
    return std::any_of(cases.begin(), cases.end(),
                       [](const ReportCase& item) { return item.ground_truth.has_value(); });
  };
  const bool ground_truth =
      has_masks(report.lowest_defective) || has_masks(report.highest_good) || has_masks(report.highest_defective);
  html += detail::report_cards("Defects with the lowest scores", "These would be missed first.",
                               report.lowest_defective, report.threshold, ground_truth);
  html += detail::report_cards("Good parts with the highest scores", "These would be rejected first.",
                               report.highest_good, report.threshold, ground_truth);
  html += detail::report_cards("Defects with the highest scores", "These are found most clearly.",
                               report.highest_defective, report.threshold, ground_truth);
  return html + detail::report_tables(report) + "</main></body></html>\n";
}

/// Writes the page to `path` atomically: an earlier report survives a failure. Throws Error that names the path.
inline void write_report(const std::string& path, const Report& report) {
  const std::string html = report_html(report);
  AtomicFile file(path);
  file.write(html);
  file.commit();
}

}  // namespace ADTR_ABI
}  // namespace adtr
