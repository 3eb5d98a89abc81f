/**
 * Attention, both ways: batched products, and between them one kernel for scale, mask and softmax, or for its gradient.
 *
 * Scores are computed part by part into scratch of a fixed size, and computed again for the gradient. In bfloat16 the
 * weights that the second product reads are written as such by the kernel itself.
 *
 * By the roofline of an H200, with 32 entries, 8 heads of 64, 256 tokens: the two products are 4.3 GFLOP, 6 us of its
 * tensor cores; scores are 64 MiB, which are written, read, and written and read again with half the bytes, 47 us. A
 * kernel that keeps scores in registers saves that, but without tensor cores it takes 78 us for the products alone.
 * @module
 */

import { sizeOf } from '../../../core/index.js'
import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes } from '../../wasm/exports.js'
import type { CudaDevice } from '../cuda-device.js'
import { bfloat16Source } from './bfloat16.js'
import {
  type HeadMatrices,
  type HeadProduct,
  headModules,
  multiplyHeads,
  type Part,
  partsOf,
  within,
  withTables,
} from './heads.js'
import { defineModule, type Launch } from './kernel-module.js'
import { precisionOf } from './products.js'

/** Scores of a call take so many bytes at most, and their gradients as many again. */
const SCORE_BYTES = 2 ** 26
/** Rows of scores begin at multiples of so many elements, for cuBLAS. */
const ROW_MULTIPLE = 8
/** Rows up to this length have a warp each, longer ones a block. */
const WARP_ROW = 1024
const THREADS = 256

const attentionModule = defineModule(
  'attention',
  `${bfloat16Source}
// A row of a part's scores for "lanes" threads of a block: 32 or all. Threads without a row take part in the joins.
struct ScoreRow {
  int lane, lanes, seen;
  long long index;
  bool isThere;
  // Row i of a matrix is query first + i; where isCausal it sees the keys up to its own place.
  INLINE ScoreRow(int lanes, int n, int rows, int first, int keys, int isCausal) : lanes(lanes) {
    lane = threadIdx.x % lanes;
    index = (long long)blockIdx.x * (blockDim.x / lanes) + threadIdx.x / lanes;
    isThere = index < n;
    int query = first + (int)(index % rows);
    seen = !isThere ? 0 : isCausal && query < keys ? query + 1 : keys;
  }
  template <class Op> INLINE float join(float value) const {
    if (lanes != 32) return joinBlock<Op>(value);
    __shared__ float parts[${THREADS}];
    parts[threadIdx.x] = value;
    __syncthreads();
    const float *own = parts + threadIdx.x - lane;
    float result = own[0];
    for (int i = 1; i < 32; i++) result = Op::join(result, own[i]);
    __syncthreads();
    return result;
  }
};
#define EACH_KEY(i, row, n) for (int i = row.lane; i < (n); i += row.lanes)
#define ROW_ARGUMENTS int lanes, int n, int rows, int first, int keys, int isCausal, int stride, float scale

// weights = softmax(scale * scores), which may be in place; the logarithms of what it divides by.
template <class T> INLINE void weigh(const float *scores, T *weights, float *logSums, ROW_ARGUMENTS) {
  ScoreRow row(lanes, n, rows, first, keys, isCausal);
  const float *x = scores + row.index * stride;
  float largest = -infinity();
  EACH_KEY(i, row, row.seen) largest = fmaxf(largest, x[i]);
  float shift = row.join<Larger>(largest) * scale;
  float sum = 0;
  EACH_KEY(i, row, row.seen) sum += expf(x[i] * scale - shift);
  sum = row.join<Add>(sum);
  if (!row.isThere) return;
  float share = 1 / sum;
  EACH_KEY(i, row, keys)
    store(i < row.seen ? expf(x[i] * scale - shift) * share : 0, weights + row.index * stride + i);
  if (row.lane == 0) logSums[row.index] = shift + logf(sum);
}
KERNEL attentionWeights(const float *scores, float *weights, float *logSums, ROW_ARGUMENTS) {
  weigh(scores, weights, logSums, lanes, n, rows, first, keys, isCausal, stride, scale);
}
KERNEL attentionWeightsBfloat16(const float *scores, bfloat16 *weights, float *logSums, ROW_ARGUMENTS) {
  weigh(scores, weights, logSums, lanes, n, rows, first, keys, isCausal, stride, scale);
}

// The weights again, and the gradients of the scores from those of the weights; both may be in place.
template <class T>
INLINE void weighGrad(const float *scores, const float *dWeights, const float *logSums, T *weights, T *dScores,
                      ROW_ARGUMENTS) {
  ScoreRow row(lanes, n, rows, first, keys, isCausal);
  const float *x = scores + row.index * stride, *dy = dWeights + row.index * stride;
  float shift = row.isThere ? logSums[row.index] : 0;
  float mean = 0;
  EACH_KEY(i, row, row.seen) mean += expf(x[i] * scale - shift) * dy[i];
  mean = row.join<Add>(mean);
  if (!row.isThere) return;
  EACH_KEY(i, row, keys) {
    float weight = 0, slope = 0;
    if (i < row.seen) {
      weight = expf(x[i] * scale - shift);
      slope = weight * (dy[i] - mean) * scale;
    }
    store(weight, weights + row.index * stride + i);
    store(slope, dScores + row.index * stride + i);
  }
}
KERNEL attentionWeightsGrad(const float *scores, const float *dWeights, const float *logSums, float *weights,
                            float *dScores, ROW_ARGUMENTS) {
  weighGrad(scores, dWeights, logSums, weights, dScores, lanes, n, rows, first, keys, isCausal, stride, scale);
}
KERNEL attentionWeightsGradBfloat16(const float *scores, const float *dWeights, const float *logSums, bfloat16 *weights,
                                    bfloat16 *dScores, ROW_ARGUMENTS) {
  weighGrad(scores, dWeights, logSums, weights, dScores, lanes, n, rows, first, keys, isCausal, stride, scale);
}
`,
)

