/** Along axes: sums, extremes, indices of extremes, running sums, softmax and cross-entropy. @module */

import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes, reduceCodes as r } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { DeviceMemory } from '../device-memory.js'
import { defineModule, each, type Launch, rowBlocks } from './kernel-module.js'

/** Columns of a tile of `sumColumns` and `reduceColumns`, and the rows that its threads read at once. */
const TILE = { columns: 32, rows: 8 } as const
const TILE_THREADS = TILE.columns * TILE.rows
/** So many elements of a row, and so many of each column of a tile, one block takes. */
const CHUNK = 4096
const COLUMN_CHUNK = 256

/** What reductions and sums over columns share. */
export const columnSource = `
// One column of [size, inner] in a tile of ${TILE.columns} columns: the ${TILE.rows} threads of a column each take every
// ${TILE.rows}th row. The result is right in the threads of row 0.
template <class Op, class T> INLINE T joinTile(T value) {
  __shared__ T parts[${TILE_THREADS}];
  parts[threadIdx.x] = value;
  __syncthreads();
  for (int row = 1; row < ${TILE.rows} && threadIdx.x < ${TILE.columns}; row++)
    value = Op::join(value, parts[row * ${TILE.columns} + threadIdx.x]);
  __syncthreads();
  return value;
}
// Which tile, chunk and outer index this block has.
struct Tile {
  int column, row, from, to;
  long long chunkIndex, outerIndex;
  INLINE Tile(int size, int inner, int chunk) {
    int tiles = (inner + ${TILE.columns - 1}) / ${TILE.columns}, chunks = (size + chunk - 1) / chunk;
    if (chunks == 0) chunks = 1;
    int tile = blockIdx.x % tiles, rest = blockIdx.x / tiles;
    column = tile * ${TILE.columns} + threadIdx.x % ${TILE.columns};
    row = threadIdx.x / ${TILE.columns};
    int index = rest % chunks;
    outerIndex = rest / chunks;
    chunkIndex = outerIndex * chunks + index;
    from = index * chunk;
    to = from + chunk < size ? from + chunk : size;
  }
};
`

