/// The memory bank: greedy k-center against plain loops, and a bank's axes, tokens and distances.
#include "adtr/train/build_bank.hpp"

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "models/small_model.hpp"
#include "support/threads.hpp"

using adtr::Index;
using small_model::Net;

namespace {

constexpr Index positions = Net::Features::positions, channels = Net::Features::channels, images = 5;

const adtr::RunEach in_turn = [](Index count, const std::function<void(Index)>& fn) {
  for (Index i = 0; i < count; ++i) fn(i);
};
const adtr::RunEach from_the_end = [](Index count, const std::function<void(Index)>& fn) {
  for (Index i = count; i-- > 0;) fn(i);
};

std::vector<float> random_rows(Index rows, Index cols, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(rows * cols));
  adtr::RandomStream random(seed, 4);
  for (float& v : values) v = static_cast<float>(random.normal());
  return values;
}

template <class T>
adtr::BuiltBank<T> build(const std::vector<T>& rows, const adtr::BankOptions& options, int threads = 1,
                         const adtr::BankTensors<T>& earlier = {}) {
  using B = std::conditional_t<std::is_same_v<T, float>, adtr::Cpu, adtr::Reference<T>>;
  const auto context = support::context<B>(threads);
  const Index n = static_cast<Index>(rows.size()) / channels;
  return adtr::build_bank<Net, B>(context, {rows.data(), n, channels}, options, adtr::run_each_on(context), earlier);
}

adtr::BankOptions small_options(Index tokens = 40) {
  adtr::BankOptions options;
  options.tokens = tokens;
  options.axes = 16;
  options.search_axes = 8;
  options.seed = 3;
  return options;
}

}  // namespace

TEST_CASE("k_centers chooses the row that is farthest from those chosen before") {
  constexpr Index rows = 5000, cols = 6, stride = 8, count = 30;  // more than one block, and a stride
  const std::vector<float> x = random_rows(rows, stride, 1);
  const adtr::MatrixView<const float> points(x.data(), rows, cols, stride);
  const std::vector<Index> chosen = adtr::k_centers<float>(points, {17}, count, in_turn);
  REQUIRE(chosen.size() == count);
  CHECK(chosen == adtr::k_centers<float>(points, {17}, count, from_the_end));
  const auto distance = [&](Index a, Index b) {
    double sum = 0.0;
    for (Index c = 0; c < cols; ++c) sum += std::pow(double{points.row(a)[c]} - double{points.row(b)[c]}, 2);
    return sum;
  };
  std::vector<double> nearest(rows, std::numeric_limits<double>::infinity());
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    if (k > 0)
      CHECK(nearest[static_cast<std::size_t>(chosen[k])] >=
            *std::max_element(nearest.begin(), nearest.end()) * (1 - 1e-5));
    for (Index r = 0; r < rows; ++r)
      nearest[static_cast<std::size_t>(r)] = std::min(nearest[static_cast<std::size_t>(r)], distance(r, chosen[k]));
  }
}

TEST_CASE("k_centers chooses no two equal rows, and no more than there are") {
  std::vector<float> x = random_rows(3, 4, 2);
  for (int i = 0; i < 3; ++i) x.insert(x.end(), x.begin(), x.begin() + 12);
  const adtr::MatrixView<const float> points(x.data(), 12, 4);
  CHECK(adtr::k_centers<float>(points, {0}, 10, in_turn).size() == 3);
  CHECK(adtr::k_centers<float>(points, {0}, 2, in_turn).size() == 2);
  CHECK(adtr::k_centers<float>({x.data(), 1, 4}, {0}, 10, in_turn) == std::vector<Index>{0});
}

TEST_CASE("A bank has the principal axes of the weighted features, and its tokens lie at distance 0") {
  const std::vector<float> rows = random_rows(images * positions, channels, 5);
  const auto built = build(rows, small_options());
  const adtr::BankTensors<float>& bank = built.tensors;
  REQUIRE((bank.tokens_count == 40 && bank.axes_count == 16 && bank.channels == channels));
  // Divided by the weights, the axes are orthonormal.
  const Eigen::VectorXd weights = adtr::detail::bank_weights<Net::Backbone>();
  Eigen::MatrixXd axes(bank.axes_count, channels);
  for (Index d = 0; d < bank.axes_count; ++d)
    for (Index c = 0; c < channels; ++c) axes(d, c) = double{bank.axes_view().row(d)[c]} / weights(c);
  CHECK((axes * axes.transpose() - Eigen::MatrixXd::Identity(16, 16)).cwiseAbs().maxCoeff() < 1e-5);

  const auto context = support::context<adtr::Cpu>(1);
  const adtr::MemoryBank<adtr::Cpu> on_cpu(context, bank);
  std::vector<float> projections(rows.size() / static_cast<std::size_t>(channels) * 16),
      d(static_cast<std::size_t>(images * positions));
  on_cpu.distances(context, {rows.data(), images * positions, channels}, {projections.data(), images * positions, 16},
                   d.data());
  CHECK(std::count(d.begin(), d.end(), 0.0F) == 40);
  CHECK(*std::max_element(d.begin(), d.end()) > 0.1F);
  for (const Index image : built.images) CHECK((image >= 0 && image < images));
}

TEST_CASE("A bank has the same bits for any number of threads, and others for another seed") {
  const std::vector<float> rows = random_rows(images * positions, channels, 6);
  const auto one = build(rows, small_options()), four = build(rows, small_options(), 4);
  CHECK(one.tensors.axes == four.tensors.axes);
  CHECK(one.tensors.tokens == four.tensors.tokens);
  CHECK(one.images == four.images);
  adtr::BankOptions other = small_options();
  other.seed = 4;
  CHECK(build(rows, other).tensors.tokens != one.tensors.tokens);
}

TEST_CASE("A bank of Cpu and of the reference are equal up to rounding") {
  const std::vector<float> rows = random_rows(images * positions, channels, 7);
  const auto cpu = build(rows, small_options());
  const auto exact = build(std::vector<double>(rows.begin(), rows.end()), small_options());
  REQUIRE(cpu.images == exact.images);
  for (std::size_t i = 0; i < cpu.tensors.tokens.size(); ++i)
    REQUIRE(double{cpu.tensors.tokens[i]} == Approx(exact.tensors.tokens[i]).margin(1e-4));
}

TEST_CASE("An earlier bank keeps its axes, and its tokens are candidates") {
  const std::vector<float> before = random_rows(images * positions, channels, 8);
  const std::vector<float> after = random_rows(images * positions, channels, 9);
  const auto first = build(before, small_options(64));
  const auto second = build(after, small_options(64), 1, first.tensors);
  CHECK(second.tensors.axes == first.tensors.axes);
  const auto old_tokens = std::count(second.images.begin(), second.images.end(), Index{-1});
  CHECK((old_tokens > 5 && old_tokens < 60));
}

TEST_CASE("A bank of more candidates than the limit draws them, and can leave images out") {
  const std::vector<float> rows = random_rows(images * positions, channels, 10);
  adtr::BankOptions options = small_options(1000);
  options.max_candidates = 50;
  const auto drawn = build(rows, options);
  CHECK(drawn.tensors.tokens_count == 50);
  const auto others = adtr::without_images(drawn, [](Index image) { return image == 2; });
  const auto of_two = std::count(drawn.images.begin(), drawn.images.end(), Index{2});
  CHECK(of_two > 0);
  CHECK(others.tokens_count == 50 - of_two);
  CHECK(others.tokens.size() == static_cast<std::size_t>(others.tokens_count * 16));
  CHECK(adtr::without_images(drawn, [](Index) { return true; }).empty());
}