export const attentionModules = [...headModules, attentionModule]

const rowArguments = 'nnnnnnnf'

/**
 * @param fill - Sets floats to a value.
 * @param scoreBytes - Scores of so many bytes are computed at once.
 */
export function attentionKernels(
  device: CudaDevice,
  launch: Launch,
  fill: TensorKernels['fill'],
  scoreBytes = SCORE_BYTES,
): Pick<TensorKernels, 'attention' | 'attentionGrad'> {
  const { memory } = device

  /** What both ways have in common. */
  const prepare = (sizes: Sizes) => {
    const { batch, queries, keys, heads, isCausal, scale } = sizes
    const precision = precisionOf(device)
    const isRounded = precision === 'bfloat16'
    const stride = Math.ceil(keys / ROW_MULTIPLE) * ROW_MULTIPLE
    const parts = partsOf({ batch, heads, rows: queries }, 4 * stride, scoreBytes)
    const largest = parts[0]!
    return {
      isRounded,
      parts,
      /** Bytes of an element of an operand. */
      width: isRounded ? 2 : 4,
      /** Scratch for the scores of a part. */
      scratch(width: 2 | 4, use: string): HeadMatrices {
        const shape = [largest.entries, largest.heads, largest.rows, stride]
        const headStride = largest.rows * stride
        const pointer = memory.scratch(width * sizeOf(shape), use, shape)
        return { pointer, width, rowStride: stride, headStride, entryStride: largest.heads * headStride, table: 0 }
      },
      multiply: (part: Part, product: HeadProduct) => multiplyHeads(device, part, product, precision),
      /** Starts what is between the products; the logarithms of sums come third. */
      weigh(kernel: string, kinds: string, pointers: number[], part: Part) {
        const n = part.entries * part.heads * part.rows
        const lanes = keys > WARP_ROW ? THREADS : 32
        const grid = { blocks: Math.ceil((n * lanes) / THREADS), threads: THREADS }
        const values = [...pointers, lanes, n, part.rows, part.row, seenOf(sizes, part), isCausal, stride, scale]
        const name = isRounded ? `${kernel}Bfloat16` : kernel
        launch(attentionModule, name, { arguments: kinds + rowArguments }, grid, values)
      },
      /** Lets a function use operands as the precision has them. */
      use(operands: readonly (readonly [pointer: number, length: number])[], run: (...pointers: number[]) => void) {
        if (isRounded) device.copies.use(operands, run)
        else run(...operands.map(([pointer]) => pointer))
      },
    } as const
  }

  return {
    attention(query, key, value, out, logSums, batch, queries, keys, heads, dim, valueDim, isCausal, scale) {
      const sizes = { batch, queries, keys, heads, dim, valueDim, isCausal, scale }
      const { querySize, keySize, valueSize, outSize } = sizesOf(sizes)
      if (outSize === 0 || keys === 0) {
        fill(dtypeCodes.float32, out, outSize, 0)
        return
      }
      const { isRounded, parts, width, scratch, multiply, weigh, use } = prepare(sizes)
      const scores = scratch(4, 'range for scores')
      const weights = isRounded ? scratch(2, 'range for weights of attention') : scores
      const run = (...[q, k, v, y, scores, weights]: Six) => {
        for (const part of parts) {
          const { row, rows: m } = part
          const seen = seenOf(sizes, part)
          const [ownQ, ownK, ownV, ownY] = [
            within(q, part, row),
            within(k, part),
            within(v, part),
            within(y, part, row),
          ]
          multiply(part, { ...plain, a: ownQ, b: ownK, out: scores, m, n: seen, k: dim, transposeB: true })
          const sums = logSums + 4 * sumIndex(sizes, part)
          weigh('attentionWeights', 'rww', [scores.pointer, weights.pointer, sums], part)
          multiply(part, { ...plain, a: weights, b: ownV, out: ownY, m, n: valueDim, k: seen })
        }
      }
      const operands = [
        [query, querySize],
        [key, keySize],
        [value, valueSize],
      ] as const
      use(operands, (q, k, v) => {
        const inputs = [
          tokens(q!, queries, heads, dim, width),
          tokens(k!, keys, heads, dim, width),
          tokens(v!, keys, heads, valueDim, width),
        ]
        const matrices = [...inputs, tokens(out, queries, heads, valueDim, 4), scores, weights]
        withTables(device, { matrices, batch, parts }, (...all) => run(...(all as Six)))
      })
      for (const { pointer } of new Set([scores, weights])) memory.release(pointer)
    },
    attentionGrad(dy, query, key, value, _out, logSums, dQuery, dKey, dValue, batch, queries, keys, ...rest) {
      const [heads, dim, valueDim, isCausal, scale] = rest
      const sizes = { batch, queries, keys, heads, dim, valueDim, isCausal, scale }
      const { querySize, keySize, valueSize, outSize } = sizesOf(sizes)
      if (outSize === 0 || keys === 0) {
        fill(dtypeCodes.float32, dQuery, querySize, 0)
        fill(dtypeCodes.float32, dKey, keySize, 0)
        fill(dtypeCodes.float32, dValue, valueSize, 0)
        return
      }
      const { isRounded, parts, width, scratch, multiply, weigh, use } = prepare(sizes)
      const scores = scratch(4, 'range for scores')
      const dWeights = scratch(4, 'range for gradients of weights')
      const weights = isRounded ? scratch(2, 'range for weights of attention') : scores
      const dScores = isRounded ? scratch(2, 'range for gradients of scores') : dWeights
      const run = (...[g, q, k, v, dQ, dK, dV, scores, dWeights, weights, dScores]: Eleven) => {
        for (const part of parts) {
          const { row, rows: m } = part
          const seen = seenOf(sizes, part)
          const [ownG, ownQ, ownK, ownV] = [
            within(g, part, row),
            within(q, part, row),
            within(k, part),
            within(v, part),
          ]
          multiply(part, { ...plain, a: ownQ, b: ownK, out: scores, m, n: seen, k: dim, transposeB: true })
          multiply(part, { ...plain, a: ownG, b: ownV, out: dWeights, m, n: seen, k: valueDim, transposeB: true })
          const pointers = [scores, dWeights].map(({ pointer }) => pointer)
          const results = [weights, dScores].map(({ pointer }) => pointer)
          weigh('attentionWeightsGrad', 'rrrww', [...pointers, logSums + 4 * sumIndex(sizes, part), ...results], part)
          // Later rows of a head add to what the first ones gave.
          const sum = { transposeA: true, transposeB: false, beta: row > 0 ? 1 : 0, m: seen, k: m }
          multiply(part, { ...sum, a: weights, b: ownG, out: within(dV, part), n: valueDim })
          multiply(part, { ...sum, a: dScores, b: ownQ, out: within(dK, part), n: dim })
          multiply(part, { ...plain, a: dScores, b: ownK, out: within(dQ, part, row), m, n: dim, k: seen })
        }
      }
      const operands = [
        [dy, outSize],
        [query, querySize],
        [key, keySize],
        [value, valueSize],
      ] as const
      use(operands, (g, q, k, v) => {
        const inputs = [
          tokens(g!, queries, heads, valueDim, width),
          tokens(q!, queries, heads, dim, width),
          tokens(k!, keys, heads, dim, width),
          tokens(v!, keys, heads, valueDim, width),
        ]
        const results = [
          tokens(dQuery, queries, heads, dim, 4),
          tokens(dKey, keys, heads, dim, 4),
          tokens(dValue, keys, heads, valueDim, 4),
        ]
        const matrices = [...inputs, ...results, scores, dWeights, weights, dScores]
        withTables(device, { matrices, batch, parts }, (...all) => run(...(all as Eleven)))
      })
      for (const { pointer } of new Set([scores, dWeights, weights, dScores])) memory.release(pointer)
    },
  }
}