const reduceModule = defineModule(
  'reduce',
  `${columnSource}
// A chunk of a row of [outer, size] for each block.
template <class Op, class T> INLINE void reduceRows(const T *x, T *out, int size, int chunk, T empty, float share) {
  int chunks = size > chunk ? (size + chunk - 1) / chunk : 1;
  const T *row = x + (long long)(blockIdx.x / chunks) * size;
  int from = blockIdx.x % chunks * chunk, to = from + chunk < size ? from + chunk : size;
  T value = empty;
  for (int i = from + threadIdx.x; i < to; i += blockDim.x) value = Op::join(value, row[i]);
  value = joinBlock<Op>(value);
  if (threadIdx.x == 0) out[blockIdx.x] = share == 1 ? value : (T)(value / share);
}
template <class Op, class T>
INLINE void reduceColumns(const T *x, T *out, int size, int inner, int chunk, T empty, float share) {
  Tile tile(size, inner, chunk);
  T value = empty;
  if (tile.column < inner)
    for (int i = tile.from + tile.row; i < tile.to; i += ${TILE.rows})
      value = Op::join(value, x[(tile.outerIndex * size + i) * inner + tile.column]);
  value = joinTile<Op>(value);
  if (tile.row == 0 && tile.column < inner)
    out[tile.chunkIndex * inner + tile.column] = share == 1 ? value : (T)(value / share);
}
#define REDUCE(NAME, OP, T, EMPTY) \\
  KERNEL reduceRows_##NAME(const T *x, T *out, int size, int, int chunk, float share) { \\
    reduceRows<OP, T>(x, out, size, chunk, EMPTY, share); \\
  } \\
  KERNEL reduceColumns_##NAME(const T *x, T *out, int size, int inner, int chunk, float share) { \\
    reduceColumns<OP, T>(x, out, size, inner, chunk, EMPTY, share); \\
  }
struct Both { template <class T> static INLINE T join(T a, T b) { return a && b; } };
struct Either { template <class T> static INLINE T join(T a, T b) { return a || b; } };
REDUCE(float_${r.sum}, Add, float, 0)
REDUCE(float_${r.max}, Larger, float, -infinity())
REDUCE(float_${r.min}, Smaller, float, infinity())
REDUCE(float_${r.prod}, Multiply, float, 1)
// Unsigned, so that they wrap.
REDUCE(int_${r.sum}, Add, unsigned, 0)
REDUCE(int_${r.prod}, Multiply, unsigned, 1)
REDUCE(int_${r.max}, Larger, int, (int)0x80000000)
REDUCE(int_${r.min}, Smaller, int, 0x7fffffff)
REDUCE(bool_1, Both, u8, 1)
REDUCE(bool_0, Either, u8, 0)

// The first extreme; NaN is none, except at the first place. A block for each column of [outer, size, inner].
KERNEL argExtreme(int isMin, const float *x, int *out, int, int size, int inner) {
  __shared__ float values[256];
  __shared__ int indices[256];
  const float *column = x + (long long)(blockIdx.x / inner) * size * inner + blockIdx.x % inner;
  float best = size > 0 ? column[0] : 0;
  int index = 0;
  for (int i = threadIdx.x; i < size; i += blockDim.x) {
    float value = column[(long long)i * inner];
    if (isMin ? value < best : value > best) {
      best = value;
      index = i;
    }
  }
  values[threadIdx.x] = best;
  indices[threadIdx.x] = index;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned t = 1; t < blockDim.x; t++) {
      bool isBetter = isMin ? values[t] < best : values[t] > best;
      if (isBetter || (values[t] == best && indices[t] < index)) {
        best = values[t];
        index = indices[t];
      }
    }
    out[blockIdx.x] = index;
  }
}

// A thread for each column of [outer, size, inner]; in float64, so that long sums keep their digits.
#define CUMULATIVE(DTYPE, T, LAST) \\
  KERNEL cumulative_##DTYPE(int isProduct, int, const T *x, T *out, int outer, int size, int inner, int exclusive, \\
                            int reverse) { \\
    EACH(i, outer * inner) { \\
      long long at = (long long)(i / inner) * size * inner + i % inner + (reverse ? (size - 1LL) * inner : 0); \\
      double value = isProduct; \\
      for (int s = 0; s < size; s++) { \\
        double next = isProduct ? value * x[at] : value + x[at]; \\
        out[at] = (T)LAST(exclusive ? value : next); \\
        value = next; \\
        at += reverse ? -inner : inner; \\
      } \\
    } \\
  }
CUMULATIVE(${dtypeCodes.float32}, float, )
CUMULATIVE(${dtypeCodes.int32}, int, (long long))
`,
)

const softmaxModule = defineModule(
  'softmax',
  `
// NaN is passed over: it shows up in the sum.
INLINE float largestOfRow(const float *x, int size) {
  float largest = -infinity();
  EACH_OF_ROW(i, size) largest = fmaxf(largest, x[i]);
  return joinBlock<Larger>(largest);
}
INLINE float sumOfPowers(const float *x, int size, float shift) {
  float sum = 0;
  EACH_OF_ROW(i, size) sum += expf(x[i] - shift);
  return joinBlock<Add>(sum);
}
KERNEL softmax(int isLog, const float *x, float *out, int, int size) {
  long long first = (long long)blockIdx.x * size;
  float shift = largestOfRow(x + first, size);
  float sum = sumOfPowers(x + first, size, shift);
  float logarithm = logf(sum);
  EACH_OF_ROW(i, size) {
    float shifted = x[first + i] - shift;
    out[first + i] = isLog ? shifted - logarithm : expf(shifted) / sum;
  }
}
KERNEL crossEntropy(const float *logits, const float *targets, const int *labels, float *out, int, int size) {
  long long first = (long long)blockIdx.x * size;
  float shift = largestOfRow(logits + first, size);
  float logarithm = logf(sumOfPowers(logits + first, size, shift));
  float loss = 0;
  EACH_OF_ROW(i, size) {
    float target = labels ? labels[blockIdx.x] == i : targets[first + i];
    // 0 times Infinity is 0 here.
    if (target != 0) loss += target * (logarithm - (logits[first + i] - shift));
  }
  loss = joinBlock<Add>(loss);
  if (threadIdx.x == 0) out[blockIdx.x] = loss;
}
KERNEL crossEntropyGrad(const float *dy, const float *logits, const float *targets, const int *labels, float *out, int,
                        int size) {
  long long first = (long long)blockIdx.x * size;
  float shift = largestOfRow(logits + first, size);
  float sum = sumOfPowers(logits + first, size, shift);
  float total = 0;
  EACH_OF_ROW(i, size) total += labels ? labels[blockIdx.x] == i : targets[first + i];
  total = joinBlock<Add>(total);
  EACH_OF_ROW(i, size) {
    float target = labels ? labels[blockIdx.x] == i : targets[first + i];
    out[first + i] = dy[blockIdx.x] * (expf(logits[first + i] - shift) / sum * total - target);
  }
}
`,
)

