// Attention without its matrix of weights: scores are computed block by block, used, and computed again for the gradient.
//
// After Dao et al. 2022, https://arxiv.org/abs/2205.14135

import { expOfNegative4 } from './exponential'
import { log4 } from './logarithm'
import { multiply } from './mat-mul'
import { scratchSize, scratchStart } from './memory'
import { fma, loadLanes, maskOf, splat, storeLanes, sumOfLanes } from './simd'
import { largestOf } from './softmax'

/** Rows and columns of a block of scores: 16 KiB, half of a first-level cache. */
const BLOCK: i32 = 64
const BLOCK_ROW: usize = 256
const BLOCK_BYTES: usize = 16384
/** Scratch: one number for each row of a block, twice; two blocks; what the products pack. */
const HEAD_BYTES: usize = 512
const USED_BYTES: usize = HEAD_BYTES + 2 * BLOCK_BYTES

/** See ../exports.ts. */
export function attention(
  query: usize,
  key: usize,
  value: usize,
  out: usize,
  logSums: usize,
  batch: i32,
  queries: i32,
  keys: i32,
  heads: i32,
  dim: i32,
  valueDim: i32,
  isCausal: i32,
  scale: f32,
): void {
  const scores: usize = scratchStart() + HEAD_BYTES
  const largest: usize = scratchStart()
  const sums: usize = largest + BLOCK_ROW
  const free: usize = scratchStart() + USED_BYTES
  const freeBytes: usize = scratchSize() - USED_BYTES
  const row: usize = <usize>(heads * dim) << 2
  const valueRow: usize = <usize>(heads * valueDim) << 2
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++) {
      const k0: usize = key + <usize>b * <usize>keys * row + (<usize>(h * dim) << 2)
      const v0: usize = value + <usize>b * <usize>keys * valueRow + (<usize>(h * valueDim) << 2)
      for (let i = 0; i < queries; i += BLOCK) {
        const rows = min(queries - i, BLOCK)
        const q: usize = query + <usize>(b * queries + i) * row + (<usize>(h * dim) << 2)
        const y: usize = out + <usize>(b * queries + i) * valueRow + (<usize>(h * valueDim) << 2)
        const seen = isCausal ? min(keys, i + rows) : keys
        for (let r: usize = 0; r < BLOCK_ROW; r += 4) {
          store<f32>(largest + r, -Infinity)
          store<f32>(sums + r, 0)
        }
        if (seen == 0) for (let r = 0; r < rows; r++) memory.fill(y + <usize>r * valueRow, 0, <usize>valueDim << 2)
        for (let j = 0; j < seen; j += BLOCK) {
          const columns = min(seen - j, BLOCK)
          const k: usize = k0 + <usize>j * row
          multiply(q, k, scores, 0, 0, rows, columns, dim, 0, 1, row, row, BLOCK_ROW, 0, free, freeBytes)
          for (let r = 0; r < rows; r++) {
            const place: usize = <usize>r << 2
            const from: usize = scores + <usize>r * BLOCK_ROW
            const count = isCausal ? min(columns, i + r - j + 1) : columns
            const before = load<f32>(largest + place)
            const peak = max(before, f32x4.extract_lane(largestOf(from, count), 0) * scale)
            const sum = powersOf(from, count, columns, scale, peak)
            // What was added up so far was relative to another peak.
            const fade = f32x4.extract_lane(expOfNegative4(splat(before - peak)), 0)
            store<f32>(sums + place, load<f32>(sums + place) * fade + sum)
            store<f32>(largest + place, peak)
            if (j > 0 && fade != 1) scaleRow(y + <usize>r * valueRow, valueDim, fade)
          }
          const v: usize = v0 + <usize>j * valueRow
          multiply(scores, v, y, 0, 0, rows, valueDim, columns, 0, 0, BLOCK_ROW, valueRow, valueRow, j > 0 ? 1 : 0, free, freeBytes)
        }
        for (let r = 0; r < rows; r++) {
          const place: usize = <usize>r << 2
          const sum = load<f32>(sums + place)
          if (seen > 0) scaleRow(y + <usize>r * valueRow, valueDim, 1 / sum)
          const to: usize = logSums + (<usize>((b * heads + h) * queries + i + r) << 2)
          store<f32>(to, load<f32>(largest + place) + f32x4.extract_lane(log4(splat(sum)), 0))
        }
      }
    }
}

