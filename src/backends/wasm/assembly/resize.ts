// Pictures of another size: each pixel is a weighted sum of some of the original.

import { at, copyFloats } from './copy'
import { fma, loadLanes, splat, storeLanes } from './simd'

/** Bytes of an entry in the table of taps. */
const ENTRY: usize = 12

/** See ../exports.ts. */
export function resize(
  x: usize,
  taps: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  newHeight: i32,
  newWidth: i32,
): void {
  const pixelBytes: usize = <usize>channels << 2
  const rowBytes: usize = pixelBytes * width
  for (let b = 0; b < batch; b++) {
    let row: usize = taps
    for (let r = 0; r < newHeight; r++) {
      const line: usize = x + <usize>at(row, 0) * rowBytes
      const rows = at(row, 1)
      const rowWeights: usize = taps + (<usize>at(row, 2) << 2)
      let column: usize = taps + ENTRY * newHeight
      for (let c = 0; c < newWidth; c++) {
        const from: usize = line + <usize>at(column, 0) * pixelBytes
        const columns = at(column, 1)
        const columnWeights: usize = taps + (<usize>at(column, 2) << 2)
        if (rows == 1 && columns == 1 && load<f32>(rowWeights) * load<f32>(columnWeights) == 1)
          copyFloats(from, out, channels)
        else sumTaps(from, rowWeights, columnWeights, out, rows, columns, rowBytes, pixelBytes, channels)
        out += pixelBytes
        column += ENTRY
      }
      row += ENTRY
    }
    x += rowBytes * height
  }
}

/** out = sum of rows x columns pixels, each times its two weights. */
function sumTaps(
  x: usize,
  rowWeights: usize,
  columnWeights: usize,
  out: usize,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  pixelBytes: usize,
  channels: i32,
): void {
  for (let c = 0; c < channels; c += 4) {
    const count = channels - c
    let sum = splat(0)
    let line: usize = x
    for (let r = 0; r < rows; r++) {
      const weight = load<f32>(rowWeights + (<usize>r << 2))
      let p: usize = line
      for (let k = 0; k < columns; k++) {
        sum = fma(splat(weight * load<f32>(columnWeights + (<usize>k << 2))), loadLanes(p, count), sum)
        p += pixelBytes
      }
      line += rowBytes
    }
    storeLanes(out, sum, count)
    x += 16
    out += 16
  }
}
