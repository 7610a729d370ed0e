// Every field of TrainingOptions and TrainingRequest is checked before the first image is read.
#include <limits>

#include "train/run.hpp"
#include "train/small.hpp"

namespace {

using adtr::ErrorCode;
using adtr::Index;
using adtr::TrainingOptions;
using adtr::TrainingRequest;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

/// Values of one field that are refused, and values at its bounds that are not.
template <class Owner, class T>
struct Field {
  const char* name;
  T Owner::*member;
  std::vector<T> refused, accepted;
};

const std::vector<Field<TrainingOptions, double>> numbers{
    {"learning_rate", &TrainingOptions::learning_rate, {0.0, -1e-3, nan, infinity}, {1e-300, 1e3}},
    {"weight_decay", &TrainingOptions::weight_decay, {-1e-9, nan, infinity}, {0.0, 1.0}},
    {"dropout", &TrainingOptions::dropout, {-0.1, 1.0, 1.5, nan}, {0.0, 0.999}},
    {"clip", &TrainingOptions::clip, {-1.0, nan, infinity}, {0.0, 1e9}},
    {"jitter", &TrainingOptions::jitter, {-0.3, nan, infinity}, {0.0, 20.0}},
    {"full_rate_share", &TrainingOptions::full_rate_share, {-0.1, 1.1, nan}, {0.0, 1.0}},
    {"alpha", &TrainingOptions::alpha, {-0.003, nan, infinity}, {0.0, 5.0}},
    {"anomaly_probability", &TrainingOptions::anomaly_probability, {-0.1, 1.1, nan}, {0.0, 1.0}}};
const std::vector<Field<TrainingOptions, Index>> counts{
    {"epochs", &TrainingOptions::epochs, {0, -1, std::numeric_limits<Index>::max()}, {1, 1'000'000'000}},
    {"batch", &TrainingOptions::batch, {0, -16}, {1, std::numeric_limits<Index>::max()}},
    {"top_k", &TrainingOptions::top_k, {0, -1}, {1, 64}}};
const std::vector<Field<TrainingRequest, double>> request_numbers{
    {"false_alarm_rate", &TrainingRequest::false_alarm_rate, {-0.1, 1.0, 2.0, nan}, {0.0, 0.99}},
    {"checkpoint_seconds", &TrainingRequest::checkpoint_seconds, {-1.0, nan}, {0.0, infinity}}};
const std::vector<Field<TrainingRequest, std::optional<double>>> request_shares{
    {"hold_out", &TrainingRequest::hold_out, {-0.1, 1.0, nan, 0.9}, {0.0, 1e-9, 0.74}}};
const std::vector<Field<TrainingRequest, Index>> request_counts{
    {"snapshot_epochs", &TrainingRequest::snapshot_epochs, {-1}, {0, 7}},
    {"image_size", &TrainingRequest::image_size, {0, -32}, {32}},
    {"grid", &TrainingRequest::grid, {0, -8}, {8}}};
const std::vector<Field<TrainingRequest, int>> request_threads{{"threads", &TrainingRequest::threads, {-1}, {0, 2}}};

template <class Owner, class T, class Refuse, class Accept>
void for_values(const std::vector<Field<Owner, T>>& fields, const Owner& good, Refuse&& refuse, Accept&& accept) {
  for (const auto& field : fields)
    for (const bool accepted : {false, true})
      for (const T value : accepted ? field.accepted : field.refused) {
        Owner changed = good;
        changed.*field.member = value;
        accepted ? accept(field.name, changed) : refuse(field.name, changed);
      }
}

/// A request with images that do not exist: options must be checked before images are read.
TrainingRequest request_without_images(const small_run::Folder& folder) {
  TrainingRequest r = folder.request("m.adtr");
  std::vector<adtr::Sample> good(4);
  for (std::size_t i = 0; i < good.size(); ++i) good[i].path = folder.file("missing" + std::to_string(i) + ".png");
  r.good = good;
  return r;
}

void refused(const TrainingRequest& r, const std::string& field) {
  INFO(field);
  const adtr::Error e = small_run::error_of(r);
  CHECK(e.code() == ErrorCode::option);
  CHECK_THAT(e.what(), ContainsSubstring(field + ": expected ") && ContainsSubstring(", found "));
}

void accepted(const TrainingRequest& r, const std::string& field) {
  INFO(field);
  CHECK_THAT(small_run::error_of(r).what(), ContainsSubstring("missing0.png"));
}

}  // namespace

TEST_CASE("Every option of TrainingOptions is checked before the first image is read") {
  const small_run::Folder folder;
  TrainingRequest r = request_without_images(folder);
  const auto with = [&](const TrainingOptions& o) {
    TrainingRequest changed = r;
    changed.options = o;
    return changed;
  };
  const auto refuse = [&](const std::string& name, const TrainingOptions& o) {
    refused(with(o), "TrainingOptions::" + name);
    CHECK_THROWS_AS(adtr::check(o), adtr::Error);
  };
  const auto accept = [&](const std::string& name, const TrainingOptions& o) { accepted(with(o), name); };
  for_values(numbers, r.options, refuse, accept);
  for_values(counts, r.options, refuse, accept);

  TrainingOptions enums = r.options;
  enums.recipe = static_cast<adtr::Recipe>(7);
  refuse("recipe", enums);
  enums = r.options;
  enums.pooling = static_cast<adtr::Pooling>(7);
  refuse("pooling", enums);
  enums = r.options;
  enums.loss = static_cast<adtr::Loss>(7);
  refuse("loss", enums);

  // The network's 64 tokens.
  r.options.loss = adtr::Loss::image;
  r.confetti = true;
  TrainingOptions o = r.options;
  o.top_k = 65;
  refused(with(o), "TrainingOptions::top_k");
  o.top_k = 64;
  accepted(with(o), "top_k");
}

TEST_CASE("Every option of TrainingRequest is checked before the first image is read") {
  const small_run::Folder folder;
  const TrainingRequest r = request_without_images(folder);
  const auto refuse = [](const std::string& name, const TrainingRequest& changed) {
    refused(changed, "TrainingRequest::" + name);
  };
  const auto accept = [](const std::string& name, const TrainingRequest& changed) { accepted(changed, name); };
  for_values(request_numbers, r, refuse, accept);
  for_values(request_shares, r, refuse, accept);
  for_values(request_counts, r, refuse, accept);
  for_values(request_threads, r, refuse, accept);

  TrainingRequest changed = r;
  changed.out.clear();
  refuse("out", changed);
  changed = r;
  changed.weights.clear();
  refuse("weights and start", changed);
  changed = r;
  changed.start = folder.model.path;
  refuse("weights and start", changed);
  changed = r;
  changed.good = std::vector<adtr::Sample>();
  refuse("good", changed);
  std::vector<adtr::Sample> samples(r.good.begin(), r.good.end());
  samples[2].path.clear();
  changed.good = samples;
  refuse("good", changed);
  changed = r;
  changed.options.loss = adtr::Loss::image;
  changed.defects = std::vector<adtr::Sample>(1);
  refuse("defects", changed);
}

TEST_CASE("Conflicting options and unwritable outputs are refused before the first image is read") {
  const small_run::Folder folder;
  const TrainingRequest r = request_without_images(folder);
  const auto said = [](const TrainingRequest& changed, ErrorCode code, const std::string& text) {
    const adtr::Error e = small_run::error_of(changed);
    CHECK_THAT(e.what(), ContainsSubstring(text));
    CHECK(e.code() == code);
  };
  TrainingRequest changed = r;
  changed.confetti = true;
  said(changed, ErrorCode::option, "expected the loss pixel or image, found norm");
  changed.confetti = false;
  changed.options.loss = adtr::Loss::pixel;
  said(changed, ErrorCode::option, "expected confetti or defects, found neither");
  changed.defects = folder.images(1, 90, "bad");
  said(changed, ErrorCode::bad_data, "bad90.png: has no mask");

  changed = r;
  changed.grid = 7;
  said(changed, ErrorCode::no_such_network, "not compiled for efficientnet_lite0 32/7");
  changed = r;
  changed.resume = true;
  said(changed, ErrorCode::file_missing, "m.adtr.checkpoint: no such checkpoint to resume from");
  changed = r;
  changed.out = folder.file("");
  CHECK_THAT(small_run::error_of(changed).what(), !ContainsSubstring("missing0.png"));
  changed.out = folder.file("none/m.adtr");
  CHECK_THAT(small_run::error_of(changed).what(), ContainsSubstring("none/m.adtr"));
}

TEST_CASE("A trainer checks its options itself") {
  adtr::FeatureCache<float> cache(small::images, small::tokens, small::channels, 1 << 30), none(0, 16, 24, 1 << 30);
  const auto make = [&](adtr::FeatureCache<float>& images, const TrainingOptions& o) {
    adtr::Trainer<small::Net, adtr::Cpu> trainer(adtr::Cpu::Context(1), images, o);
  };
  const auto refuse = [&](const std::string& name, const TrainingOptions& o) {
    REQUIRE_THROWS_WITH(make(cache, o), ContainsSubstring("TrainingOptions::" + name));
  };
  const auto accept = [](const std::string&, const TrainingOptions&) {};
  for_values(numbers, small::options(), refuse, accept);
  for_values(counts, small::options(), refuse, accept);
  auto o = small::options();
  o.loss = adtr::Loss::image;
  o.top_k = small::tokens + 1;
  refuse("top_k", o);
  o.top_k = small::tokens;
  make(cache, o);
  REQUIRE_THROWS_WITH(make(none, o), ContainsSubstring("found none"));
}

#ifndef ADTR_SANITIZED  // the sanitizer ends a program that asks for so much
TEST_CASE("Missing memory is named with its size and its purpose") {
  constexpr Index many = Index{1} << 40;
  const auto code = [](auto&& make) {
    try {
      make();
    } catch (const adtr::Error& e) {
      CHECK_THAT(e.what(), ContainsSubstring(" MiB"));
      return e.code();
    }
    return ErrorCode::other;
  };
  CHECK(code([] { adtr::FeatureCache<float> cache(many, small::tokens, small::channels, ~std::uint64_t{0}); }) ==
        ErrorCode::no_resources);
  struct Endless final : adtr::BatchSource<float> {
    [[nodiscard]] Index images() const override { return many; }
    void fill(std::span<const Index>, Index, float*, std::span<std::uint8_t>) override {}
  } endless;
  auto o = small::options();
  o.batch = many;
  CHECK(code([&] { adtr::Trainer<small::Net, adtr::Cpu>(adtr::Cpu::Context(1), endless, o); }) ==
        ErrorCode::no_resources);
}
#endif
