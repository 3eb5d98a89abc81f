// Convolutions as matrix products over blocks of image patches ("im2col"), NHWC.
//
// The block of patches takes one half of the scratch range, matMul's packing the other.

import { addFloats, at, copyFloats, zeroFloats } from './copy'
import { multiply } from './mat-mul'
import { scratchSize, scratchStart } from './memory'

// @ts-ignore: decorator
@inline
function patchOf(g: usize): i32 {
  return at(g, 7) * at(g, 8) * at(g, 3)
}

// @ts-ignore: decorator
@inline
function rowsOf(g: usize): i32 {
  return at(g, 0) * at(g, 4) * at(g, 5)
}

/** Whether the image already is its own matrix of patches. */
function isPointwise(g: usize): bool {
  const oneByOne = at(g, 7) == 1 && at(g, 8) == 1 && at(g, 9) == 1 && at(g, 10) == 1
  return oneByOne && at(g, 13) == 0 && at(g, 14) == 0 && at(g, 1) == at(g, 4) && at(g, 2) == at(g, 5)
}

/** Half of the scratch range, or one patch where that is longer; traps when the packing would not fit beside it. */
function blockBytes(g: usize): usize {
  const bytes = max<usize>((scratchSize() / 2) & ~63, ((<usize>patchOf(g) << 2) + 63) & ~63)
  if (bytes + 32768 > scratchSize()) unreachable()
  return bytes
}

function blockRows(g: usize): i32 {
  return max<i32>(1, <i32>(blockBytes(g) / (<usize>max(1, patchOf(g)) << 2)))
}

/** See ../exports.ts. */
export function conv2d(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  const patch = patchOf(g)
  const total = rowsOf(g)
  const columns = at(g, 6)
  const rowA: usize = <usize>patch << 2
  const rowC: usize = <usize>columns << 2
  if (isPointwise(g)) {
    multiply(x, filter, out, bias, activation, total, columns, patch, 0, 0, rowA, rowC, rowC, 0, scratchStart(), scratchSize())
    return
  }
  const patches = scratchStart()
  const used = blockBytes(g)
  const step = blockRows(g)
  for (let row = 0; row < total; row += step) {
    const rows = min(step, total - row)
    eachPatch(false, x, patches, row, rows, g)
    multiply(
      patches, filter, out + <usize>row * rowC, bias, activation, rows, columns, patch, 0, 0, rowA, rowC, rowC, 0,
      patches + used, scratchSize() - used,
    )
  }
}

/** See ../exports.ts. */
export function conv2dFilterGrad(x: usize, dy: usize, dFilter: usize, g: usize): void {
  const patch = patchOf(g)
  const total = rowsOf(g)
  const columns = at(g, 6)
  const rowA: usize = <usize>patch << 2
  const rowC: usize = <usize>columns << 2
  if (total == 0) zeroFloats(dFilter, patch * columns)
  if (isPointwise(g)) {
    multiply(x, dy, dFilter, 0, 0, patch, columns, total, 1, 0, rowA, rowC, rowC, 0, scratchStart(), scratchSize())
    return
  }
  const patches = scratchStart()
  const used = blockBytes(g)
  const step = blockRows(g)
  for (let row = 0; row < total; row += step) {
    const rows = min(step, total - row)
    eachPatch(false, x, patches, row, rows, g)
    multiply(
      patches, dy + <usize>row * rowC, dFilter, 0, 0, patch, columns, rows, 1, 0, rowA, rowC, rowC, row > 0 ? 1 : 0,
      patches + used, scratchSize() - used,
    )
  }
}

/** See ../exports.ts. */
export function conv2dInputGrad(dy: usize, filter: usize, dx: usize, g: usize): void {
  const patch = patchOf(g)
  const total = rowsOf(g)
  const channels = at(g, 6)
  const rowA: usize = <usize>channels << 2
  const rowC: usize = <usize>patch << 2
  if (isPointwise(g)) {
    multiply(dy, filter, dx, 0, 0, total, patch, channels, 0, 1, rowA, rowA, rowC, 0, scratchStart(), scratchSize())
    return
  }
  zeroFloats(dx, at(g, 0) * at(g, 1) * at(g, 2) * at(g, 3))
  const patches = scratchStart()
  const used = blockBytes(g)
  const step = blockRows(g)
  for (let row = 0; row < total; row += step) {
    const rows = min(step, total - row)
    multiply(
      dy + <usize>row * rowA, filter, patches, 0, 0, rows, patch, channels, 0, 1, rowA, rowA, rowC, 0,
      patches + used, scratchSize() - used,
    )
    eachPatch(true, dx, patches, row, rows, g)
  }
}

/** Copies patches out of the image, zeros outside it, or adds them back to it. */
// @ts-ignore: decorator
@inline
function eachPatch(addBack: bool, image: usize, patches: usize, firstRow: i32, rows: i32, g: usize): void {
  const height = at(g, 1), width = at(g, 2), channels = at(g, 3)
  const outHeight = at(g, 4), outWidth = at(g, 5)
  const filterHeight = at(g, 7), filterWidth = at(g, 8)
  const dilationHeight = at(g, 11), dilationWidth = at(g, 12)
  let p: usize = patches
  for (let row = firstRow; row < firstRow + rows; row++) {
    const ow = row % outWidth
    const line = row / outWidth
    const oh = line % outHeight
    const base: usize = image + (<usize>(line / outHeight) * height * width * channels << 2)
    const top = oh * at(g, 9) - at(g, 13)
    const left = ow * at(g, 10) - at(g, 14)
    for (let fh = 0; fh < filterHeight; fh++) {
      const ih = top + fh * dilationHeight
      const inside = ih >= 0 && ih < height
      // A run of the filter's row lies together in the image.
      if (inside && dilationWidth == 1 && left >= 0 && left + filterWidth <= width) {
        const place: usize = base + (<usize>((ih * width + left) * channels) << 2)
        if (addBack) addFloats(p, place, filterWidth * channels)
        else copyFloats(place, p, filterWidth * channels)
        p += <usize>(filterWidth * channels) << 2
        continue
      }
      for (let fw = 0; fw < filterWidth; fw++) {
        const iw = left + fw * dilationWidth
        if (inside && iw >= 0 && iw < width) {
          const place: usize = base + (<usize>((ih * width + iw) * channels) << 2)
          if (addBack) addFloats(p, place, channels)
          else copyFloats(place, p, channels)
        } else if (!addBack) zeroFloats(p, channels)
        p += <usize>channels << 2
      }
    }
  }
}
