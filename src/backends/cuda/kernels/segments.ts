/**
 * Sums of rows by index, which the gradient of an embedding is.
 *
 * Nothing is added with atomics, so that results are the same at every run: rows are sorted by their index first, stably,
 * digit by digit, and runs of the same index are then added up in their order.
 * @module
 */

import { sizeOf } from '../../../core/index.js'
import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes } from '../../wasm/exports.js'
import type { DeviceMemory } from '../device-memory.js'
import { defineModule, type Launch } from './kernel-module.js'

const DIGIT_BITS = 8
/** A thread for each digit. */
const DIGITS = 2 ** DIGIT_BITS
/** Rows that a block sorts by a digit. */
const TILE = 1024
/** Rows, sorted, that a block adds up. */
const CHUNK = 64

const segmentModule = defineModule(
  'segments',
  `
// What a row is sorted by: its id, and ids outside come last.
INLINE int keyOf(const int *ids, int row, int segments) {
  int id = ids[row];
  return id >= 0 && id < segments ? id : segments;
}
// The rows of a tile, and their digits.
struct SortTile {
  int *rows, *digits, count;
  INLINE SortTile(int *rows, int *digits, const int *order, const int *ids, int n, int segments, int shift)
      : rows(rows), digits(digits) {
    int first = blockIdx.x * ${TILE};
    count = n - first < ${TILE} ? n - first : ${TILE};
    for (int i = threadIdx.x; i < count; i += ${DIGITS}) {
      rows[i] = order ? order[first + i] : first + i;
      digits[i] = keyOf(ids, rows[i], segments) >> shift & ${DIGITS - 1};
    }
    __syncthreads();
  }
  // How many rows have this thread's digit.
  INLINE int countMine() const {
    int found = 0;
    for (int i = 0; i < count; i++) found += digits[i] == (int)threadIdx.x;
    return found;
  }
};
// What the threads before this one have together.
INLINE int sumBefore(int value) {
  __shared__ int sums[${DIGITS}];
  int sum = value;
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (unsigned step = 1; step < ${DIGITS}; step *= 2) {
    int before = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sum += before;
    sums[threadIdx.x] = sum;
    __syncthreads();
  }
  return sum - value;
}

// counts: [tiles, digits].
KERNEL countDigits(const int *order, const int *ids, int *counts, int n, int segments, int shift) {
  __shared__ int rows[${TILE}], digits[${TILE}];
  SortTile tile(rows, digits, order, ids, n, segments, shift);
  counts[blockIdx.x * ${DIGITS} + threadIdx.x] = tile.countMine();
}
// From counts to the places of the first row of each digit in each tile.
KERNEL placeDigits(int *counts, int tiles) {
  int total = 0;
  for (int tile = 0; tile < tiles; tile++) total += counts[tile * ${DIGITS} + threadIdx.x];
  int place = sumBefore(total);
  for (int tile = 0; tile < tiles; tile++) {
    int count = counts[tile * ${DIGITS} + threadIdx.x];
    counts[tile * ${DIGITS} + threadIdx.x] = place;
    place += count;
  }
}
// Without places there is one tile alone, and the block finds them itself.
KERNEL sortByDigit(const int *order, const int *ids, const int *places, int *sorted, int n, int segments, int shift) {
  __shared__ int rows[${TILE}], digits[${TILE}];
  SortTile tile(rows, digits, order, ids, n, segments, shift);
  int place = places ? places[blockIdx.x * ${DIGITS} + threadIdx.x] : sumBefore(tile.countMine());
  for (int i = 0; i < tile.count; i++)
    if (digits[i] == (int)threadIdx.x) sorted[place++] = rows[i];
}

// Sums of the runs in a chunk of the sorted rows: to out if a run begins here, else to the chunk's partial sum.
KERNEL sumRuns(const float *x, const int *ids, const int *order, float *out, float *partials, int n, int inner,
               int segments) {
  __shared__ int rows[${CHUNK}], keys[${CHUNK} + 1];
  int first = blockIdx.x * ${CHUNK}, count = n - first < ${CHUNK} ? n - first : ${CHUNK};
  EACH_OF_ROW(i, count) {
    rows[i] = order[first + i];
    keys[i] = keyOf(ids, rows[i], segments);
  }
  if (threadIdx.x == 0) keys[count] = -1;
  __syncthreads();
  bool isContinued = first > 0 && keyOf(ids, order[first - 1], segments) == keys[0];
  EACH_OF_ROW(column, inner) {
    float sum = 0;
    bool isPartial = isContinued;
    for (int i = 0; i < count && keys[i] < segments; i++) {
      sum += x[(long long)rows[i] * inner + column];
      if (keys[i] == keys[i + 1]) continue;
      if (isPartial) partials[(long long)blockIdx.x * inner + column] = sum;
      else out[(long long)keys[i] * inner + column] = sum;
      isPartial = false;
      sum = 0;
    }
  }
}
// Adds the partial sums of a run to what the chunk in which it begins has put into out.
KERNEL addPartials(const int *ids, const int *order, float *out, const float *partials, int n, int inner,
                   int segments) {
  int next = (blockIdx.x + 1) * ${CHUNK};
  int key = keyOf(ids, order[next - 1], segments);
  int first = next - ${CHUNK};
  bool beginsBefore = first > 0 && keyOf(ids, order[first - 1], segments) == key;
  if (key == segments || beginsBefore) return;
  EACH_OF_ROW(column, inner) {
    float sum = out[(long long)key * inner + column];
    for (int at = next; at < n && keyOf(ids, order[at], segments) == key; at += ${CHUNK})
      sum += partials[(long long)(at / ${CHUNK}) * inner + column];
    out[(long long)key * inner + column] = sum;
  }
}
`,
)

