// Good images are held out by default, in the number of the rule, and a second stage holds out the same ones.
#include "train/run.hpp"

namespace {

using adtr::ErrorCode;
using adtr::HoldOutRule;
using adtr::TrainingRequest;
using adtr::TrainingResult;

TrainingRequest request(const small_run::Folder& folder, std::size_t images, const std::string& out = "out") {
  TrainingRequest r = folder.request(out);
  r.good = folder.images(images);
  r.hold_out.reset();
  r.options.epochs = 1;
  r.options.batch = 16;
  return r;
}

}  // namespace

TEST_CASE("From 50 good images a fifth is held out, at most 300, with the bounds of the table") {
  for (const auto& [good, held] : {std::pair<std::size_t, std::size_t>{1, 0},
                                   {49, 0},
                                   {50, 10},
                                   {52, 10},
                                   {53, 11},
                                   {100, 20},
                                   {300, 60},
                                   {1000, 200},
                                   {1500, 300},
                                   {1502, 300},
                                   {100000, 300}})
    CHECK(adtr::held_out_unasked(good) == held);
  const auto bound = [](std::size_t n) { return adtr::threshold_from_good(std::vector<double>(n, 1.0), 0.0); };
  CHECK(bound(10).expected_rate == Approx(0.091).epsilon(0.01));
  CHECK(bound(10).upper_bound == Approx(0.259).epsilon(0.01));
  CHECK(bound(20).upper_bound == Approx(0.139).epsilon(0.01));
  CHECK(bound(60).upper_bound == Approx(0.049).epsilon(0.02));
  CHECK(bound(200).upper_bound == Approx(0.015).epsilon(0.02));
  CHECK(bound(300).expected_rate == Approx(0.0033).epsilon(0.01));
  CHECK(bound(300).upper_bound == Approx(0.0099).epsilon(0.01));
}

TEST_CASE("A first model from 50 images has a threshold, one from 49 has none and says so") {
  const small_run::Folder folder;
  const TrainingResult enough = small_run::train(request(folder, 50));
  CHECK(enough.good == 50);
  CHECK(enough.images == 40);
  CHECK(enough.held_out == 10);
  CHECK(enough.hold_out_rule == HoldOutRule::automatic);
  REQUIRE(enough.threshold);
  CHECK(enough.threshold->good_images == 10);
  CHECK(adtr::threshold_advice(enough).empty());
  auto notes = small_run::notes_of(folder.file("out"));
  CHECK(notes.at("good_images") == "50");
  CHECK(notes.at("training_images") == "40");
  CHECK(notes.at("held_out_images") == "10");
  CHECK(notes.at("hold_out_rule") == "automatic");
  CHECK(notes.at("hold_out_seed") == "0");
  CHECK(notes.at("false_alarm_rate") == "0");
  CHECK(notes.at("false_alarm_rate_expected") == adtr::number_text(enough.threshold->expected_rate));
  CHECK(notes.at("false_alarm_rate_bound") == adtr::number_text(enough.threshold->upper_bound));
  CHECK_FALSE(notes.contains("hold_out"));

  // The same share holds out the same images.
  TrainingRequest asked = request(folder, 50, "asked");
  asked.hold_out = 0.2;
  const TrainingResult as_asked = small_run::train(asked);
  CHECK(as_asked.hold_out_rule == HoldOutRule::asked);
  CHECK(as_asked.threshold->value == enough.threshold->value);
  notes = small_run::notes_of(folder.file("asked"));
  CHECK(notes.at("hold_out_rule") == "asked");
  CHECK(notes.at("hold_out") == "0.2");

  // Mirror images do not count as further good images.
  TrainingRequest few = request(folder, 49);
  few.mirror = GENERATE(false, true);
  const TrainingResult none = small_run::train(few);
  CHECK(none.images == (few.mirror ? 4 * 49 : 49));
  CHECK(none.held_out == 0);
  CHECK_FALSE(none.threshold);
  CHECK_FALSE(none.description.threshold);
  CHECK(adtr::threshold_advice(none) ==
        "the model has no threshold, so its verdict is 'undecided': 49 good images are fewer than the 50 from which "
        "a fifth is held out by default; add images or pass --hold-out 0.2 (TrainingRequest::hold_out)");
  asked.hold_out = 0.0;
  const TrainingResult zero = small_run::train(asked);
  CHECK_FALSE(zero.threshold);
  CHECK(zero.held_out == 0);
  CHECK_THAT(adtr::threshold_advice(zero), ContainsSubstring("no good image was held out, as --hold-out 0"));
}

TEST_CASE("A second stage holds out the images that the first was not trained on") {
  const small_run::Folder folder;
  TrainingRequest first = request(folder, 50, "first");
  first.options.seed = 3;
  REQUIRE(small_run::train(first).held_out == 10);
  TrainingRequest second = request(folder, 50, "second");
  second.start = first.out;
  second.weights.clear();
  second.options.seed = 8;
  const TrainingResult result = small_run::train(second);
  CHECK(result.hold_out_rule == HoldOutRule::continued);
  CHECK(result.held_out == 10);
  CHECK(adtr::threshold_advice(result).empty());
  auto notes = small_run::notes_of(second.out);
  CHECK(notes.at("hold_out_rule") == "continued");
  CHECK(notes.at("hold_out_seed") == "3");
  CHECK(notes.at("seed") == "8");
  CHECK(notes.at("held_out_fingerprint") == notes.at("start.held_out_fingerprint"));

  SECTION("and a third stage does too") {
    TrainingRequest third = second;
    third.start = second.out;
    third.out = folder.file("third");
    third.options.seed = 9;
    static_cast<void>(small_run::train(third));
    CHECK(small_run::notes_of(third.out).at("held_out_fingerprint") == notes.at("held_out_fingerprint"));
  }
  SECTION("but not with other images, because it is then unknown which those are") {
    second.good = folder.images(49);
    adtr::Error e = small_run::error_of(second);
    CHECK(e.code() == ErrorCode::option);
    CHECK_THAT(e.what(), ContainsSubstring("some of 50 good images and 10 were held out, and now there are 49"));
    second.good = folder.images(50, 2);
    e = small_run::error_of(second);
    CHECK(e.code() == ErrorCode::option);
    CHECK_THAT(e.what(), ContainsSubstring("the good images are not those of " + first.out));
  }
  SECTION("unless the user gives a share, which is used with a caution if those images were trained on") {
    second.hold_out = 0.2;
    const TrainingResult other = small_run::train(second);
    CHECK(other.hold_out_rule == HoldOutRule::asked);
    CHECK_THAT(adtr::threshold_advice(other), ContainsSubstring("was trained on images that are now held out"));
    CHECK(small_run::notes_of(second.out).at("hold_out_caution") == adtr::threshold_advice(other));
    second.options.seed = 3;
    CHECK(adtr::threshold_advice(small_run::train(second)).empty());
  }
  SECTION("and after a model that was trained on all images, none is held out") {
    first.hold_out = 0.0;
    static_cast<void>(small_run::train(first));
    const TrainingResult none = small_run::train(second);
    CHECK(none.held_out == 0);
    CHECK_THAT(adtr::threshold_advice(none), ContainsSubstring("'undecided': the model that training continued from"));
    second.hold_out = 0.2;
    CHECK_FALSE(adtr::threshold_advice(small_run::train(second)).empty());
  }
}
