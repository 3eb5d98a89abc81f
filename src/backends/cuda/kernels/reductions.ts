/** Along axes: sums, extremes, indices of extremes, running sums, softmax and cross-entropy. @module */

import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes, reduceCodes as r } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { DeviceMemory } from '../device-memory.js'
import { defineModule, each, type Launch, launchRows } from './kernel-module.js'

/** Columns of a tile of `sumColumns` and `reduceColumns`, and the rows that its threads read at once. */
const TILE = { columns: 32, rows: 8 } as const
const TILE_THREADS = TILE.columns * TILE.rows
/** So many elements of a row, and so many of each column of a tile, one block takes. */
const CHUNK = 4096
export const COLUMN_CHUNK = 256
/** Rows of so many elements get a thread each. */
const SHORT = 16

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
// A chunk of a row of [outer, size] for each group of threads, of which there are as many as outputs.
template <class Op, class T, class Row>
INLINE void reduceRow(const Row &r, const T *x, T *out, int outputs, int size, int chunk, T empty, float share) {
  int chunks = size > chunk ? (size + chunk - 1) / chunk : 1;
  if (r.row >= outputs) return;
  const T *row = x + (long long)(r.row / chunks) * size;
  int from = r.row % chunks * chunk, to = from + chunk < size ? from + chunk : size;
  T value = empty;
  for (int i = from + r.rank; i < to; i += r.size) value = Op::join(value, row[i]);
  value = r.template join<Op>(value);
  if (r.rank == 0) out[r.row] = share == 1 ? value : (T)(value / share);
}
// A thread for each row: for rows of a few elements.
template <class Op, class T> INLINE void reduceShort(const T *x, T *out, int outputs, int size, T empty, float share) {
  EACH(row, outputs) {
    T value = empty;
    for (int i = 0; i < size; i++) value = Op::join(value, x[(long long)row * size + i]);
    out[row] = share == 1 ? value : (T)(value / share);
  }
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
  KERNEL reduceRow_##NAME##_warp(const T *x, T *out, int outputs, int size, int chunk, float share) { \\
    reduceRow<OP, T>(WarpRow(), x, out, outputs, size, chunk, EMPTY, share); \\
  } \\
  KERNEL reduceRow_##NAME##_block(const T *x, T *out, int outputs, int size, int chunk, float share) { \\
    reduceRow<OP, T>(BlockRow(), x, out, outputs, size, chunk, EMPTY, share); \\
  } \\
  KERNEL reduceShort_##NAME(const T *x, T *out, int outputs, int size, int, float share) { \\
    reduceShort<OP, T>(x, out, outputs, size, EMPTY, share); \\
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

