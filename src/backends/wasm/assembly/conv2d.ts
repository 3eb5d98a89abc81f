// Convolutions as matrix products over blocks of image patches ("im2col"), NHWC.
//
// The block of patches takes one half of the scratch range, matMul's packing the other. winograd.ts takes over where
// it needs fewer products.

import { at, zeroFloats } from './copy'
import { multiply } from './mat-mul'
import { cacheBytes, scratchSize, scratchStart } from './memory'
import { addPatches, copyPatches } from './patches'
import { isWinograd, winogradConv2d, winogradFilterGrad, winogradInputGrad } from './winograd'

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

/** Half of a cache or of a smaller scratch range, or one longer patch; traps when the packing would not fit beside it. */
function blockBytes(g: usize): usize {
  const bytes = max<usize>((min(scratchSize(), cacheBytes) / 2) & ~63, ((<usize>patchOf(g) << 2) + 63) & ~63)
  if (bytes + 32768 > scratchSize()) unreachable()
  return bytes
}

function blockRows(g: usize): i32 {
  return max<i32>(1, <i32>(blockBytes(g) / (<usize>max(1, patchOf(g)) << 2)))
}

/** See ../exports.ts. */
export function conv2d(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  if (isWinograd(g, at(g, 4), at(g, 5))) {
    winogradConv2d(x, filter, bias, activation, out, g)
    return
  }
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
    copyPatches(x, patches, row, rows, g)
    multiply(
      patches, filter, out + <usize>row * rowC, bias, activation, rows, columns, patch, 0, 0, rowA, rowC, rowC, 0,
      patches + used, scratchSize() - used,
    )
  }
}

/** See ../exports.ts. */
export function conv2dFilterGrad(x: usize, dy: usize, dFilter: usize, g: usize): void {
  if (isWinograd(g, at(g, 4), at(g, 5))) {
    winogradFilterGrad(x, dy, dFilter, g)
    return
  }
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
    copyPatches(x, patches, row, rows, g)
    multiply(
      patches, dy + <usize>row * rowC, dFilter, 0, 0, patch, columns, rows, 1, 0, rowA, rowC, rowC, row > 0 ? 1 : 0,
      patches + used, scratchSize() - used,
    )
  }
}

/** See ../exports.ts. */
export function conv2dInputGrad(dy: usize, filter: usize, dx: usize, g: usize): void {
  if (isWinograd(g, at(g, 1), at(g, 2))) {
    winogradInputGrad(dy, filter, dx, g)
    return
  }
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
    addPatches(dx, patches, row, rows, g)
  }
}
