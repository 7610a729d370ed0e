/// Catch2 2 and 3 behind one include: the two differ in header names and in the namespace of Approx.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>  // brings Approx into the global namespace itself
#endif
