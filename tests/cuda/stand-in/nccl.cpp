// Stands in for NCCL: ranks are threads of any processes of this machine that meet in shared memory, and really add up.
// As with NCCL, calls only start what is done later, and a rank that does not come is waited for without end.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>

#include "stream.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {
constexpr int success = 0, systemError = 2, invalidArgument = 4, invalidUsage = 5, inProgress = 7;
constexpr int float32 = 7, sum = 0, maximum = 2, minimum = 3, mean = 4;
constexpr int mostRanks = 16;
constexpr std::size_t pieceLength = 1 << 14;

struct UniqueId { char name[128]; };
struct Config { std::size_t size; unsigned magic, version; int blocking; };

// Lies in memory that all ranks see; zeros at first.
struct Meeting {
  std::atomic<unsigned> arrived, generation;
  int devices[mostRanks];
  float pieces[mostRanks][pieceLength];
};

struct Communicator {
  Meeting *meeting = nullptr;
  int rank, size;
  std::atomic<int> state{inProgress};
  std::atomic<bool> isAborted{false}, isLaunching{false};
  std::thread worker;

  // Waits for all ranks. False once this one has given up.
  bool meet() {
    unsigned generation = meeting->generation;
    if (meeting->arrived.fetch_add(1) + 1 == unsigned(size)) {
      meeting->arrived = 0;
      meeting->generation++;
      return true;
    }
    while (meeting->generation == generation) {
      if (isAborted) return false;
      usleep(50);
    }
    return true;
  }
};

std::atomic<int> operations{0};

float combine(int op, float a, float b) {
  return op == maximum ? std::max(a, b) : op == minimum ? std::min(a, b) : a + b;
}

}  // namespace

API int ncclGetVersion(int *version) { return *version = 23007, success; }
API int ncclGetUniqueId(UniqueId *id) {
  static std::atomic<int> count{0};
  std::memset(id, 0, sizeof *id);
  snprintf(id->name, sizeof id->name, "/dcml-stand-in-%d-%d", getpid(), count++);
  return success;
}
API int ncclCommInitRankConfig(Communicator **out, int size, UniqueId id, int rank, Config *config) {
  bool isKnown = config && config->size >= sizeof(Config) && config->magic == 0xcafebeef && config->blocking == 0;
  if (!isKnown || size > mostRanks || rank < 0 || rank >= size) return invalidArgument;
  int device = currentDevice;
  auto comm = *out = new Communicator();
  comm->rank = rank;
  comm->size = size;
  comm->worker = std::thread([=] {
    int file = shm_open(id.name, O_CREAT | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, sizeof(Meeting)) != 0) {
      comm->state = systemError;
      return;
    }
    comm->meeting = static_cast<Meeting *>(mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    close(file);
    comm->meeting->devices[rank] = device;
    if (!comm->meet()) return;
    if (rank == 0) shm_unlink(id.name);
    bool isTwice = false;
    for (int peer = 0; peer < size; peer++) isTwice |= peer != rank && comm->meeting->devices[peer] == device;
    comm->state = isTwice ? invalidUsage : success;
    // As NCCL does.
    __atomic_store_n(out, comm, __ATOMIC_RELEASE);
  });
  return inProgress;
}
API int ncclCommGetAsyncError(Communicator *comm, int *state) {
  *state = comm->state == success && comm->isLaunching.exchange(false) ? inProgress : int(comm->state);
  return success;
}
API int ncclCommAbort(Communicator *comm) {
  comm->isAborted = true;
  if (comm->worker.joinable()) comm->worker.join();
  if (comm->meeting) munmap(comm->meeting, sizeof(Meeting));
  delete comm;
  return success;
}
API int ncclAllReduce(const float *from, float *to, std::size_t count, int type, int op, Communicator *comm,
                      std::uintptr_t stream) {
  if (type != float32 || (op != sum && op != maximum && op != minimum && op != mean)) return invalidArgument;
  if (comm->state != success) return invalidUsage;
  if (comm->worker.joinable()) comm->worker.join();
  auto operation = streamOperations[stream] = std::make_shared<Operation>();
  comm->isLaunching = true;
  comm->worker = std::thread([=] {
    auto &pieces = comm->meeting->pieces;
    for (std::size_t start = 0; start < count; start += pieceLength) {
      std::size_t length = std::min(pieceLength, count - start);
      std::memcpy(pieces[comm->rank], from + start, length * 4);
      if (!comm->meet()) break;
      for (std::size_t i = 0; i < length; i++) {
        float value = pieces[0][i];
        for (int rank = 1; rank < comm->size; rank++) value = combine(op, value, pieces[rank][i]);
        to[start + i] = op == mean ? value / comm->size : value;
      }
      if (!comm->meet()) break;
    }
    operations++;
    operation->isDone = true;
  });
  return inProgress;
}
API const char *ncclGetErrorString(int code) {
  return code == invalidUsage ? "invalid usage" : code == inProgress ? "in progress" : "an error of the stand-in";
}
API const char *ncclGetLastError(Communicator *) { return "the stand-in has no more to say"; }
// For tests: how many operations this process has done.
API int standInOperations() { return operations; }
