// 3 x 3 convolutions with 16 products for 2 x 2 outputs where the sum over taps takes 36.
//
// After Lavin and Gray 2015, F(2x2, 3x3), https://arxiv.org/abs/1509.09308. Tiles of 4 x 4 pixels become 16 planes
// [tiles, channels]; each is multiplied by its plane of the transformed filter, [channels, outChannels].

import { activateRows, highest, lowest } from './activation'
import { at, zeroFloats } from './copy'
import { multiply } from './mat-mul'
import { scratchSize, scratchStart } from './memory'
import { filterToPlanes, imageToPlanes, outputsToPlanes, planesToFilter, planesToOutputs } from './winograd-transforms'

/** Fewer channels leave too little to multiply for what the transforms cost. */
const LEAST_CHANNELS: i32 = 16
const LEAST_TILES: i32 = 24
/** More would leave the second-level cache. */
const MOST_TILES: i32 = 96
/** Planes do not lie whole pages apart, as they would share a cache's sets. */
const PLANE_GAP: usize = 64
/** Addresses of 16 pixels. */
const TABLE_BYTES: usize = 128

// @ts-ignore: decorator
@inline
function planeBytes(rows: i32, columns: i32): usize {
  return (((<usize>(rows * columns) << 2) + 63) & ~63) + PLANE_GAP
}

/** What the transformed filter leaves of three quarters of the scratch range, in tiles. */
function tilesAtOnce(channels: i32, outChannels: i32): i32 {
  const taken: usize = 16 * planeBytes(channels, outChannels) + TABLE_BYTES + (<usize>max(channels, outChannels) << 2)
  const free: usize = scratchSize() - scratchSize() / 4
  const gaps: usize = 32 * (PLANE_GAP + 64)
  if (free <= taken + gaps) return 0
  return min(MOST_TILES, <i32>((free - taken - gaps) / (<usize>(channels + outChannels) << 6)))
}

/** Whether it is possible, and pays, for a product with so many outputs: those of the convolution, or dx. */
export function isWinograd(g: usize, outHeight: i32, outWidth: i32): bool {
  const channels = at(g, 3), outChannels = at(g, 6)
  if (at(g, 7) != 3 || at(g, 8) != 3 || at(g, 9) != 1 || at(g, 10) != 1 || at(g, 11) != 1 || at(g, 12) != 1) return false
  if (at(g, 13) > 2 || at(g, 14) > 2 || (channels & 3) || (outChannels & 3)) return false
  if (min(channels, outChannels) < LEAST_CHANNELS || tilesAtOnce(channels, outChannels) < LEAST_TILES) return false
  const tiles = ((outHeight + 1) >> 1) * ((outWidth + 1) >> 1)
  // Tiles reach beyond odd outputs: two thirds of the products have to remain at most. The batch has no say, so that
  // a row comes out the same whatever it is batched with.
  return 16 * tiles <= 6 * outHeight * outWidth
}

export function winogradConv2d(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  const channels = at(g, 3), outChannels = at(g, 6)
  const plane = planeBytes(channels, outChannels)
  const tapBytes: isize = <isize>(channels * outChannels) << 2
  filterToPlanes(filter, tapBytes, scratchStart(), plane, channels * outChannels)
  convolve(
    x, at(g, 1), at(g, 2), channels, bias, activation, out, at(g, 4), at(g, 5), outChannels, at(g, 0), at(g, 13),
    at(g, 14), plane, 0,
  )
}

/** The convolution of dy with the filter turned round. */
export function winogradInputGrad(dy: usize, filter: usize, dx: usize, g: usize): void {
  const channels = at(g, 3), outChannels = at(g, 6)
  const plane = planeBytes(channels, outChannels)
  const tapBytes: isize = <isize>(channels * outChannels) << 2
  filterToPlanes(filter + 8 * tapBytes, -tapBytes, scratchStart(), plane, channels * outChannels)
  convolve(
    dy, at(g, 4), at(g, 5), outChannels, 0, 0, dx, at(g, 1), at(g, 2), channels, at(g, 0), 2 - at(g, 13),
    2 - at(g, 14), plane, 1,
  )
}

