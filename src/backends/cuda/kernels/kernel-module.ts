/**
 * How a module of CUDA C and the launches of its kernels are written down.
 *
 * Sources keep to what also a C++ compiler takes (with tests/cuda/stand-in/kernel.h), so that tests run the arithmetic
 * of every kernel without a GPU: of the intrinsics of warps __shfl_xor_sync alone, with all threads of a warp; shared arrays
 * of a fixed size; no early return before a barrier.
 * @module
 */

/** Kernels that are compiled together. */
export interface KernelModule {
  readonly name: string
  /** CUDA C. */
  readonly source: string
  /** Options of the compiler, beyond those of every module. */
  readonly options?: readonly string[]
}

/** What the arguments of a kernel are, in the letters of wasm/program/call-table.ts; `i` is passed by value. */
export interface CallForm {
  readonly arguments: string
  /** How many int32 an `i` argument has. */
  readonly infoLength?: number
}

/** How many blocks of how many threads run a kernel. */
export interface Grid {
  readonly blocks: number
  readonly threads: number
}

/** Starts a kernel of a module. */
export type Launch = (module: KernelModule, name: string, form: CallForm, grid: Grid, values: readonly number[]) => void

const THREADS = 256
/** Elements that a thread of an `each` takes: enough loads at once to keep the memory busy. */
const PER_THREAD = 4

/** For kernels that go over n elements with `EACH`. */
export const each = (n: number, perThread = PER_THREAD): Grid => ({
  blocks: Math.ceil(n / (THREADS * perThread)),
  threads: THREADS,
})

/** Rows of a block whose warps have one each: `WarpRow`. */
const WARP_ROWS = 8

/**
 * Starts the form of a kernel over rows that fits: `NAME_warp`, whose blocks have eight rows, or `NAME_block` for long
 * rows, and for longer ones where there are too few to keep a GPU busy with a warp each.
 */
export function launchRows(
  launch: Launch,
  module: KernelModule,
  name: string,
  form: CallForm,
  [rows, size]: readonly [rows: number, size: number],
  values: readonly number[],
): void {
  const isShort = size <= 128 || (size <= 1024 && rows >= 512)
  const grid = { blocks: isShort ? Math.ceil(rows / WARP_ROWS) : rows, threads: THREADS }
  launch(module, `${name}_${isShort ? 'warp' : 'block'}`, form, grid, values)
}

/** A module; its source follows what all of them use. */
export const defineModule = (name: string, source: string, options: readonly string[] = []): KernelModule => ({
  name,
  source: prelude + source,
  options,
})

const prelude = `
#define KERNEL extern "C" __global__ void
#define INLINE __device__ __forceinline__
// Every element from 0 to n - 1, whatever the grid.
#define EACH(i, n) \\
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (unsigned)(n); i += gridDim.x * blockDim.x)
// The elements of a row, shared by the threads of a block.
#define EACH_OF_ROW(i, n) for (int i = threadIdx.x; i < (n); i += blockDim.x)

typedef unsigned char u8;
template <int n> struct Info { int at[n]; };

INLINE float infinity() { return __int_as_float(0x7f800000); }
INLINE float notANumber() { return __int_as_float(0x7fc00000); }
INLINE float sigmoid(float x) {
  float power = expf(-fabsf(x));
  return (x >= 0 ? 1.0f : power) / (1.0f + power);
}

struct Add { template <class T> static INLINE T join(T a, T b) { return a + b; } };
struct Multiply { template <class T> static INLINE T join(T a, T b) { return a * b; } };
// NaN stays.
struct Larger { template <class T> static INLINE T join(T a, T b) { return a > b || a != a ? a : b; } };
struct Smaller { template <class T> static INLINE T join(T a, T b) { return a < b || a != a ? a : b; } };

// What the values of a warp's threads come to, in each of them: + and the like give the same bits in both orders.
template <class T> INLINE T ofLane(T value, int lanes) { return __shfl_xor_sync(0xffffffffu, value, lanes); }
template <class Op, class T> INLINE T joinWarp(T value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value = Op::join(value, ofLane(value, lanes));
  return value;
}
// The same of a block, which has 32 to 256 threads.
template <class Op, class T> INLINE T joinBlock(T value) {
  __shared__ T parts[8];
  value = joinWarp<Op>(value);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = parts[0];
  for (unsigned warp = 1; warp < blockDim.x / 32; warp++) value = Op::join(value, parts[warp]);
  __syncthreads();
  return value;
}

// The threads that share a row: a warp, so that a block has eight rows and waits at no barrier, or a block.
struct WarpRow {
  int row, rank, size;
  INLINE WarpRow() : row(blockIdx.x * 8 + threadIdx.x / 32), rank(threadIdx.x % 32), size(32) {}
  template <class Op, class T> INLINE T join(T value) const { return joinWarp<Op>(value); }
};
struct BlockRow {
  int row, rank, size;
  INLINE BlockRow() : row(blockIdx.x), rank(threadIdx.x), size(blockDim.x) {}
  template <class Op, class T> INLINE T join(T value) const { return joinBlock<Op>(value); }
};
// The elements of a row that this thread has.
#define EACH_IN(r, i, n) for (int i = r.rank; i < (n); i += r.size)
`
