// What the stand-in's library and the kernels that it compiles both know.

#pragma once
#include <cstddef>
#include <cstdint>

struct StandInIndex { unsigned x, y, z; };

// What a kernel finds around it. Each module of kernels has one, in its `standIn`; the library sets it.
struct StandIn {
  StandInIndex threadIdx, blockIdx, blockDim, gridDim;
  void (*barrier)();
  // As barrier, for the threads of a warp.
  void (*warpBarrier)();
  // Where accesses are looked at (sanitizer.h): told of each before it happens, and of what C++ leaves undefined. Set
  // while a kernel runs.
  void (*access)(std::uintptr_t at, std::size_t bytes, bool isWrite);
  void (*undefined)(const char *what);
};

// A kernel with its arguments, to be run for each thread.
struct StandInCall {
  virtual void run() const = 0;
  virtual ~StandInCall() = default;
};
