// The two initialisations, and the storage of features.
#include "train/small.hpp"

namespace {

template <class Visit>
struct Leaf {
  Visit visit;
  template <class T>
  void tensor(const std::string& name, T* data, const adtr::Shape& shape) {
    visit(name, data, shape);
  }
};
template <class Visit>
Leaf(Visit) -> Leaf<Visit>;

}  // namespace

TEST_CASE("The usual start: Xavier's bounds, zero biases, unit norms, N(0, 1) embeddings") {
  using Net = adtr::Reconstruction<64, 40>;
  std::vector<float> memory(static_cast<std::size_t>(adtr::parameter_count<Net>));
  auto p = adtr::bind_parameters<Net>(memory.data());
  adtr::initialise<Net, float>(p, 3);
  adtr::walk_parameters(p, "", Leaf{[](const std::string& name, const auto* data, const adtr::Shape& shape) {
                          INFO(name);
                          const auto n = static_cast<double>(shape.size());
                          double sum = 0.0, squares = 0.0, largest = 0.0;
                          for (adtr::Index i = 0; i < shape.size(); ++i) {
                            const auto v = static_cast<double>(data[i]);
                            sum += v;
                            squares += v * v;
                            largest = std::max(largest, std::abs(v));
                          }
                          if (shape.rank == 1) {
                            const bool one = name.find("norm") != name.npos && name.ends_with("weight");
                            CHECK((largest == (one ? 1.0 : 0.0) && sum == (one ? n : 0.0)));
                          } else if (name.ends_with("_embed")) {
                            CHECK(std::abs(sum / n) < 0.05);
                            CHECK(squares / n == Approx(1.0).epsilon(0.05));
                          } else {
                            const double limit = std::sqrt(6.0 / static_cast<double>(shape.sizes[0] + shape.sizes[1]));
                            CHECK(largest <= limit);
                            CHECK(squares / n == Approx(limit * limit / 3).epsilon(0.05));
                          }
                        }});
}

TEST_CASE("The identity start projects onto principal axes and back, through orthogonal attention") {
  using Net = small::Net;
  adtr::FeatureCache<double> cache(small::images, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  std::vector<double> memory(static_cast<std::size_t>(adtr::parameter_count<Net>));
  auto p = adtr::bind_parameters<Net>(memory.data());
  const auto axes = adtr::PrincipalAxes::of<double>(cache.rows(), Net::C);
  adtr::initialise_identity<Net, double>(p, 3, axes);

  using Map = Eigen::Map<adtr::detail::RowMajor<double>>;
  const Map in(p.input_proj.weight, Net::C, small::channels), out(p.output_proj.weight, small::channels, Net::C);
  // Input then output projection: the orthogonal projection V·Vᵀ onto 16 of 24 directions.
  const Eigen::MatrixXd both = out * in;
  CHECK((both - both.transpose()).norm() < 1e-10);
  CHECK((both * both - both).norm() < 1e-10);
  CHECK(both.trace() == Approx(16.0));
  // It keeps most of the variance, which is the sum of the covariance's largest eigenvalues.
  const Map rows(cache.rows().data, cache.rows().rows, small::channels);
  const Eigen::MatrixXd centred = rows.rowwise() - axes.mean.transpose();
  const double kept = (centred * both).squaredNorm() / centred.squaredNorm();
  CHECK(kept > 0.9);
  CHECK((centred * both).squaredNorm() / static_cast<double>(rows.rows()) == Approx(16.0 * axes.mean_variance));

  const auto& attention = p.decoder.layers[1].multihead_attn;
  const Map q(attention.projection(0).weight, Net::C, Net::C), k(attention.projection(1).weight, Net::C, Net::C),
      v(attention.projection(2).weight, Net::C, Net::C), o(attention.out_proj.weight, Net::C, Net::C);
  CHECK(q == k);
  CHECK((q * q.transpose() - Eigen::MatrixXd::Identity(Net::C, Net::C)).norm() < 1e-10);
  CHECK((o * v - Eigen::MatrixXd::Identity(Net::C, Net::C)).norm() < 1e-10);
  CHECK((q - v).norm() > 1.0);
  CHECK(*std::max_element(p.query_embed, p.query_embed + small::tokens * Net::C) == 0.0);
}

TEST_CASE("Features in a file equal those in memory") {
  adtr::FeatureCache<float> memory(3, small::tokens, small::channels, 1 << 20);
  adtr::FeatureCache<float> file(3, small::tokens, small::channels, 16);
  CHECK_FALSE(memory.in_file());
  CHECK(file.in_file());
  small::fill(memory);
  small::fill(file);
  const auto n = memory.rows().rows * small::channels;
  CHECK(std::equal(memory.rows().data, memory.rows().data + n, file.rows().data));
  CHECK(file.image(2).row(1) == file.rows().data + (2 * small::tokens + 1) * small::channels);
  REQUIRE_THROWS_WITH(adtr::FeatureCache<float>(3, small::tokens, small::channels, 16, "/nowhere"),
                      ContainsSubstring("/nowhere"));
}

TEST_CASE("Channel statistics are mean and deviation; a constant channel is left alone") {
  std::vector<double> rows{1, 5, 2, 5, 6, 5};
  std::vector<double> mean(2), std(2);
  adtr::channel_statistics<double>({rows.data(), 3, 2}, mean.data(), std.data());
  CHECK(mean == std::vector<double>{3, 5});
  CHECK(std[0] == Approx(std::sqrt(14.0 / 3)));
  CHECK(std[1] == 1.0);
}