interface Sizes {
  readonly batch: number
  readonly queries: number
  readonly keys: number
  readonly heads: number
  readonly dim: number
  readonly valueDim: number
  readonly isCausal: number
  readonly scale: number
}

type One = HeadMatrices
type Six = [One, One, One, One, One, One]
type Eleven = [...Six, One, One, One, One, One]

const plain = { transposeA: false, transposeB: false, beta: 0 }

/** The matrices in `[batch, count, heads, dim]`. */
const tokens = (pointer: number, count: number, heads: number, dim: number, width: 2 | 4): HeadMatrices => ({
  pointer,
  width,
  rowStride: heads * dim,
  headStride: dim,
  entryStride: count * heads * dim,
  table: 0,
})

/** Elements of the operands and of the result. */
const sizesOf = ({ batch, queries, keys, heads, dim, valueDim }: Sizes) => ({
  querySize: batch * queries * heads * dim,
  keySize: batch * keys * heads * dim,
  valueSize: batch * keys * heads * valueDim,
  outSize: batch * queries * heads * valueDim,
})

/** How many keys the rows of a part need to look at. The first rows write weights of 0 for all that they do not see. */
const seenOf = ({ keys, isCausal }: Sizes, { row, rows }: Part): number =>
  isCausal && row > 0 ? Math.min(keys, row + rows) : keys

/** Where in `[batch, heads, queries]` the rows of a part begin. */
const sumIndex = ({ heads, queries }: Sizes, { entry, head, row }: Part): number =>
  (entry * heads + head) * queries + row