/** With the planes of the filter, [channels, outChannels] or transposed, at the start of the scratch range. */
function convolve(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  bias: usize,
  activation: i32,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  batch: i32,
  top: i32,
  left: i32,
  filterPlane: usize,
  transposed: i32,
): void {
  const filterPlanes = scratchStart()
  const table: usize = filterPlanes + 16 * filterPlane
  const zeros: usize = table + TABLE_BYTES
  zeroFloats(zeros, channels)
  const most = tilesAtOnce(channels, outChannels)
  const plane = planeBytes(most, channels)
  const outPlane = planeBytes(most, outChannels)
  const planes: usize = (zeros + (<usize>channels << 2) + 63) & ~63
  const outPlanes: usize = planes + 16 * plane
  const packing: usize = outPlanes + 16 * outPlane
  const packingBytes: usize = scratchStart() + scratchSize() - packing
  const lo = lowest(activation), hi = highest(activation)
  const row: usize = <usize>channels << 2
  const outRow: usize = <usize>outChannels << 2
  const across = (outWidth + 1) >> 1, down = (outHeight + 1) >> 1
  const total = batch * down * across
  for (let first = 0; first < total; first += most) {
    const tiles = min(most, total - first)
    for (let t = 0; t < tiles; t++) {
      const line = (first + t) / across
      const column = (first + t - line * across) * 2
      const b = line / down
      listPixels(table, x, b, (line - b * down) * 2 - top, column - left, 4, height, width, row, zeros)
      imageToPlanes(table, planes + <usize>t * row, plane, channels)
    }
    for (let k: usize = 0; k < 16; k++)
      multiply(
        planes + k * plane, filterPlanes + k * filterPlane, outPlanes + k * outPlane, 0, 0, tiles, outChannels, channels,
        0, transposed, row, transposed ? row : outRow, outRow, 0, packing, packingBytes,
      )
    for (let t = 0; t < tiles; t++) {
      const line = (first + t) / across
      const column = (first + t - line * across) * 2
      const b = line / down
      const oh = (line - b * down) * 2
      planesToOutputs(
        outPlanes + <usize>t * outRow, outPlane, out + <usize>((b * outHeight + oh) * outWidth + column) * outRow,
        column + 1 < outWidth ? outRow : 0, oh + 1 < outHeight ? outRow * outWidth : 0, outChannels, bias, lo, hi,
      )
    }
  }
  if (activation > 2) activateRows(activation, out, 0, 1, batch * outHeight * outWidth * outChannels)
}

/** Backwards through the forward product: each plane of dFilter is (plane of x, transposed) times (plane of dy). */
export function winogradFilterGrad(x: usize, dy: usize, dFilter: usize, g: usize): void {
  const channels = at(g, 3), outChannels = at(g, 6), outHeight = at(g, 4), outWidth = at(g, 5)
  const filterPlane = planeBytes(channels, outChannels)
  const filterPlanes = scratchStart()
  const table: usize = filterPlanes + 16 * filterPlane
  const zeros: usize = table + TABLE_BYTES
  zeroFloats(zeros, max(channels, outChannels))
  const most = tilesAtOnce(channels, outChannels)
  const plane = planeBytes(most, channels)
  const outPlane = planeBytes(most, outChannels)
  const planes: usize = (zeros + (<usize>max(channels, outChannels) << 2) + 63) & ~63
  const outPlanes: usize = planes + 16 * plane
  const packing: usize = outPlanes + 16 * outPlane
  const packingBytes: usize = scratchStart() + scratchSize() - packing
  const row: usize = <usize>channels << 2
  const outRow: usize = <usize>outChannels << 2
  const across = (outWidth + 1) >> 1, down = (outHeight + 1) >> 1
  const total = at(g, 0) * down * across
  zeroFloats(filterPlanes, <i32>(4 * filterPlane))
  for (let first = 0; first < total; first += most) {
    const tiles = min(most, total - first)
    for (let t = 0; t < tiles; t++) {
      const line = (first + t) / across
      const column = (first + t - line * across) * 2
      const b = line / down
      const oh = (line - b * down) * 2
      listPixels(table, x, b, oh - at(g, 13), column - at(g, 14), 4, at(g, 1), at(g, 2), row, zeros)
      imageToPlanes(table, planes + <usize>t * row, plane, channels)
      listPixels(table, dy, b, oh, column, 2, outHeight, outWidth, outRow, zeros)
      outputsToPlanes(table, outPlanes + <usize>t * outRow, outPlane, outChannels)
    }
    for (let k: usize = 0; k < 16; k++)
      multiply(
        planes + k * plane, outPlanes + k * outPlane, filterPlanes + k * filterPlane, 0, 0, channels, outChannels, tiles,
        1, 0, row, outRow, outRow, 1, packing, packingBytes,
      )
  }
  planesToFilter(filterPlanes, filterPlane, dFilter, row * outChannels, channels * outChannels)
}

/** Addresses of size x size pixels, that of zeros for each outside the image. */
function listPixels(
  table: usize,
  image: usize,
  b: i32,
  top: i32,
  left: i32,
  size: i32,
  height: i32,
  width: i32,
  pixelBytes: usize,
  zeros: usize,
): void {
  for (let h = top; h < top + size; h++) {
    const line: usize = image + <usize>((b * height + h) * width) * pixelBytes
    for (let w = left; w < left + size; w++) {
      const inside = <u32>h < <u32>height && <u32>w < <u32>width
      store<usize>(table, inside ? line + <usize>w * pixelBytes : zeros)
      table += sizeof<usize>()
    }
  }
}