/** See ../exports.ts. */
export function attentionGrad(
  dy: usize,
  query: usize,
  key: usize,
  value: usize,
  out: usize,
  logSums: usize,
  dQuery: usize,
  dKey: usize,
  dValue: usize,
  batch: i32,
  queries: i32,
  keys: i32,
  heads: i32,
  dim: i32,
  valueDim: i32,
  isCausal: i32,
  scale: f32,
): void {
  const slopes: usize = scratchStart()
  const weights: usize = slopes + HEAD_BYTES
  const dWeights: usize = weights + BLOCK_BYTES
  const free: usize = scratchStart() + USED_BYTES
  const freeBytes: usize = scratchSize() - USED_BYTES
  const row: usize = <usize>(heads * dim) << 2
  const valueRow: usize = <usize>(heads * valueDim) << 2
  // Each block of queries adds to the gradients of the keys and values that it sees.
  memory.fill(dKey, 0, <usize>(batch * keys) * row)
  memory.fill(dValue, 0, <usize>(batch * keys) * valueRow)
  if (keys == 0) memory.fill(dQuery, 0, <usize>(batch * queries) * row)
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++) {
      const keyStart: usize = <usize>b * <usize>keys * row + (<usize>(h * dim) << 2)
      const valueStart: usize = <usize>b * <usize>keys * valueRow + (<usize>(h * valueDim) << 2)
      for (let i = 0; i < queries; i += BLOCK) {
        const rows = min(queries - i, BLOCK)
        const queryStart: usize = <usize>(b * queries + i) * row + (<usize>(h * dim) << 2)
        const outStart: usize = <usize>(b * queries + i) * valueRow + (<usize>(h * valueDim) << 2)
        const q: usize = query + queryStart
        const dq: usize = dQuery + queryStart
        const g: usize = dy + outStart
        const seen = isCausal ? min(keys, i + rows) : keys
        for (let r = 0; r < rows; r++) {
          const at: usize = <usize>r * valueRow
          store<f32>(slopes + (<usize>r << 2), innerProduct(g + at, out + outStart + at, valueDim))
        }
        for (let j = 0; j < seen; j += BLOCK) {
          const columns = min(seen - j, BLOCK)
          const k: usize = key + keyStart + <usize>j * row
          const dk: usize = dKey + keyStart + <usize>j * row
          const v: usize = value + valueStart + <usize>j * valueRow
          const dv: usize = dValue + valueStart + <usize>j * valueRow
          multiply(q, k, weights, 0, 0, rows, columns, dim, 0, 1, row, row, BLOCK_ROW, 0, free, freeBytes)
          const rowSums: usize = logSums + (<usize>((b * heads + h) * queries + i) << 2)
          for (let r = 0; r < rows; r++) {
            const count = isCausal ? min(columns, i + r - j + 1) : columns
            powersOf(weights + <usize>r * BLOCK_ROW, count, columns, scale, load<f32>(rowSums + (<usize>r << 2)))
          }
          multiply(weights, g, dv, 0, 0, columns, valueDim, rows, 1, 0, BLOCK_ROW, valueRow, valueRow, 1, free, freeBytes)
          multiply(g, v, dWeights, 0, 0, rows, columns, valueDim, 0, 1, valueRow, valueRow, BLOCK_ROW, 0, free, freeBytes)
          for (let r = 0; r < rows; r++) {
            const slope = v128.load32_splat(slopes + (<usize>r << 2))
            const at: usize = <usize>r * BLOCK_ROW
            for (let c = 0; c < columns; c += 4) {
              const place: usize = at + (<usize>c << 2)
              const d = f32x4.mul(f32x4.sub(v128.load(dWeights + place), slope), splat(scale))
              storeLanes(weights + place, f32x4.mul(v128.load(weights + place), d), columns - c)
            }
          }
          multiply(weights, k, dq, 0, 0, rows, dim, columns, 0, 0, BLOCK_ROW, row, row, j > 0 ? 1 : 0, free, freeBytes)
          multiply(weights, q, dk, 0, 0, columns, dim, rows, 1, 0, BLOCK_ROW, row, row, 1, free, freeBytes)
        }
      }
    }
}

/** x = e^(x * scale - shift) for the first `count` of n floats, 0 for the others; their sum. */
function powersOf(x: usize, count: i32, n: i32, scale: f32, shift: f32): f32 {
  const factor = splat(scale)
  const minusShift = splat(-shift)
  let sum = splat(0)
  let c = 0
  for (; c + 4 <= count; c += 4) {
    const place: usize = x + (<usize>c << 2)
    const power = expOfNegative4(fma(v128.load(place), factor, minusShift))
    sum = f32x4.add(sum, power)
    v128.store(place, power)
  }
  if (c < count) {
    const place: usize = x + (<usize>c << 2)
    const power = v128.and(expOfNegative4(fma(loadLanes(place, count - c), factor, minusShift)), maskOf(count - c))
    sum = f32x4.add(sum, power)
    storeLanes(place, power, n - c)
    c += 4
  }
  for (; c < n; c += 4) storeLanes(x + (<usize>c << 2), splat(0), n - c)
  return sumOfLanes(sum)
}

function scaleRow(x: usize, n: i32, factor: f32): void {
  for (; n > 0; n -= 4) {
    storeLanes(x, f32x4.mul(loadLanes(x, n), splat(factor)), n)
    x += 16
  }
}

function innerProduct(a: usize, b: usize, n: i32): f32 {
  let sum = splat(0)
  for (; n > 0; n -= 4) {
    sum = fma(loadLanes(a, n), loadLanes(b, n), sum)
    a += 16
    b += 16
  }
  return sumOfLanes(sum)
}
