/**
 * How a module of CUDA C and the launches of its kernels are written down.
 *
 * Sources keep to what also a C++ compiler takes (with tests/cuda/stand-in/kernel.h), so that tests run the arithmetic
 * of every kernel without a GPU: no intrinsics of warps, shared arrays of a fixed size, no early return before a barrier.
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

/** One block for each row, with threads for its elements: a power of two from 32 to 256. */
export function rowBlocks(rows: number, size: number): Grid {
  const threads = size > 128 ? THREADS : size > 64 ? 128 : size > 32 ? 64 : 32
  return { blocks: rows, threads }
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

// What the values of all threads of a block come to, in each of them. The block has 32 to 256 threads.
template <class Op, class T> INLINE T joinBlock(T value) {
  __shared__ T parts[256];
  parts[threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    for (unsigned i = threadIdx.x + 32; i < blockDim.x; i += 32) value = Op::join(value, parts[i]);
    parts[threadIdx.x] = value;
  }
  __syncthreads();
  T result = parts[0];
  for (int i = 1; i < 32; i++) result = Op::join(result, parts[i]);
  __syncthreads();
  return result;
}
`
