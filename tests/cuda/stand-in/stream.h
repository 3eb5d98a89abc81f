// What a thread's GPU is busy with beside kernels: an operation between several GPUs, which nccl.cpp does in a thread
// of its own. What is started later on the stream waits for it.

#pragma once

#include <unistd.h>

#include <atomic>
#include <memory>

struct Operation { std::atomic<bool> isDone{false}; };
inline thread_local std::shared_ptr<Operation> pendingOperation;
// The GPU whose context is current.
inline thread_local int currentDevice = 0;

inline bool isOperating() { return pendingOperation && !pendingOperation->isDone; }
inline void waitForOperation() {
  while (isOperating()) usleep(50);
}
