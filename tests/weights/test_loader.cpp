// Parameters that are filled from a file, and parameters that point into it.
#include "adtr/weights/loader.hpp"

#include <cstring>
#include <limits>

#include "adtr/weights/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

using adtr::Folded;
using adtr::Shape;

/// A pointwise convolution, a depthwise one and a vector.
struct Layer {
  template <class T>
  struct Parameters {
    T *pointwise = nullptr, *pointwise_bias = nullptr, *depthwise = nullptr, *depthwise_bias = nullptr,
      *scale = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit(Folded{"pw", "bn1"}, self.pointwise, self.pointwise_bias, Shape{3, 2, 1, 1});
      visit(Folded{"dw", "bn2", true}, self.depthwise, self.depthwise_bias, Shape{2, 1, 1, 2});
      visit("scale", self.scale, Shape{4});
    }
  };
};
constexpr auto count = static_cast<std::size_t>(adtr::parameter_count<Layer>);

struct Material {
  TemporaryFolder folder;
  std::string path = folder.file("weights");
  std::vector<float> memory = std::vector<float>(count);
  Layer::Parameters<float> parameters = adtr::bind_parameters<Layer>(memory.data());

  Material() {
    for (std::size_t i = 0; i < count; ++i) memory[i] = static_cast<float>(i) - 5.5F;
  }
  void write() {
    adtr::ParameterWriter<float> writer;
    adtr::walk_parameters(parameters, "", writer);
    adtr::write_safetensors(path, writer.tensors());
  }
  /// Moves the tensors to odd addresses: one space more in the header.
  void misalign() const {
    std::string file = read_whole(path);
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof(length));
    ++length;
    std::memcpy(file.data(), &length, sizeof(length));
    file.insert(sizeof(length) + static_cast<std::size_t>(length) - 1, " ");
    write_whole(path, file);
  }
};

template <class T>
bool inside(const adtr::SafetensorsFile& file, const T* p) {
  for (const auto& t : file.tensors())
    if (static_cast<const void*>(p) == t.bytes.data()) return true;
  return false;
}

/// Whether every parameter equals that in `memory`.
template <class T>
void check_values(const Layer::Parameters<T>& p, const std::vector<float>& memory) {
  const std::vector<std::pair<const T*, std::size_t>> parts{
      {p.pointwise, 6}, {p.pointwise_bias, 3}, {p.depthwise, 4}, {p.depthwise_bias, 2}, {p.scale, 4}};
  std::size_t i = 0;
  for (const auto& [values, size] : parts)
    for (std::size_t k = 0; k < size; ++k) CHECK(values[k] == static_cast<T>(memory[i++]));
}

std::string message(const auto& action) {
  try {
    action();
  } catch (const adtr::Error& e) {
    return e.what();
  }
  return "";
}

constexpr auto nothing = [](const std::string&) { return false; };

}  // namespace

TEST_CASE("unbound parameters point into the file where order, type and address allow it") {
  Material m;
  m.write();
  const bool aligned = GENERATE(true, false);
  if (!aligned) m.misalign();
  const auto file = adtr::SafetensorsFile::open(m.path);
  adtr::ParameterLoader<float> loader(file, 0.0);
  Layer::Parameters<float> p;
  adtr::walk_parameters(p, "", loader);
  loader.finish(nothing);
  CHECK(inside(file, p.pointwise) == aligned);
  CHECK(inside(file, p.scale) == aligned);
  CHECK(inside(file, p.depthwise_bias) == aligned);
  CHECK_FALSE(inside(file, p.depthwise));
  check_values(p, m.memory);

  // Released pages come back with the same values.
  const adtr::PartListener parts = loader.parts();
  parts.next(p);
  parts.next(p);
  check_values(p, m.memory);
  CHECK_NOTHROW(loader.finish_values());

  adtr::ParameterLoader<double> wider(file, 0.0);
  Layer::Parameters<double> d;
  adtr::walk_parameters(d, "", wider);
  CHECK_FALSE(inside(file, d.scale));
  check_values(d, m.memory);
}

TEST_CASE("bound parameters are filled") {
  Material m;
  m.write();
  const auto file = adtr::SafetensorsFile::open(m.path);
  adtr::ParameterLoader<float> loader(file, 0.0);
  std::vector<float> memory(count);
  auto p = adtr::bind_parameters<Layer>(memory.data());
  adtr::walk_parameters(p, "", loader);
  loader.finish(nothing);
  CHECK(p.scale == memory.data() + count - 4);
  CHECK(memory == m.memory);
}

TEST_CASE("values in the file that are not finite are found, with and without a listener") {
  Material m;
  m.parameters.pointwise[5] = std::numeric_limits<float>::infinity();
  m.parameters.scale[0] = std::numeric_limits<float>::quiet_NaN();
  m.write();
  const bool listened = GENERATE(true, false);
  const auto file = adtr::SafetensorsFile::open(m.path);
  adtr::ParameterLoader<float> loader(file, 0.0);
  Layer::Parameters<float> p;
  adtr::walk_parameters(p, "", loader);
  CHECK_NOTHROW(loader.finish(nothing));
  if (listened) loader.parts().next(p);
  CHECK(message([&] { loader.finish_values(); }) ==
        m.path +
            ": tensors do not fit the network: 2 with values that are not finite numbers: \"pw.weight\", \"scale\"");
}

TEST_CASE("other problems of a file are listed with them") {
  Material m;
  m.parameters.scale[3] = std::numeric_limits<float>::quiet_NaN();
  m.write();
  const auto file = adtr::SafetensorsFile::open(m.path);
  adtr::ParameterLoader<float> loader(file, 0.0);
  Layer::Parameters<float> p;
  adtr::walk_parameters(p, "", loader);
  float* more = nullptr;
  loader.tensor("more", more, Shape{1});
  float* wide = nullptr;
  loader.tensor("pw.bias", wide, Shape{4});
  CHECK(message([&] { loader.finish(nothing); }) ==
        m.path +
            ": tensors do not fit the network: 1 missing: \"more\"; 1 of the wrong shape: \"pw.bias\" is [3], "
            "expected [4]; 1 with values that are not finite numbers: \"scale\"");
}

TEST_CASE("all_finite distinguishes the largest numbers from infinity, at every position") {
  using Limits = std::numeric_limits<float>;
  std::vector<float> values(37, Limits::max());
  CHECK(adtr::all_finite(std::span<const float>(values)));
  values.assign(37, -Limits::max());
  values[0] = Limits::denorm_min();
  CHECK(adtr::all_finite(std::span<const float>(values)));
  for (std::size_t i = 0; i < values.size(); ++i)
    for (const float bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()}) {
      std::vector<float> one = values;
      one[i] = bad;
      CHECK_FALSE(adtr::all_finite(std::span<const float>(one)));
    }
  const std::vector<double> wide{std::numeric_limits<double>::max(), -1e300, 0.0};
  CHECK(adtr::all_finite(std::span<const double>(wide)));
  CHECK_FALSE(adtr::all_finite(std::span<const double>(std::vector<double>{0.0, -HUGE_VAL})));
}
