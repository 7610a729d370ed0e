// first: no matching function for call to .*train_model
// expect: .Backend
// expect: is_a_backend_such_as_adtr_Cpu
// most: 25
#include "adtr/train/train_model.hpp"

#ifdef ADTR_COMPILE_FAIL_CONTROL
using Where = adtr::Cpu;
#else
using Where = float;
#endif

adtr::TrainingResult train(const adtr::TrainingRequest& request) { return adtr::train_model<Where>(request); }
