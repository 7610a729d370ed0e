/// adtr compiled: load a model, detect, train and evaluate by linking the target adtr::runtime.
///
/// This header costs its user well under a second, because it includes neither xtensor nor Eigen nor any template of
/// layers, models or backends. The library computes on the Cpu backend, with the networks in
/// cmake/runtime/networks.hpp. Its scores and models have the same bits as those of adtr::Detector and
/// adtr::train_model, and its Errors the same sentences and codes.
///
///     auto detector = adtr::runtime::Detector::load("screw.adtr");
///     adtr::runtime::Detection d = detector.detect_file("part.png");
///     if (d.verdict != adtr::Verdict::good) reject(part);  // `undecided`, too: the model has no threshold
///
/// No exception crosses the border of the library, and no symbol of it depends on the flags -m of its user: a program
/// that is compiled with -march=native links the same library.
#pragma once

#include "adtr/runtime/detector.hpp"
#include "adtr/runtime/evaluation.hpp"
#include "adtr/runtime/training.hpp"
