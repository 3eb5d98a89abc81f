// What NVIDIA's compute-sanitizer looks for on a GPU: accesses outside of a range or not aligned, reads of what nobody
// wrote, threads that depend on each other between two barriers, threads that miss a barrier. Kernels that are compiled
// with hooks (kernel.h) tell of each access before it happens; the first wrong one ends its launch, which fails.

#pragma once
#include <link.h>
#include <setjmp.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared.h"

namespace {
// Accesses are numbered by who made them: a thread of a block between two barriers has one number, higher than those of
// blocks and barriers before. 0 is nobody.
using Accessor = std::uint64_t;
constexpr Accessor threadsOfBlock = 1024;

// Who wrote an element last, and the last two threads that read it.
struct Cell { Accessor write, reads[2]; };

// Memory, with what is known of each byte; elements of four bytes and more have the cell of every fourth of theirs.
struct Range {
  std::size_t bytes;
  // Written by the host, too, which is not seen.
  bool isManaged = false;
  // Of a block: what other blocks wrote is not there.
  bool isShared = false;
  std::vector<unsigned char> written;
  std::unique_ptr<Cell[], void (*)(void *)> cells{nullptr, free};
  Range(std::size_t bytes, bool isManaged = false, bool isShared = false)
      : bytes(bytes), isManaged(isManaged), isShared(isShared) {}
};

struct Sanitizer {
  // Whether kernels are compiled with hooks.
  const bool isOn = getenv("STAND_IN_SANITIZE") != nullptr;
  // What was wrong, until the driver was told.
  std::string finding;
  // The first numbers of this launch, this block and this stretch between barriers.
  Accessor launch = 0, block = 0, interval = 0;
  unsigned blockIndex = 0, thread = 0;
  // The stack of the thread that runs, and what its module has around the kernel.
  std::uintptr_t stack = 0, stackEnd = 0, around = 0;
  // Static variables of the module: its shared arrays.
  std::uintptr_t sharedStart = 0;
  Range *shared = nullptr;
  std::map<std::uintptr_t, Range> *ranges = nullptr;
  // Where to go on after a wrong access; none while no kernel runs.
  jmp_buf *exit = nullptr;

  void startLaunch() { launch = interval += threadsOfBlock; }
  void startBlock(unsigned index) { block = interval += threadsOfBlock, blockIndex = index; }
  void passBarrier() { interval += threadsOfBlock; }

  void stop(const std::string &what) {
    if (finding.empty()) {
      finding = what;
      if (exit) finding += " (block " + std::to_string(blockIndex) + ", thread " + std::to_string(thread) + ")";
    }
    if (exit) _longjmp(*exit, 1);
  }

  // The range that a number of bytes lie in, and where it begins.
  Range *find(std::uintptr_t at, std::size_t bytes, std::uintptr_t &start) {
    if (shared && at >= sharedStart && at + bytes <= sharedStart + shared->bytes) return start = sharedStart, shared;
    auto after = ranges->upper_bound(at);
    if (after == ranges->begin()) return nullptr;
    auto range = std::prev(after);
    start = range->first;
    return at + bytes <= start + range->second.bytes ? &range->second : nullptr;
  }

  // Whether this thread has to wait for an earlier access.
  bool isUnordered(Accessor other) const {
    if (other < launch || other == interval + thread) return false;
    return other >= interval || other < block;
  }

  void access(std::uintptr_t at, std::size_t bytes, bool isWrite) {
    if ((at >= stack && at < stackEnd) || (at >= around && at < around + sizeof(StandIn))) return;
    auto wrong = [&](const char *what) {
      stop((isWrite ? "A write of " : "A read of ") + std::to_string(bytes) + " bytes " + what);
    };
    std::uintptr_t start = 0;
    Range *range = find(at, bytes, start);
    if (!range) return wrong("lies outside of every range");
    std::size_t step = std::min<std::size_t>(bytes, 4);
    if (at % std::min<std::size_t>(bytes & -bytes, 16) != 0) return wrong("is not aligned");
    if (!range->cells) range->cells.reset(static_cast<Cell *>(calloc(range->bytes, sizeof(Cell))));
    for (std::size_t i = at - start, end = i + bytes; i < end; i += step) {
      Cell &cell = range->cells[i];
      bool isWritten = range->isManaged || (range->isShared ? cell.write >= block : allWritten(*range, i, step));
      if (!isWrite && !isWritten) return wrong("finds what nobody wrote");
      bool isLocal = range->isShared;
      if (isUnordered(cell.write) && !(isLocal && cell.write < block))
        return wrong("races with the write of another thread");
      if (isWrite) {
        for (Accessor reader : cell.reads)
          if (isUnordered(reader) && !(isLocal && reader < block))
            return wrong("races with the read of another thread");
        cell.write = interval + thread;
        mark(*range, i, step);
      } else note(cell);
    }
  }
  void note(Cell &cell) const {
    Accessor me = interval + thread;
    // This thread's earlier read needs no place of its own.
    bool isMine = cell.reads[0] >= block && cell.reads[0] % threadsOfBlock == me % threadsOfBlock;
    if (!isMine) cell.reads[1] = cell.reads[0];
    cell.reads[0] = me;
  }

  static bool allWritten(const Range &range, std::size_t from, std::size_t bytes) {
    if (range.written.empty()) return false;
    return std::all_of(range.written.begin() + from, range.written.begin() + from + bytes, [](unsigned char is) { return is; });
  }
  static void mark(Range &range, std::size_t from, std::size_t bytes) {
    if (range.isShared || range.isManaged) return;
    if (range.written.empty()) range.written.resize(range.bytes);
    std::fill_n(range.written.begin() + from, bytes, true);
  }

  // Copies of the host; one of several tensors may go over gaps between them.
  void upload(std::uintptr_t at, std::size_t bytes) {
    std::uintptr_t start = 0;
    if (Range *range = isOn ? find(at, bytes, start) : nullptr) mark(*range, at - start, bytes);
  }
  void download(std::uintptr_t at, std::size_t bytes) {
    std::uintptr_t start = 0;
    Range *range = isOn ? find(at, bytes, start) : nullptr;
    if (!range || range->isManaged || bytes == 0) return;
    if (!allWritten(*range, at - start, 1) || !allWritten(*range, at - start + bytes - 1, 1))
      stop("A copy to the host of " + std::to_string(bytes) + " bytes finds what nobody wrote");
  }
};
// One for each thread, which has a GPU of its own.
thread_local Sanitizer sanitizer;

// The writable part of a module, where its static variables lie.
struct Segment { std::uintptr_t address = 0, start = 0; std::size_t bytes = 0; };
Segment writableSegment(std::uintptr_t base) {
  Segment segment;
  segment.address = base;
  dl_iterate_phdr([](dl_phdr_info *info, std::size_t, void *data) {
    Segment &found = *static_cast<Segment *>(data);
    if (info->dlpi_addr != found.address) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
      const auto &header = info->dlpi_phdr[i];
      if (header.p_type != PT_LOAD || !(header.p_flags & PF_W)) continue;
      found.start = found.address + header.p_vaddr;
      found.bytes = header.p_memsz;
    }
    return 1;
  }, &segment);
  return segment;
}
}  // namespace
