// What a stream is busy with beside kernels, which are done at once: an operation between several GPUs, which nccl.cpp does
// in a thread of its own.

#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

struct Operation {
  std::atomic<bool> isDone{false};
  void wait() const {
    while (!isDone) usleep(50);
  }
};
// The last of each stream.
inline thread_local std::map<std::uintptr_t, std::shared_ptr<Operation>> streamOperations;
// The GPU whose context is current.
inline thread_local int currentDevice = 0;

inline void waitForStream(std::uintptr_t stream) {
  if (auto operation = streamOperations[stream]) operation->wait();
}
