// Matrix products: blocks of both operands are packed so that the tiles of tile.ts read them in order.
//
// After Goto and van de Geijn 2008, https://doi.org/10.1145/1356052.1356053

import { activateRows, highest, lowest } from './activation'
import { cacheBytes, scratchSize, scratchStart } from './memory'
import { packColumns, packRows, packTiles } from './pack'
import { loadLanes, splat, storeLanes } from './simd'
import { tile4, tile6 } from './tile'

/** A panel of 512 rows and 8 columns takes half of a first-level cache. */
const MAX_STEPS: i32 = 512
/** Rows of a that stay in the second-level cache. */
const MAX_ROWS: i32 = 120
/** Up to so many rows, packing b costs more than it saves. */
const DIRECT_ROWS: i32 = 12

/** Scratch: a tile of 6 x 8, the start of a panel, then packed a and b. */
const TILE_BYTES: usize = 192
const HEAD_BYTES: usize = 256

const DIRECT_A: i32 = 0
const DIRECT_BOTH: i32 = 1
const PACKED: i32 = 2

/** See ../exports.ts. */
export function matMul(
  a: usize,
  b: usize,
  out: usize,
  bias: usize,
  activation: i32,
  m: i32,
  n: i32,
  k: i32,
  transposeA: i32,
  transposeB: i32,
  rowStrideA: i32,
  rowStrideB: i32,
  rowStrideOut: i32,
  batch: i32,
  batchStrideA: i32,
  batchStrideB: i32,
  batchStrideOut: i32,
): void {
  for (let i = 0; i < batch; i++) {
    multiply(
      a, b, out, bias, activation, m, n, k, transposeA, transposeB,
      <usize>rowStrideA << 2, <usize>rowStrideB << 2, <usize>rowStrideOut << 2, 0, scratchStart(), scratchSize(),
    )
    a += <usize>batchStrideA << 2
    b += <usize>batchStrideB << 2
    out += <usize>batchStrideOut << 2
  }
}

/** One product; strides in bytes. `accumulate` adds to out instead of starting from the bias. */
export function multiply(
  a: usize,
  b: usize,
  out: usize,
  bias: usize,
  activation: i32,
  m: i32,
  n: i32,
  k: i32,
  transposeA: i32,
  transposeB: i32,
  rowA: usize,
  rowB: usize,
  rowC: usize,
  accumulate: i32,
  scratch: usize,
  scratchBytes: usize,
): void {
  if (m <= 0 || n <= 0) return
  const free: usize = min(scratchBytes, cacheBytes) - HEAD_BYTES
  // A quarter of a small scratch range holds two tiles of a at least.
  const most = min(MAX_STEPS, <i32>(free / 192))
  const blocks = max((k + most - 1) / most, 1)
  const depth = max((k + blocks - 1) / blocks, 1)
  const packedA: usize = scratch + HEAD_BYTES
  const bytesA: usize = transposeA ? free / 4 : 0
  const packedB: usize = packedA + bytesA
  const columnsAtOnce = <i32>((free - bytesA) / (<usize>depth << 5)) << 3
  const rowsAtOnce = transposeA ? min(MAX_ROWS, <i32>(bytesA / (<usize>depth * 24)) * 6 - 2) : MAX_ROWS
  const direct = !transposeA && !transposeB && m <= DIRECT_ROWS
  for (let k0 = 0; k0 < max(k, 1); k0 += depth) {
    const steps = min(depth, k - k0)
    const first = k0 == 0 && !accumulate
    const final = k0 + depth >= k
    const lo = final ? lowest(activation) : -Infinity
    const hi = final ? highest(activation) : Infinity
    for (let n0 = 0; n0 < n; n0 += columnsAtOnce) {
      const columns = min(columnsAtOnce, n - n0)
      const c: usize = out + (<usize>n0 << 2)
      const start: usize = first && bias ? bias + (<usize>n0 << 2) : 0
      let bBlock: usize = b
      if (transposeB) bBlock += <usize>n0 * rowB + (<usize>k0 << 2)
      else bBlock += <usize>k0 * rowB + (<usize>n0 << 2)
      if (transposeB) packRows(bBlock, rowB, steps, columns, packedB)
      else if (!direct) packColumns(bBlock, rowB, steps, columns, packedB)
      else if (columns & 7) {
        const whole = columns & ~7
        packColumns(bBlock + (<usize>whole << 2), rowB, steps, columns - whole, packedB)
      }
      for (let m0 = 0; m0 < m; m0 += rowsAtOnce) {
        const rows = min(rowsAtOnce, m - m0)
        const cBlock: usize = c + <usize>m0 * rowC
        if (transposeA) {
          const aBlock: usize = a + <usize>k0 * rowA + (<usize>m0 << 2)
          packTiles(aBlock, rowA, steps, rows, sixesOf(rows), foursOf(rows), packedA)
          block(PACKED, packedA, 0, packedB, 0, packedB, steps, cBlock, rowC, rows, columns, start, first, lo, hi, scratch)
        } else {
          const aBlock: usize = a + <usize>m0 * rowA + (<usize>k0 << 2)
          if (direct)
            block(DIRECT_BOTH, aBlock, rowA, bBlock, rowB, packedB, steps, cBlock, rowC, rows, columns, start, first, lo, hi, scratch)
          else
            block(DIRECT_A, aBlock, rowA, packedB, 0, packedB, steps, cBlock, rowC, rows, columns, start, first, lo, hi, scratch)
        }
      }
    }
  }
  if (activation > 2) activateRows(activation, out, rowC, m, n)
}

