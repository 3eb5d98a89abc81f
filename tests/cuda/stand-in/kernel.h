// What makes a kernel of CUDA C a C++ function: included before its source. The threads of a block are run one after
// the other; one that reaches a barrier waits in a stack of its own for the others (libraries.cpp).

#include "shared.h"

#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
// Blocks run one after the other, so one copy serves them all.
#define __shared__ static

extern "C" StandIn standIn;
StandIn standIn;
#define threadIdx standIn.threadIdx
#define blockIdx standIn.blockIdx
#define blockDim standIn.blockDim
#define gridDim standIn.gridDim
#define __syncthreads standIn.barrier

struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };

static inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
static inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
static inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
static inline float __int_as_float(int bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

#ifdef __SANITIZE_THREAD__
// The compiler was asked to tell a runtime for threads of each access to memory, and one for undefined behaviour of
// each overflow. These are both runtimes.
#define STAND_IN_UNSEEN __attribute__((no_sanitize("thread", "undefined")))
static STAND_IN_UNSEEN inline void standInAccess(void *at, std::size_t bytes, bool isWrite) {
  // Arguments are copied while no kernel runs.
  if (standIn.access) standIn.access(reinterpret_cast<std::uintptr_t>(at), bytes, isWrite);
}
#define STAND_IN_ACCESS(BYTES) \
  extern "C" STAND_IN_UNSEEN void __tsan_read##BYTES(void *at) { standInAccess(at, BYTES, false); } \
  extern "C" STAND_IN_UNSEEN void __tsan_write##BYTES(void *at) { standInAccess(at, BYTES, true); }
STAND_IN_ACCESS(1)
STAND_IN_ACCESS(2)
STAND_IN_ACCESS(4)
STAND_IN_ACCESS(8)
STAND_IN_ACCESS(16)
extern "C" STAND_IN_UNSEEN void __tsan_read_range(void *at, std::size_t bytes) { standInAccess(at, bytes, false); }
extern "C" STAND_IN_UNSEEN void __tsan_write_range(void *at, std::size_t bytes) { standInAccess(at, bytes, true); }
extern "C" STAND_IN_UNSEEN void __tsan_func_entry(void *) {}
extern "C" STAND_IN_UNSEEN void __tsan_func_exit() {}
extern "C" STAND_IN_UNSEEN void __tsan_init() {}
extern "C" STAND_IN_UNSEEN void __tsan_vptr_update(void *, void *) {}
#define STAND_IN_UNDEFINED(NAME, WHAT) \
  extern "C" STAND_IN_UNSEEN void __ubsan_handle_##NAME##_abort(void *) { standIn.undefined(WHAT); }
STAND_IN_UNDEFINED(add_overflow, "a sum leaves int")
STAND_IN_UNDEFINED(sub_overflow, "a difference leaves int")
STAND_IN_UNDEFINED(mul_overflow, "a product leaves int")
STAND_IN_UNDEFINED(negate_overflow, "a negation leaves int")
STAND_IN_UNDEFINED(divrem_overflow, "a division by zero, or of the smallest int by -1")
STAND_IN_UNDEFINED(shift_out_of_bounds, "a shift by more bits than there are")
STAND_IN_UNDEFINED(out_of_bounds, "an index is outside of its array")
// Of the type that the source names: the access that the other runtime is told of may be one of several that g++ made of it.
STAND_IN_UNDEFINED(type_mismatch_v1, "an address is not aligned for its type")
#else
#define STAND_IN_UNSEEN
#endif

// What each thread shows the others of its warp.
static unsigned long long standInLanes[1024];
template <class T> STAND_IN_UNSEEN T __shfl_xor_sync(unsigned, T value, int lanes) {
  unsigned other = threadIdx.x ^ lanes;
  std::memcpy(&standInLanes[threadIdx.x], &value, sizeof(T));
  standIn.warpBarrier();
  std::memcpy(&value, &standInLanes[other], sizeof(T));
  standIn.warpBarrier();
  return value;
}

// A kernel with copies of its arguments.
template <class Kernel, class Arguments, class Indices> struct StandInBound;
template <class... Arguments, std::size_t... index>
struct StandInBound<void (*)(Arguments...), std::tuple<Arguments...>, std::index_sequence<index...>> final : StandInCall {
  void (*kernel)(Arguments...);
  std::tuple<Arguments...> copies;
  StandInBound(void (*kernel)(Arguments...), void **arguments)
      : kernel(kernel), copies(*static_cast<Arguments *>(arguments[index])...) {}
  STAND_IN_UNSEEN void run() const override { kernel(std::get<index>(copies)...); }
};
template <class... Arguments> StandInCall *standInBind(void (*kernel)(Arguments...), void **arguments) {
  using Indices = std::index_sequence_for<Arguments...>;
  return new StandInBound<void (*)(Arguments...), std::tuple<Arguments...>, Indices>(kernel, arguments);
}
