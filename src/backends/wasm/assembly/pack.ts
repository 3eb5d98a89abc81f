// Lays operands of a product out in the order in which the tiles read them.

import { loadLanes } from './simd'

/** b stored [k, n] to panels [n / 8][k][8], zeros beyond the last column. */
export function packColumns(b: usize, rowB: usize, k: i32, n: i32, out: usize): void {
  for (let j = 0; j < n; j += 8) {
    let from: usize = b + (<usize>j << 2)
    const columns = n - j
    if (columns >= 8) {
      for (let t = 0; t < k; t++) {
        v128.store(out, v128.load(from))
        v128.store(out, v128.load(from, 16), 16)
        from += rowB
        out += 32
      }
    } else {
      for (let t = 0; t < k; t++) {
        packEdge(from, columns, 4, out)
        from += rowB
        out += 32
      }
    }
  }
}

/** b stored [n, k] to panels [n / 8][k][8]. */
export function packRows(b: usize, rowB: usize, k: i32, n: i32, out: usize): void {
  for (let j = 0; j < n; j += 8) {
    let from: usize = b + <usize>j * rowB
    const rows = n - j
    let t = 0
    if (rows >= 8) {
      for (; t + 4 <= k; t += 4) {
        transpose4(from, rowB, out)
        transpose4(from + 4 * rowB, rowB, out + 16)
        from += 16
        out += 128
      }
    }
    for (; t < k; t++) {
      packEdge(from, min(rows, 8), rowB, out)
      from += 4
      out += 32
    }
  }
}

/** a stored [k, m] to tiles [k][width] of 6 rows, then `fours` tiles of 4; zeros beyond the last row. */
export function packTiles(a: usize, rowA: usize, k: i32, m: i32, sixes: i32, fours: i32, out: usize): void {
  let row = 0
  for (let tile = 0; tile < sixes + fours; tile++) {
    const width = tile < sixes ? 6 : 4
    let from: usize = a + (<usize>row << 2)
    // Only a tile of 4 may be short.
    if (m - row < width) {
      for (let t = 0; t < k; t++) {
        v128.store(out, loadLanes(from, m - row))
        from += rowA
        out += 16
      }
    } else if (width == 6) {
      for (let t = 0; t < k; t++) {
        v128.store(out, v128.load(from))
        store<u64>(out, load<u64>(from, 16), 16)
        from += rowA
        out += 24
      }
    } else {
      for (let t = 0; t < k; t++) {
        v128.store(out, v128.load(from))
        from += rowA
        out += 16
      }
    }
    row += width
  }
}

function packEdge(from: usize, count: i32, step: usize, out: usize): void {
  for (let i = 0; i < 8; i++) {
    store<f32>(out + (i << 2), i < count ? load<f32>(from) : 0)
    if (i + 1 < count) from += step
  }
}

/** Four floats of four rows to out[t * 32 bytes][row]. */
// @ts-ignore: decorator
@inline
function transpose4(from: usize, rowB: usize, out: usize): void {
  const x0 = v128.load(from)
  const x1 = v128.load(from + rowB)
  const x2 = v128.load(from + 2 * rowB)
  const x3 = v128.load(from + 3 * rowB)
  const t0 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
  const t1 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
  const t2 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
  const t3 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
  v128.store(out, v128.shuffle<f64>(t0, t2, 0, 2))
  v128.store(out, v128.shuffle<f64>(t0, t2, 1, 3), 32)
  v128.store(out, v128.shuffle<f64>(t1, t3, 0, 2), 64)
  v128.store(out, v128.shuffle<f64>(t1, t3, 1, 3), 96)
}