/** Tiles of 6 rows that are used for so many rows; the rest is tiles of 4, the last of which may be short. */
function sixesOf(rows: i32): i32 {
  const sixes = rows / 6
  const rest = rows - sixes * 6
  return (rest == 1 || rest == 2) && sixes > 0 ? sixes - 1 : sixes
}

function foursOf(rows: i32): i32 {
  return (rows - sixesOf(rows) * 6 + 3) >> 2
}

/** Column panels outside, so that one stays in the first-level cache while the rows pass by. */
// @ts-ignore: decorator
@inline
function block(
  mode: i32,
  a: usize,
  rowA: usize,
  b: usize,
  rowB: usize,
  packedB: usize,
  steps: i32,
  c: usize,
  rowC: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  first: bool,
  lowest: f32,
  highest: f32,
  scratch: usize,
): void {
  const sixes = sixesOf(rows)
  const tiles = sixes + foursOf(rows)
  const lo = splat(lowest)
  const hi = splat(highest)
  const zero: usize = scratch + TILE_BYTES
  for (let j = 0; j < columns; j += 8) {
    const width = min(columns - j, 8)
    let start: usize = bias + (<usize>j << 2)
    if (!bias || width < 8) {
      start = zero
      for (let i = 0; i < 8; i++) store<f32>(zero + (i << 2), bias && i < width ? load<f32>(bias + (<usize>(j + i) << 2)) : 0)
    }
    const panel: usize = mode == DIRECT_BOTH ? (width < 8 ? packedB : b + (<usize>j << 2)) : b + <usize>(j >> 3) * (<usize>steps << 5)
    let row = 0
    let packed: usize = a
    for (let tile = 0; tile < tiles; tile++) {
      const height = tile < sixes ? 6 : 4
      const exist = min(rows - row, height)
      const target: usize = c + <usize>row * rowC + (<usize>j << 2)
      const edge = exist < height || width < 8
      if (edge && !first) copyTile(target, rowC, scratch, 32, exist, width)
      const to: usize = edge ? scratch : target
      const rowTo: usize = edge ? 32 : rowC
      const from: usize = first ? start : to
      const rowFrom: usize = first ? 0 : rowTo
      if (mode == PACKED) {
        if (height == 6) tile6(packed, 4, 24, 5, panel, 32, steps, to, rowTo, from, rowFrom, lo, hi)
        else tile4(packed, 4, 16, 3, panel, 32, steps, to, rowTo, from, rowFrom, lo, hi)
      } else {
        const source: usize = a + <usize>row * rowA
        const last: usize = exist - 1
        if (mode == DIRECT_A || width < 8) {
          if (height == 6) tile6(source, rowA, 4, last, panel, 32, steps, to, rowTo, from, rowFrom, lo, hi)
          else tile4(source, rowA, 4, last, panel, 32, steps, to, rowTo, from, rowFrom, lo, hi)
        } else {
          if (height == 6) tile6(source, rowA, 4, last, panel, rowB, steps, to, rowTo, from, rowFrom, lo, hi)
          else tile4(source, rowA, 4, last, panel, rowB, steps, to, rowTo, from, rowFrom, lo, hi)
        }
      }
      if (edge) copyTile(scratch, 32, target, rowC, exist, width)
      packed += <usize>steps * (<usize>height << 2)
      row += height
    }
  }
}

function copyTile(from: usize, rowFrom: usize, to: usize, rowTo: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    storeLanes(to, loadLanes(from, columns), columns)
    if (columns > 4) storeLanes(to + 16, loadLanes(from + 16, columns - 4), columns - 4)
    from += rowFrom
    to += rowTo
  }
}
