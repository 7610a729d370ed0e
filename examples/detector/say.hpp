/// What a command says beside its results.
#pragma once

#include <string>

namespace program {

/// One sentence on stderr, as `adtr: sentence`, on one line and in UTF-8 whatever names are in it.
void say(const std::string& sentence);

}  // namespace program
