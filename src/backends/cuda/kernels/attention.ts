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
import { defineModule, type Launch, launchRows } from './kernel-module.js'
import { precisionOf } from './products.js'

/** Scores of a call take so many bytes at most, and their gradients as many again. */
const SCORE_BYTES = 2 ** 26
/** Rows of scores begin at multiples of so many elements, for cuBLAS. */
const ROW_MULTIPLE = 8

const attentionModule = defineModule(
  'attention',
  `${bfloat16Source}
// The rows of n matrices of scores one below the other, each with so many rows; row i of a matrix is query first + i, and
// where isCausal it sees the keys up to its own place.
#define ROW_ARGUMENTS int n, int rows, int first, int keys, int isCausal, int stride, float scale
INLINE int seenOf(int row, int rows, int first, int keys, int isCausal) {
  int query = first + row % rows;
  return isCausal && query < keys ? query + 1 : keys;
}

// weights = softmax(scale * scores), which may be in place, and the logarithms of what it divides by.
template <class Row, class T>
INLINE void weigh(const Row &r, const float *scores, T *weights, float *logSums, ROW_ARGUMENTS) {
  if (r.row >= n) return;
  const float *x = scores + (long long)r.row * stride;
  weights += (long long)r.row * stride;
  int seen = seenOf(r.row, rows, first, keys, isCausal);
  float largest = -infinity();
  EACH_IN(r, i, seen) largest = fmaxf(largest, x[i]);
  float shift = r.template join<Larger>(largest) * scale;
  float sum = 0;
  EACH_IN(r, i, seen) sum += expf(x[i] * scale - shift);
  sum = r.template join<Add>(sum);
  float share = 1 / sum;
  EACH_IN(r, i, keys) store(i < seen ? expf(x[i] * scale - shift) * share : 0, weights + i);
  if (r.rank == 0) logSums[r.row] = shift + logf(sum);
}
// The weights again, and the gradients of scores from those of weights; both may be in place.
template <class Row, class T>
INLINE void weighGrad(const Row &r, const float *scores, const float *dWeights, const float *logSums, T *weights,
                      T *dScores, ROW_ARGUMENTS) {
  if (r.row >= n) return;
  const float *x = scores + (long long)r.row * stride, *dy = dWeights + (long long)r.row * stride;
  weights += (long long)r.row * stride;
  dScores += (long long)r.row * stride;
  int seen = seenOf(r.row, rows, first, keys, isCausal);
  float shift = logSums[r.row];
  float mean = 0;
  EACH_IN(r, i, seen) mean += expf(x[i] * scale - shift) * dy[i];
  mean = r.template join<Add>(mean);
  EACH_IN(r, i, keys) {
    float weight = i < seen ? expf(x[i] * scale - shift) : 0;
    float slope = i < seen ? weight * (dy[i] - mean) * scale : 0;
    store(weight, weights + i);
    store(slope, dScores + i);
  }
}
#define WEIGHTS(NAME, T, FORM, ROW) \\
  KERNEL attentionWeights##NAME##_##FORM(const float *scores, T *weights, float *logSums, ROW_ARGUMENTS) { \\
    weigh(ROW(), scores, weights, logSums, n, rows, first, keys, isCausal, stride, scale); \\
  } \\
  KERNEL attentionWeightsGrad##NAME##_##FORM(const float *scores, const float *dWeights, const float *logSums, \\
                                             T *weights, T *dScores, ROW_ARGUMENTS) { \\
    weighGrad(ROW(), scores, dWeights, logSums, weights, dScores, n, rows, first, keys, isCausal, stride, scale); \\
  }
WEIGHTS(, float, warp, WarpRow)
WEIGHTS(, float, block, BlockRow)
WEIGHTS(Bfloat16, bfloat16, warp, WarpRow)
WEIGHTS(Bfloat16, bfloat16, block, BlockRow)
`,
)

export const attentionModules = [...headModules, attentionModule]

const rowArguments = 'nnnnnnf'

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
        const values = [...pointers, n, part.rows, part.row, seenOf(sizes, part), isCausal, stride, scale]
        const name = isRounded ? `${kernel}Bfloat16` : kernel
        launchRows(launch, attentionModule, name, { arguments: kinds + rowArguments }, [n, keys], values)
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
