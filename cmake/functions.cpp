// The functions that are compiled once for all units that link adtr::kernels; see adtr/core/compiled.hpp.
#ifndef ADTR_EXTERN_KERNELS
#define ADTR_EXTERN_KERNELS
#endif

#include "adtr/data/image_file.inl.hpp"
#include "adtr/io/mapped_file.inl.hpp"
#include "adtr/io/path_status.inl.hpp"
#include "adtr/models/catalogue.inl.hpp"
#include "adtr/models/description.inl.hpp"
#include "adtr/models/load_backbone.inl.hpp"
#include "adtr/parallel/processors.inl.hpp"
#include "adtr/parallel/thread_pool.inl.hpp"
#include "adtr/report/markup.inl.hpp"
#include "adtr/weights/borrowed.inl.hpp"
#include "adtr/weights/loader.inl.hpp"
#include "adtr/weights/names.inl.hpp"
#include "adtr/weights/prefixes.inl.hpp"
#include "adtr/weights/recognise.inl.hpp"
#include "adtr/weights/safetensors.inl.hpp"
#include "adtr/weights/safetensors_header.inl.hpp"
#include "adtr/weights/safetensors_writer.inl.hpp"

template class adtr::BorrowedTensors<float>;
template class adtr::BorrowedTensors<double>;
template class adtr::ParameterLoader<float>;
template class adtr::ParameterLoader<double>;