// The first extreme; NaN is none, except at the first place. A row is a column of [outer, size, inner].
struct Extreme { float value; int index; };
INLINE Extreme ofLane(Extreme extreme, int lanes) {
  return {ofLane(extreme.value, lanes), ofLane(extreme.index, lanes)};
}
struct FirstLargest {
  static INLINE Extreme join(Extreme a, Extreme b) {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
};
struct FirstSmallest {
  static INLINE Extreme join(Extreme a, Extreme b) {
    return b.value < a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
};
template <class Op, class Row> INLINE void extremeOf(const Row &r, const float *x, int *out, int size, int inner) {
  const float *column = x + (long long)(r.row / inner) * size * inner + r.row % inner;
  Extreme best = {size > 0 ? column[0] : 0, 0};
  EACH_IN(r, i, size) best = Op::join(best, Extreme{column[(long long)i * inner], i});
  best = r.template join<Op>(best);
  if (r.rank == 0) out[r.row] = best.index;
}
template <class Row>
INLINE void argExtreme(const Row &r, int isMin, const float *x, int *out, int outer, int size, int inner) {
  if (r.row >= outer * inner) return;
  if (isMin) extremeOf<FirstSmallest>(r, x, out, size, inner);
  else extremeOf<FirstLargest>(r, x, out, size, inner);
}
KERNEL argExtreme_warp(int isMin, const float *x, int *out, int outer, int size, int inner) {
  argExtreme(WarpRow(), isMin, x, out, outer, size, inner);
}
KERNEL argExtreme_block(int isMin, const float *x, int *out, int outer, int size, int inner) {
  argExtreme(BlockRow(), isMin, x, out, outer, size, inner);
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
template <class Row> INLINE float largestOf(const Row &r, const float *x, int size) {
  float largest = -infinity();
  EACH_IN(r, i, size) largest = fmaxf(largest, x[i]);
  return r.template join<Larger>(largest);
}
template <class Row> INLINE float sumOfPowers(const Row &r, const float *x, int size, float shift) {
  float sum = 0;
  EACH_IN(r, i, size) sum += expf(x[i] - shift);
  return r.template join<Add>(sum);
}
template <class Row> INLINE void softmax(const Row &r, int isLog, const float *x, float *out, int rows, int size) {
  if (r.row >= rows) return;
  x += (long long)r.row * size;
  out += (long long)r.row * size;
  float shift = largestOf(r, x, size);
  float sum = sumOfPowers(r, x, size, shift);
  float logarithm = logf(sum);
  EACH_IN(r, i, size) {
    float shifted = x[i] - shift;
    out[i] = isLog ? shifted - logarithm : expf(shifted) / sum;
  }
}
// What a row should be: a share of each class, or one class.
struct Truth {
  const float *targets;
  int label;
  INLINE Truth(const float *targets, const int *labels, int row, int size)
      : targets(targets + (long long)row * size), label(labels ? labels[row] : 0) {
    if (labels) this->targets = nullptr;
  }
  INLINE float at(int i) const { return targets ? targets[i] : label == i; }
};
template <class Row>
INLINE void crossEntropy(const Row &r, const float *logits, const float *targets, const int *labels, float *out,
                         int rows, int size) {
  if (r.row >= rows) return;
  const float *x = logits + (long long)r.row * size;
  Truth truth(targets, labels, r.row, size);
  float shift = largestOf(r, x, size);
  float logarithm = logf(sumOfPowers(r, x, size, shift));
  float loss = 0;
  EACH_IN(r, i, size) {
    float target = truth.at(i);
    // 0 times Infinity is 0 here.
    if (target != 0) loss += target * (logarithm - (x[i] - shift));
  }
  loss = r.template join<Add>(loss);
  if (r.rank == 0) out[r.row] = loss;
}
template <class Row>
INLINE void crossEntropyGrad(const Row &r, const float *dy, const float *logits, const float *targets,
                             const int *labels, float *out, int rows, int size) {
  if (r.row >= rows) return;
  const float *x = logits + (long long)r.row * size;
  out += (long long)r.row * size;
  Truth truth(targets, labels, r.row, size);
  float shift = largestOf(r, x, size);
  float sum = sumOfPowers(r, x, size, shift);
  float total = 0;
  EACH_IN(r, i, size) total += truth.at(i);
  total = r.template join<Add>(total);
  EACH_IN(r, i, size) out[i] = dy[r.row] * (expf(x[i] - shift) / sum * total - truth.at(i));
}
#define SOFTMAX(FORM, ROW) \\
  KERNEL softmax_##FORM(int isLog, const float *x, float *out, int rows, int size) { \\
    softmax(ROW(), isLog, x, out, rows, size); \\
  } \\
  KERNEL crossEntropy_##FORM(const float *logits, const float *targets, const int *labels, float *out, int rows, \\
                             int size) { \\
    crossEntropy(ROW(), logits, targets, labels, out, rows, size); \\
  } \\
  KERNEL crossEntropyGrad_##FORM(const float *dy, const float *logits, const float *targets, const int *labels, \\
                                 float *out, int rows, int size) { \\
    crossEntropyGrad(ROW(), dy, logits, targets, labels, out, rows, size); \\
  }
SOFTMAX(warp, WarpRow)
SOFTMAX(block, BlockRow)
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
    argExtreme: (...v) => launchRows(launch, reduceModule, 'argExtreme', callTable.argExtreme, [v[3] * v[5], v[4]], v),
    cumulative: (...v) => launch(reduceModule, `cumulative_${v[1]}`, callTable.cumulative, each(v[4] * v[6], 1), v),
    softmax: (...v) => launchRows(launch, softmaxModule, 'softmax', callTable.softmax, [v[3], v[4]], v),
    crossEntropy: (...v) => launchRows(launch, softmaxModule, 'crossEntropy', callTable.crossEntropy, [v[4], v[5]], v),
    crossEntropyGrad: (...v) =>
      launchRows(launch, softmaxModule, 'crossEntropyGrad', callTable.crossEntropyGrad, [v[5], v[6]], v),
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
 * reduced in turn, in chunks again where there are many. The order of additions depends on the shape alone, so results are the same at every run.
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
  const rest = { ...target, size: chunks }
  inChunks(launch, memory, kernel, rest, (to, part, share) =>
    reduceOnce(launch, kernel, { ...rest, input: partial, out: to, chunk: part, share }),
  )
  memory.release(partial)
}

const reduceForm = { arguments: 'rwnnnf' } as const

function reduceOnce(
  launch: Launch,
  kernel: string,
  { input, out, outer, size, inner, chunk, share }: Target & { readonly input: number; readonly chunk: number },
): void {
  const outputs = outer * Math.max(1, Math.ceil(size / chunk))
  if (inner !== 1) {
    const values = [input, out, size, inner, chunk, share]
    launch(reduceModule, `reduceColumns_${kernel}`, reduceForm, tiles(outputs, inner), values)
    return
  }
  const values = [input, out, outputs, size, chunk, share]
  if (size <= SHORT) launch(reduceModule, `reduceShort_${kernel}`, reduceForm, each(outputs, 1), values)
  else launchRows(launch, reduceModule, `reduceRow_${kernel}`, reduceForm, [outputs, chunk], values)
}

/** A block for each tile of columns. */
export const tiles = (rows: number, inner: number) => ({
  blocks: rows * Math.ceil(inner / TILE.columns),
  threads: TILE_THREADS,
})
