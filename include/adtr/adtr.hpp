/// Includes all of adtr but the Eigen and CUDA backends (adtr/backend/eigen.hpp, adtr/backend/cuda.hpp). Each header
/// below also stands alone: a program that only detects needs adtr/detector.hpp alone.
#pragma once

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/data/folder.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/mat_view.hpp"
#include "adtr/detector.hpp"
#include "adtr/evaluate.hpp"
#include "adtr/metrics/passed.hpp"
#include "adtr/metrics/pixel_figures.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"
#include "adtr/metrics/threshold.hpp"
#include "adtr/models/model.hpp"
#include "adtr/report/heat_map.hpp"
#include "adtr/report/html.hpp"
#include "adtr/train/train_model.hpp"
