// Stands in for NVIDIA's driver, NVRTC and cuBLAS where there is no GPU: for tests alone. Device memory is host memory,
// compiling is done by g++ with kernel.h, and kernels really run, so that both the host's logic and the arithmetic of
// every kernel are tested. What a GPU does beside the others' work at once, this does one after the other. Each thread
// has a GPU of its own, with its own memory and its own stream.

#include <dlfcn.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "sanitizer.h"
#include "shared.h"
#include "stream.h"

#define API extern "C" __attribute__((visibility("default"))) int

namespace {
constexpr int outOfMemory = 2, invalidValue = 1, notFound = 500, launchFailed = 719;
constexpr int captureUnsupported = 900, captureInvalidated = 901;

// Set by tests: how many bytes there are, and what the next launch fails with.
std::size_t capacity = std::size_t(1) << 36;
int failure = getenv("STAND_IN_FAILS") ? atoi(getenv("STAND_IN_FAILS")) : 0;

thread_local std::map<std::uintptr_t, Range> ranges;
thread_local std::size_t used = 0;
// What all threads together hold: ranges of memory, contexts, streams, handles, modules, graphs.
std::atomic<int> held{0};

bool isInside(std::uintptr_t pointer, std::size_t bytes) {
  sanitizer.ranges = &ranges;
  std::uintptr_t start;
  return sanitizer.find(pointer, bytes, start) != nullptr;
}

using Work = std::function<void()>;
using Bind = StandInCall *(*)(void **);
struct Module { void *library; StandIn *around; Segment segment; Range shared; };
struct Kernel { Bind bind; Module *module; };
// What an event was recorded after, beside kernels.
struct Event { std::shared_ptr<Operation> after; };
// Work that a stream was given, while it is captured.
using Graph = std::vector<Work>;
thread_local Graph *captured = nullptr;
// Something was asked for that a capture forbids.
thread_local bool isInvalidated = false;

// What the driver was asked for so far, by name: see standInCount.
thread_local std::map<std::string, double> counts;
void note(const char *what, double amount = 1) { counts[what] += amount; }

// Threads of a block: a fiber runs thread after thread, until one of them waits at a barrier. Then another takes over.
struct Fiber {
  ucontext_t start;
  jmp_buf place;
  std::vector<char> stack;
  unsigned thread;
};
thread_local jmp_buf scheduler;
thread_local Fiber *current;
thread_local std::vector<Fiber *> idle, waiting;
// Those of each warp that wait for the others of it.
constexpr unsigned warpSize = 32;
thread_local std::vector<std::vector<Fiber *>> warps;
thread_local unsigned nextThread, threadCount;
thread_local StandIn *around;
thread_local const StandInCall *body;

// In what order blocks, and threads between two barriers, run: a correct kernel gives the same results in each. 0 is
// forwards, -1 backwards, and any other number a seed.
thread_local int order = 0;
thread_local std::minstd_rand shuffling;
template <class Items> void arrange(Items &items) {
  if (order == -1) std::reverse(items.begin(), items.end());
  else if (order != 0) std::shuffle(items.begin(), items.end(), shuffling);
}
thread_local std::vector<unsigned> threads;

void setThread(unsigned thread);
// _setjmp and _longjmp, for swapcontext asks the kernel about signals at each change.
void resume(Fiber *fiber) {
  current = fiber;
  if (_setjmp(scheduler) == 0) _longjmp(fiber->place, 1);
}
void yield() {
  if (_setjmp(current->place) == 0) _longjmp(scheduler, 1);
}
void barrier() {
  unsigned thread = current->thread;
  waiting.push_back(current);
  yield();
  setThread(thread);
}
void warpBarrier() {
  unsigned thread = current->thread;
  warps[thread / warpSize].push_back(current);
  yield();
  setThread(thread);
}
void setThread(unsigned thread) {
  current->thread = sanitizer.thread = thread;
  around->threadIdx.x = thread;
  sanitizer.stack = reinterpret_cast<std::uintptr_t>(current->stack.data());
  sanitizer.stackEnd = sanitizer.stack + current->stack.size();
}
void runFiber() {
  for (;;) {
    while (nextThread < threadCount) {
      setThread(threads[nextThread++]);
      body->run();
    }
    idle.push_back(current);
    yield();
  }
}
thread_local ucontext_t creator;
Fiber *takeFiber() {
  if (!idle.empty()) {
    Fiber *fiber = idle.back();
    idle.pop_back();
    return fiber;
  }
  Fiber *fiber = new Fiber();
  fiber->stack.resize(64 * 1024);
  getcontext(&fiber->start);
  fiber->start.uc_stack = {fiber->stack.data(), 0, fiber->stack.size()};
  makecontext(&fiber->start, [] {
    if (_setjmp(current->place) == 0) swapcontext(&current->start, &creator);
    runFiber();
  }, 0);
  current = fiber;
  swapcontext(&creator, &fiber->start);
  return fiber;
}
// Resumes fibers until all of them wait at a barrier or are done.
void runToBarrier(const std::vector<Fiber *> &released) {
  for (Fiber *fiber : released) resume(fiber);
  while (nextThread < threadCount) resume(takeFiber());
  for (std::size_t i = 0; i < warps.size(); i++) {
    if (warps[i].size() < std::min<std::size_t>(warpSize, threadCount - i * warpSize)) continue;
    std::vector<Fiber *> warp;
    warp.swap(warps[i]);
    arrange(warp);
    for (Fiber *fiber : warp) resume(fiber);
    // It may have come to the next place where it waits.
    i--;
  }
  for (const auto &warp : warps)
    if (!warp.empty()) sanitizer.stop("Some threads of a warp wait for others that do not come");
  if (sanitizer.isOn && !waiting.empty() && waiting.size() < threadCount)
    sanitizer.stop(std::to_string(threadCount - waiting.size()) + " threads end, and others wait for them at a barrier");
}
void runBlock() {
  nextThread = 0;
  threads.resize(threadCount);
  std::iota(threads.begin(), threads.end(), 0);
  arrange(threads);
  runToBarrier({});
  while (!waiting.empty()) {
    std::vector<Fiber *> released;
    released.swap(waiting);
    arrange(released);
    sanitizer.passBarrier();
    runToBarrier(released);
  }
}
void runBlocks(unsigned count, unsigned size, const StandInCall *call, Module &module) {
  around = module.around;
  body = call;
  threadCount = size;
  around->blockDim = {size, 1, 1};
  around->gridDim = {count, 1, 1};
  around->barrier = barrier;
  around->warpBarrier = warpBarrier;
  warps.assign((size + warpSize - 1) / warpSize, {});
  around->access = [](std::uintptr_t at, std::size_t bytes, bool isWrite) { sanitizer.access(at, bytes, isWrite); };
  around->undefined = [](const char *what) { sanitizer.stop(what); };
  sanitizer.around = reinterpret_cast<std::uintptr_t>(around);
  sanitizer.sharedStart = module.segment.start;
  sanitizer.shared = &module.shared;
  sanitizer.startLaunch();
  std::vector<unsigned> blocks(count);
  std::iota(blocks.begin(), blocks.end(), 0);
  arrange(blocks);
  jmp_buf exit;
  sanitizer.exit = &exit;
  // Whatever waited when something was found wrong is given up.
  if (_setjmp(exit) == 0) {
    for (unsigned block : blocks) {
      around->blockIdx = {block, 0, 0};
      sanitizer.startBlock(block);
      runBlock();
    }
  } else {
    waiting.clear();
    warps.clear();
  }
  around->access = nullptr;
  sanitizer.exit = nullptr;
  sanitizer.shared = nullptr;
}

// Does what a stream was given now, or when the graph is launched.
// Set to measure the host: what is started is not computed.
bool isIdle = false;

int start(Work work) {
  if (!captured) note("launches");
  if (captured) captured->push_back(std::move(work));
  else if (!isIdle) work();
  return sanitizer.finding.empty() ? 0 : launchFailed;
}

struct Program { std::string source, image, log; };
std::string folderOfThis() {
  Dl_info info;
  dladdr(reinterpret_cast<void *>(&runBlock), &info);
  std::string file = info.dli_fname;
  return file.substr(0, file.rfind('/'));
}
std::string read(const std::string &file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}
// For each kernel of a source, a function that binds its arguments, given by address.
std::string entriesOf(const std::string &source) {
  std::string entries;
  std::regex pattern("extern \"C\" void (\\w+)\\(");
  for (std::sregex_iterator match(source.begin(), source.end(), pattern), end; match != end; ++match) {
    std::string name = (*match)[1];
    entries += "extern \"C\" void *bind_" + name + "(void **a) { return standInBind(" + name + ", a); }\n";
  }
  return entries;
}
}  // namespace

