/// Loads two plugins with all their symbols public, which is the worst case, and checks what they compute.
/// Usage: host LIBRARY FUNCTION LIBRARY FUNCTION
#include <dlfcn.h>

#include <cstdio>

static double run(const char* library, const char* function) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    std::printf("%s\n", dlerror());
    return -1.0;
  }
  return reinterpret_cast<double (*)()>(dlsym(handle, function))();
}

int main(int, char** arguments) {
  const double first = run(arguments[1], arguments[2]), second = run(arguments[3], arguments[4]);
  std::printf("sum of 1 to 1000: %g and %g\n", first, second);
  return first == 500500.0 && second == 500500.0 ? 0 : 1;
}