export const segmentModules = [segmentModule]

/** @param fill - Sets floats to a value. */
export function segmentKernels(
  launch: Launch,
  memory: DeviceMemory,
  fill: TensorKernels['fill'],
): Pick<TensorKernels, 'segmentSum'> {
  const run = (name: string, kinds: string, blocks: number, threads: number, values: number[]) =>
    launch(segmentModule, name, { arguments: kinds }, { blocks, threads }, values)

  /** The rows in the order of their ids; the caller releases it. */
  const sort = (ids: number, rows: number, segments: number): number => {
    const tiles = Math.ceil(rows / TILE)
    const take = (...shape: number[]) => memory.scratch(4 * sizeOf(shape), 'range for sorting', shape)
    const counts = tiles > 1 ? take(tiles, DIGITS) : 0
    // The key of an id outside is `segments`.
    const passes = Math.ceil((32 - Math.clz32(segments)) / DIGIT_BITS)
    let [order, other] = [0, 0]
    for (let pass = 0; pass < passes; pass++) {
      const sorted = other === 0 ? take(rows) : other
      const keys = [rows, segments, pass * DIGIT_BITS]
      if (counts > 0) {
        run('countDigits', 'rrwnnn', tiles, DIGITS, [order, ids, counts, ...keys])
        run('placeDigits', 'un', 1, DIGITS, [counts, tiles])
      }
      run('sortByDigit', 'rrrwnnn', tiles, DIGITS, [order, ids, counts, sorted, ...keys])
      ;[order, other] = [sorted, order]
    }
    for (const range of [counts, other]) if (range > 0) memory.release(range)
    return order
  }

  return {
    segmentSum(x, ids, out, rows, inner, segments) {
      fill(dtypeCodes.float32, out, segments * inner, 0)
      if (rows * inner * segments === 0) return
      const order = sort(ids, rows, segments)
      const chunks = Math.ceil(rows / CHUNK)
      const partials = memory.scratch(chunks * inner * 4, 'partial sum', [chunks, inner])
      const threads = inner > 128 ? 256 : inner > 64 ? 128 : 64
      run('sumRuns', 'rrrwwnnn', chunks, threads, [x, ids, order, out, partials, rows, inner, segments])
      run('addPartials', 'rrurnnn', chunks - 1, threads, [ids, order, out, partials, rows, inner, segments])
      memory.release(partials)
      memory.release(order)
    },
  }
}