// The driver.
API cuInit(unsigned) { return getenv("STAND_IN_NO_DEVICE") ? 100 : 0; }
API cuDriverGetVersion(int *version) {
  const char *given = getenv("STAND_IN_DRIVER");
  *version = given ? atoi(given) : 13000;
  return 0;
}
API cuDeviceGetCount(int *count) {
  const char *given = getenv("STAND_IN_DEVICES");
  return *count = given ? atoi(given) : 1, 0;
}
API cuDeviceGet(int *device, int ordinal) { return *device = ordinal, 0; }
API cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "Stand-in"), 0; }
API cuDeviceGetAttribute(int *value, int attribute, int) {
  const char *given = getenv("STAND_IN_CAPABILITY");
  int capability = given ? atoi(given) : 90;
  *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 4;
  return 0;
}
API cuDeviceTotalMem_v2(std::size_t *bytes, int) { return *bytes = capacity, 0; }
API cuDeviceGetUuid(unsigned char *uuid, int device) { return std::memset(uuid, 1 + device, 16), 0; }
API cuDevicePrimaryCtxRetain(std::uintptr_t *context, int device) { return held++, *context = 1 + device, 0; }
API cuDevicePrimaryCtxRelease_v2(int) { return held--, 0; }
API cuCtxSetCurrent(std::uintptr_t context) { return currentDevice = int(context) - 1, 0; }
API cuMemAlloc_v2(std::uintptr_t *pointer, std::size_t bytes) {
  if (used + bytes > capacity) return outOfMemory;
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  // Not zeros: whoever reads what nobody wrote finds NaN.
  std::memset(memory, 0xff, bytes);
  *pointer = reinterpret_cast<std::uintptr_t>(memory);
  ranges.emplace(*pointer, Range(bytes));
  note("allocations");
  used += bytes;
  held++;
  return 0;
}
API cuMemFree_v2(std::uintptr_t pointer) {
  auto range = ranges.find(pointer);
  if (range == ranges.end()) return invalidValue;
  used -= range->second.bytes;
  held--;
  ranges.erase(range);
  free(reinterpret_cast<void *>(pointer));
  return 0;
}
API cuMemAllocManaged(std::uintptr_t *pointer, std::size_t bytes, unsigned flags) {
  note("managed allocations");
  int code = flags == 1 ? cuMemAlloc_v2(pointer, bytes) : invalidValue;
  if (code == 0) ranges.at(*pointer).isManaged = true;
  return code;
}
API cuMemAllocHost_v2(void **pointer, std::size_t bytes) { return held++, *pointer = malloc(bytes), 0; }
API cuMemFreeHost(void *pointer) { return held--, free(pointer), 0; }
API cuMemGetInfo_v2(std::size_t *left, std::size_t *total) { return *left = capacity - used, *total = capacity, 0; }
API cuMemcpyHtoDAsync_v2(std::uintptr_t to, const void *from, std::size_t bytes, std::uintptr_t stream) {
  if (captured || !isInside(to, bytes)) return invalidValue;
  waitForStream(stream);
  note("uploads");
  note("uploaded bytes", bytes);
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  sanitizer.upload(to, bytes);
  return 0;
}
API cuMemcpyDtoHAsync_v2(void *to, std::uintptr_t from, std::size_t bytes, std::uintptr_t stream) {
  if (captured || !isInside(from, bytes)) return invalidValue;
  waitForStream(stream);
  note("downloads");
  note("downloaded bytes", bytes);
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  sanitizer.download(from, bytes);
  return sanitizer.finding.empty() ? 0 : launchFailed;
}
API cuMemcpyDtoDAsync_v2(std::uintptr_t to, std::uintptr_t from, std::size_t bytes, std::uintptr_t stream) {
  if (captured || !isInside(from, bytes) || !isInside(to, bytes)) return invalidValue;
  waitForStream(stream);
  std::memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
  sanitizer.download(from, bytes);
  sanitizer.upload(to, bytes);
  return sanitizer.finding.empty() ? 0 : launchFailed;
}
API cuStreamCreate(std::uintptr_t *stream, unsigned) {
  static std::atomic<std::uintptr_t> last{1};
  return held++, *stream = ++last, 0;
}
API cuStreamDestroy_v2(std::uintptr_t) { return held--, 0; }
API cuStreamSynchronize(std::uintptr_t stream) {
  note("waits");
  if (!captured) return waitForStream(stream), failure;
  isInvalidated = true;
  return captureUnsupported;
}
API cuEventCreate(Event **event, unsigned) { return held++, *event = new Event(), 0; }
API cuEventDestroy_v2(Event *event) { return held--, delete event, 0; }
API cuEventRecord(Event *event, std::uintptr_t stream) { return event->after = streamOperations[stream], 0; }
API cuEventQuery(Event *event) {
  // Not ready at every other question.
  static thread_local bool isReady = true;
  isReady = !isReady && (!event->after || event->after->isDone);
  return isReady ? 0 : 600;
}
API cuEventSynchronize(Event *event) { return event->after ? event->after->wait() : void(), failure; }
API cuStreamWaitEvent(std::uintptr_t, Event *event, unsigned) { return event->after ? event->after->wait() : void(), 0; }
API cuGetErrorName(int code, const char **name) {
  *name = code == outOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : code == 100 ? "CUDA_ERROR_NO_DEVICE"
        : code == launchFailed ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OF_THE_STAND_IN";
  return 0;
}
API cuGetErrorString(int code, const char **text) {
  static std::string finding;
  finding = std::exchange(sanitizer.finding, "");
  *text = !finding.empty() ? finding.c_str() : code == 100 ? "no CUDA-capable device is detected" : "an error of the stand-in";
  return 0;
}
API cuModuleLoadData(Module **module, const unsigned char *image) {
  // An ELF file ends with its table of sections.
  std::uint64_t table;
  std::uint16_t size, count;
  std::memcpy(&table, image + 0x28, 8);
  std::memcpy(&size, image + 0x3a, 2);
  std::memcpy(&count, image + 0x3c, 2);
  int file = memfd_create("kernels", 0);
  std::size_t bytes = table + std::size_t(size) * count;
  if (write(file, image, bytes) != ssize_t(bytes)) return invalidValue;
  void *library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), invalidValue;
  link_map *map;
  dlinfo(library, RTLD_DI_LINKMAP, &map);
  Segment segment = writableSegment(map->l_addr);
  auto around = static_cast<StandIn *>(dlsym(library, "standIn"));
  held++;
  *module = new Module{library, around, segment, Range(segment.bytes, false, true)};
  return 0;
}
API cuModuleUnload(Module *module) { return held--, dlclose(module->library), delete module, 0; }
API cuModuleGetFunction(std::uintptr_t *function, Module *module, const char *name) {
  Bind bind = reinterpret_cast<Bind>(dlsym(module->library, (std::string("bind_") + name).c_str()));
  if (!bind) return notFound;
  *function = reinterpret_cast<std::uintptr_t>(new Kernel{bind, module});
  return 0;
}
API cuLaunchKernel(Kernel *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned, std::uintptr_t, void **parameters, void **) {
  if (gridX == 0 || gridY != 1 || gridZ != 1 || blockX == 0 || blockX > 1024 || blockY != 1 || blockZ != 1)
    return invalidValue;
  std::shared_ptr<StandInCall> call(function->bind(parameters));
  Module *module = function->module;
  return start([=] { runBlocks(gridX, blockX, call.get(), *module); });
}
API cuStreamBeginCapture_v2(std::uintptr_t, int mode) {
  if (captured || mode != 2) return invalidValue;
  captured = new Graph();
  return 0;
}
API cuStreamEndCapture(std::uintptr_t, Graph **graph) {
  *graph = isInvalidated ? nullptr : captured;
  if (isInvalidated) delete captured;
  bool wasInvalidated = std::exchange(isInvalidated, false);
  captured = nullptr;
  return *graph ? 0 : wasInvalidated ? captureInvalidated : invalidValue;
}
API cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, unsigned long long) {
  return held++, *executable = new Graph(*graph), 0;
}
API cuGraphLaunch(Graph *executable, std::uintptr_t) {
  note("graph launches");
  for (const Work &work : *executable) {
    if (isIdle) break;
    work();
    if (!sanitizer.finding.empty()) return launchFailed;
  }
  return 0;
}
API cuGraphExecDestroy(Graph *executable) { return held--, delete executable, 0; }
API cuGraphDestroy(Graph *graph) { return delete graph, 0; }
// For tests.
API standInCount(const char *what, double *count) {
  std::string name = what;
  *count = name == "bytes" ? used : name == "held" ? held.load() : counts[what];
  return 0;
}
API standInCapacity(std::size_t bytes) { return capacity = bytes ? bytes : std::size_t(1) << 36, 0; }
API standInIdle(int idle) { return isIdle = idle != 0, 0; }
API standInFail(int code) { return failure = code, 0; }
API standInOrder(int seed) {
  shuffling.seed(seed);
  return order = seed, 0;
}