export const reductionModules = [reduceModule, softmaxModule]

type ReductionKernels = Pick<
  TensorKernels,
  'reduce' | 'reduceInt' | 'reduceBool' | 'argExtreme' | 'cumulative' | 'softmax' | 'crossEntropy' | 'crossEntropyGrad'
>

export function reductionKernels(launch: Launch, memory: DeviceMemory): ReductionKernels {
  const reduceWith =
    (type: 'float' | 'int' | 'bool') =>
    (code: number, input: number, out: number, outer: number, size: number, inner: number): void => {
      const isMean = type === 'float' && code === r.mean
      const kernel = `${type}_${isMean ? r.sum : code}`
      const target = { out, outer, size, inner, share: isMean ? size : 1 }
      inChunks(launch, memory, kernel, target, (to, chunk, share) =>
        reduceOnce(launch, kernel, { input, ...target, out: to, chunk, share }),
      )
    }
  return {
    reduce: reduceWith('float'),
    reduceInt: reduceWith('int'),
    reduceBool: reduceWith('bool'),
    argExtreme: (...v) => launch(reduceModule, 'argExtreme', callTable.argExtreme, rowBlocks(v[3] * v[5], v[4]), v),
    cumulative: (...v) => launch(reduceModule, `cumulative_${v[1]}`, callTable.cumulative, each(v[4] * v[6], 1), v),
    softmax: (...v) => launch(softmaxModule, 'softmax', callTable.softmax, rowBlocks(v[3], v[4]), v),
    crossEntropy: (...v) => launch(softmaxModule, 'crossEntropy', callTable.crossEntropy, rowBlocks(v[4], v[5]), v),
    crossEntropyGrad: (...v) =>
      launch(softmaxModule, 'crossEntropyGrad', callTable.crossEntropyGrad, rowBlocks(v[5], v[6]), v),
  }
}

/** Where the result of a reduction of `[outer, size, inner]` goes, and what it is divided by. */
interface Target {
  readonly out: number
  readonly outer: number
  readonly size: number
  readonly inner: number
  readonly share: number
}

/**
 * Runs a reduction in one go, or, where a few long columns would leave the GPU idle, in chunks whose results are
 * reduced in turn. The order of additions depends on the shape alone, so results are the same at every run.
 *
 * @param kernel - What reduces the results of the chunks.
 * @param first - Reduces chunks of so many elements to a place, and divides by the share.
 */
export function inChunks(
  launch: Launch,
  memory: DeviceMemory,
  kernel: string,
  target: Target,
  first: (to: number, chunk: number, share: number) => void,
): void {
  const { outer, size, inner, share } = target
  const chunk = inner === 1 ? CHUNK : COLUMN_CHUNK
  if (size <= chunk) {
    first(target.out, Math.max(1, size), share)
    return
  }
  const chunks = Math.ceil(size / chunk)
  const partial = memory.scratch(outer * chunks * inner * 4, 'partial result', [outer, chunks, inner])
  first(partial, chunk, 1)
  reduceOnce(launch, kernel, { ...target, input: partial, size: chunks, chunk: chunks })
  memory.release(partial)
}

const reduceForm = { arguments: 'rwnnnf' } as const

function reduceOnce(
  launch: Launch,
  kernel: string,
  { input, out, outer, size, inner, chunk, share }: Target & { readonly input: number; readonly chunk: number },
): void {
  const values = [input, out, size, inner, chunk, share]
  const chunks = Math.max(1, Math.ceil(size / chunk))
  if (inner === 1) launch(reduceModule, `reduceRows_${kernel}`, reduceForm, rowBlocks(outer * chunks, chunk), values)
  else launch(reduceModule, `reduceColumns_${kernel}`, reduceForm, tiles(outer * chunks, inner), values)
}

/** A block for each tile of columns. */
export const tiles = (rows: number, inner: number) => ({
  blocks: rows * Math.ceil(inner / TILE.columns),
  threads: TILE_THREADS,
})
