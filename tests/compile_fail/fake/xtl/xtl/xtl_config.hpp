#pragma once
#define XTL_VERSION_MAJOR 0
#define XTL_VERSION_MINOR 8
#define XTL_VERSION_PATCH 0