// NVRTC.
API nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 0, 0; }
API nvrtcGetNumSupportedArchs(int *count) { return *count = 2, 0; }
API nvrtcGetSupportedArchs(int *architectures) { return architectures[0] = 75, architectures[1] = 90, 0; }
API nvrtcCreateProgram(Program **program, const char *source, const char *, int, void *, void *) {
  return *program = new Program{source, "", ""}, 0;
}
API nvrtcCompileProgram(Program *program, int, const char **) {
  char stem[] = "/tmp/dcml-stand-in-XXXXXX";
  close(mkstemp(stem));
  std::string header = folderOfThis() + "/kernel.h", base = stem;
  // Twice: the preprocessor finds out which kernels the macros of the source make.
  std::ofstream(base + ".cpp") << "#include \"" << header << "\"\n" << program->source;
  std::string command = "g++ -std=c++17 -w -P -E " + base + ".cpp -o " + base + ".i 2>" + base + ".log";
  int status = system(command.c_str());
  if (status == 0) {
    std::ofstream(base + ".cpp", std::ios::app) << "\n" << entriesOf(read(base + ".i"));
    std::string hooks = sanitizer.isOn ? "-fsanitize=thread,alignment,signed-integer-overflow,shift,bounds,integer-divide-by-zero "
                                         "-fno-sanitize-recover=all " : "";
    // Without unique symbols each thread's module has shared arrays of its own, in functions made from templates too.
    std::string compile = "g++ -std=c++17 -w -O1 -fno-strict-aliasing -fno-gnu-unique -fPIC -ffp-contract=off " + hooks;
    // In two steps: the linker would add the runtimes that kernel.h stands in for.
    command = compile + "-c " + base + ".cpp -o " + base + ".o 2>" + base + ".log && g++ -shared " + base + ".o -o " +
              base + ".so 2>>" + base + ".log";
    status = system(command.c_str());
  }
  program->log = read(base + ".log");
  program->image = read(base + ".so");
  for (const char *end : {"", ".cpp", ".i", ".log", ".o", ".so"}) unlink((base + end).c_str());
  return status == 0 ? 0 : 6;
}
API nvrtcGetProgramLogSize(Program *program, std::size_t *bytes) { return *bytes = program->log.size() + 1, 0; }
API nvrtcGetProgramLog(Program *program, char *text) { return strcpy(text, program->log.c_str()), 0; }
API nvrtcGetCUBINSize(Program *program, std::size_t *bytes) { return *bytes = program->image.size(), 0; }
API nvrtcGetCUBIN(Program *program, char *image) {
  return std::memcpy(image, program->image.data(), program->image.size()), 0;
}
API nvrtcGetPTXSize(Program *program, std::size_t *bytes) { return nvrtcGetCUBINSize(program, bytes); }
API nvrtcGetPTX(Program *program, char *image) { return nvrtcGetCUBIN(program, image); }
API nvrtcDestroyProgram(Program **program) { return delete *program, 0; }

