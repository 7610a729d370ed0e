/// adtr info: what a weights or model file holds.
#include <cstdio>

#include "adtr/models/description.hpp"
#include "options.hpp"
#include "output.hpp"

namespace program {

namespace {

void line(const char* name, const std::string& value) { std::printf("%-13s %s\n", name, value.c_str()); }

/// 12345678 as 12,345,678.
std::string grouped(std::size_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

void describe_model(const adtr::SafetensorsFile& file) {
  const adtr::ModelDescription d = adtr::read_description(file);
  line("file", file.path() + ", a trained model");
  line("architecture", std::string(adtr::name_of(d.architecture)));
  line("geometry", text("image %tdx%td, grid %tdx%td", d.image_size, d.image_size, d.grid, d.grid));
  line("pooling", adtr::name_of(d.pooling));
  line("scoring", std::string(adtr::name_of(d.scoring)));
  if (const adtr::SafetensorsTensor* const bank = file.find(adtr::detail::bank_tokens_name))
    line("memory bank", text("%zu tokens of %zu numbers", bank->shape.at(0), bank->shape.at(1)));
  line("threshold", d.threshold ? adtr::number_text(*d.threshold)
                                : "none: every verdict is 'undecided' (no good images were held out)");
  std::size_t backbone = 0, all = 0;
  for (const adtr::SafetensorsTensor& t : file.tensors()) {
    all += t.elements();
    if (t.name.starts_with("backbone.")) backbone += t.elements();
  }
  line("parameters", grouped(all) + " (backbone " + grouped(backbone) + ", trained " + grouped(all - backbone) + ")");
}

void describe_backbone(const adtr::SafetensorsFile& file) {
  const auto has = [&](std::string_view name) { return file.contains(name); };
  const auto convention = adtr::convention_of(has);
  line("file",
       file.path() + (convention ? ", weights with the names of " + std::string(adtr::convention_name(*convention))
                                 : ", not the tensors of a backbone that adtr knows"));
  const auto architecture = file.metadata().find("architecture");
  line("architecture",
       architecture == file.metadata().end() ? "unknown (adtr train needs --architecture)" : architecture->second);
  line("geometry", "any that adtr is compiled for");
  std::size_t all = 0;
  for (const adtr::SafetensorsTensor& t : file.tensors()) all += t.elements();
  line("parameters", grouped(all));
}

}  // namespace

int info(const InfoOptions& options) {
  const auto file = adtr::SafetensorsFile::open(options.file);
  if (adtr::is_model_file(file))
    describe_model(file);
  else
    describe_backbone(file);
  line("tensors", grouped(file.tensors().size()) + (options.tensors ? "" : " (listed by --tensors)"));
  if (!file.metadata().empty()) std::puts("\nmetadata");
  for (const auto& [key, value] : file.metadata()) std::printf("  %-32s %s\n", key.c_str(), value.c_str());
  if (!options.tensors) return 0;
  std::puts("\ntensors");
  for (const adtr::SafetensorsTensor& t : file.tensors())
    std::printf("  %-56s %s %s\n", t.name.c_str(), std::string(adtr::dtype_name(t.dtype)).c_str(),
                adtr::shape_text(t.shape).c_str());
  return 0;
}

}  // namespace program
