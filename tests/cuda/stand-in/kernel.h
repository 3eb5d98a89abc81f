// What makes a kernel of CUDA C a C++ function: included before its source. The threads of a block are run one after
// the other; one that reaches a barrier waits in a stack of its own for the others (libraries.cpp).

#include <cmath>
#include <cstring>
#include <functional>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
// Blocks run one after the other, so one copy serves them all.
#define __shared__ static
#define __syncthreads standInBarrier

struct StandInIndex { unsigned x, y, z; };
// Set by whoever runs the kernel.
static StandInIndex threadIdx, blockIdx, blockDim, gridDim;
static void (*standInBarrier)();

static inline float __int_as_float(int bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// A kernel with copies of its arguments, which are given by address, as the driver takes them.
template <class... Arguments, std::size_t... index>
void *standInBind(void (*kernel)(Arguments...), void **arguments, std::index_sequence<index...>) {
  std::tuple<Arguments...> copies(*static_cast<Arguments *>(arguments[index])...);
  return new std::function<void()>([=] { std::apply(kernel, copies); });
}
template <class... Arguments> void *standInBind(void (*kernel)(Arguments...), void **arguments) {
  return standInBind(kernel, arguments, std::index_sequence_for<Arguments...>());
}

// What the library sets before each thread.
extern "C" void standInSet(const unsigned place[12], void (*barrier)()) {
  threadIdx = {place[0], place[1], place[2]};
  blockIdx = {place[3], place[4], place[5]};
  blockDim = {place[6], place[7], place[8]};
  gridDim = {place[9], place[10], place[11]};
  standInBarrier = barrier;
}