// cuBLAS, column-major.
API cublasCreate_v2(std::uintptr_t *handle) { return held++, *handle = 4, 0; }
API cublasDestroy_v2(std::uintptr_t) { return held--, 0; }
API cublasGetVersion_v2(std::uintptr_t, int *version) { return *version = 130002, 0; }
API cublasSetStream_v2(std::uintptr_t, std::uintptr_t) { return 0; }
API cublasSetWorkspace_v2(std::uintptr_t, std::uintptr_t workspace, std::size_t bytes) {
  return isInside(workspace, bytes) ? 0 : 7;
}
namespace {
// What a product reads of an operand: bfloat16 (14), or float32 (0) with as many bits as the type of the computation takes.
float operandAt(const void *matrix, std::int64_t index, int type, int computeType) {
  std::uintptr_t at = reinterpret_cast<std::uintptr_t>(matrix) + index * (type == 14 ? 2 : 4);
  if (sanitizer.isOn) sanitizer.access(at, type == 14 ? 2 : 4, false);
  std::uint32_t bits;
  if (type == 14) bits = std::uint32_t(*reinterpret_cast<const std::uint16_t *>(at)) << 16;
  else {
    bits = *reinterpret_cast<const std::uint32_t *>(at);
    // TF32 has 13 bits less; ties to even.
    bool isNumber = (bits & 0x7f800000) != 0x7f800000;
    if (computeType == 77 && isNumber) bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
  }
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
struct Gemm {
  int transposeA, transposeB, m, n, k;
  float scale, kept;
  int typeA, rowStrideA, typeB, rowStrideB, typeC, rowStrideC, computeType;
  bool fits() const {
    return m > 0 && n > 0 && k > 0 && rowStrideA >= (transposeA ? k : m) && rowStrideB >= (transposeB ? n : k) &&
           rowStrideC >= m && typeA == typeB && (typeA == 0 || typeA == 14) && typeC == 0 &&
           (computeType == 68 || (computeType == 77 && typeA == 0));
  }
  void run(const void *a, const void *b, float *c) const {
    for (int column = 0; column < n; column++)
      for (int row = 0; row < m; row++) {
        double sum = 0;
        for (int x = 0; x < k; x++) {
          std::int64_t atA = transposeA ? x + std::int64_t(row) * rowStrideA : row + std::int64_t(x) * rowStrideA;
          std::int64_t atB = transposeB ? column + std::int64_t(x) * rowStrideB : x + std::int64_t(column) * rowStrideB;
          sum += double(operandAt(a, atA, typeA, computeType)) * operandAt(b, atB, typeB, computeType);
        }
        float &target = c[row + std::int64_t(column) * rowStrideC];
        std::uintptr_t at = reinterpret_cast<std::uintptr_t>(&target);
        if (sanitizer.isOn && kept != 0) sanitizer.access(at, sizeof(float), false);
        if (sanitizer.isOn) sanitizer.access(at, sizeof(float), true);
        target = float(scale * sum) + (kept == 0 ? 0 : kept * target);
      }
  }
};
}  // namespace
API cublasGemmStridedBatchedEx(std::uintptr_t, int transposeA, int transposeB, int m, int n, int k, const float *alpha,
                               const char *a, int typeA, int rowStrideA, std::int64_t strideA, const char *b,
                               int typeB, int rowStrideB, std::int64_t strideB, const float *beta, float *c, int typeC,
                               int rowStrideC, std::int64_t strideC, int batch, int computeType, int) {
  Gemm gemm{transposeA, transposeB, m, n, k, *alpha, *beta, typeA, rowStrideA, typeB, rowStrideB, typeC, rowStrideC,
            computeType};
  if (!gemm.fits()) return 7;
  int bytes = typeA == 14 ? 2 : 4;
  return start([=] {
    sanitizer.startLaunch();
    for (int i = 0; i < batch; i++) gemm.run(a + i * strideA * bytes, b + i * strideB * bytes, c + i * strideC);
  });
}
API cublasGemmBatchedEx(std::uintptr_t, int transposeA, int transposeB, int m, int n, int k, const float *alpha,
                        const void *const *a, int typeA, int rowStrideA, const void *const *b, int typeB,
                        int rowStrideB, const float *beta, float *const *c, int typeC, int rowStrideC, int batch,
                        int computeType, int) {
  Gemm gemm{transposeA, transposeB, m, n, k, *alpha, *beta, typeA, rowStrideA, typeB, rowStrideB, typeC, rowStrideC,
            computeType};
  if (!gemm.fits()) return 7;
  return start([=] {
    sanitizer.startLaunch();
    for (int i = 0; i < batch; i++) {
      // As a GPU does, which reads 16 bytes at a time at such addresses alone.
      if ((std::uintptr_t(a[i]) | std::uintptr_t(b[i]) | std::uintptr_t(c[i])) % 16 != 0) failure = 716;
      gemm.run(a[i], b[i], c[i]);
    }
  });
}
