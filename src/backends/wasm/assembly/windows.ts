// Pools and depthwise convolutions: window by window, channels innermost, NHWC.

import { activateRows, highest, lowest } from './activation'
import { at, zeroFloats } from './copy'
import { Depthwise, foldWindow, Max, Mean } from './window-fold'
import { DepthwiseFilterGrad, DepthwiseInputGrad, maxGradWindow, MeanGrad, spreadWindow } from './window-spread'

class MaxGrad {}

// @ts-ignore: decorator
@inline
function imageSize(g: usize): i32 {
  return at(g, 0) * at(g, 1) * at(g, 2) * at(g, 3)
}

/** See ../exports.ts. */
export function maxPool(x: usize, out: usize, g: usize): void {
  eachWindow<Max>(x, 0, 0, 0, out, g)
}

/** See ../exports.ts. */
export function maxPoolGrad(x: usize, dy: usize, dx: usize, g: usize): void {
  zeroFloats(dx, imageSize(g))
  eachWindow<MaxGrad>(x, dx, 0, 0, dy, g)
}

/** See ../exports.ts. */
export function avgPool(x: usize, out: usize, g: usize): void {
  eachWindow<Mean>(x, 0, 0, 0, out, g)
}

/** See ../exports.ts. */
export function avgPoolGrad(dy: usize, dx: usize, g: usize): void {
  zeroFloats(dx, imageSize(g))
  eachWindow<MeanGrad>(dx, 0, 0, 0, dy, g)
}

/** See ../exports.ts. */
export function depthwiseConv2d(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  eachWindow<Depthwise>(x, filter, bias, activation, out, g)
  if (activation > 2) activateRows(activation, out, 0, 1, at(g, 0) * at(g, 4) * at(g, 5) * at(g, 6))
}

/** See ../exports.ts. */
export function depthwiseConv2dInputGrad(dy: usize, filter: usize, dx: usize, g: usize): void {
  zeroFloats(dx, imageSize(g))
  eachWindow<DepthwiseInputGrad>(dx, filter, 0, 0, dy, g)
}

/** See ../exports.ts. */
export function depthwiseConv2dFilterGrad(x: usize, dy: usize, dFilter: usize, g: usize): void {
  zeroFloats(dFilter, at(g, 7) * at(g, 8) * at(g, 6))
  eachWindow<DepthwiseFilterGrad>(x, dFilter, 0, 0, dy, g)
}

/** The first of `size` taps from `start` on, `dilation` apart, that does not lie below 0. */
// @ts-ignore: decorator
@inline
function firstInside(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation
}

/** How many taps from the first inside on lie below `limit`. */
// @ts-ignore: decorator
@inline
function countInside(start: i32, first: i32, size: i32, dilation: i32, limit: i32): i32 {
  const room = limit - 1 - start
  const end = room >= (size - 1) * dilation ? size : room < 0 ? 0 : room / dilation + 1
  return max(0, end - first)
}

/** Visits each window with the part of it that lies inside the image. maxPoolGrad's `filter` is dx. */
function eachWindow<Op>(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  const height = at(g, 1), width = at(g, 2), channels = at(g, 3), outChannels = at(g, 6)
  const filterHeight = at(g, 7), filterWidth = at(g, 8)
  const dilationHeight = at(g, 11), dilationWidth = at(g, 12)
  const multiplier = channels > 0 ? outChannels / channels : 1
  const outBytes: usize = <usize>outChannels << 2
  const filterRow: usize = outBytes * filterWidth
  const pixelBytes: usize = <usize>channels << 2
  const step: usize = pixelBytes * dilationWidth
  const rowStep: usize = pixelBytes * width * dilationHeight
  const lo = lowest(activation)
  const hi = highest(activation)
  for (let b = 0; b < at(g, 0); b++)
    for (let oh = 0; oh < at(g, 4); oh++) {
      const top = oh * at(g, 9) - at(g, 13)
      const fh = firstInside(top, dilationHeight)
      const rows = countInside(top, fh, filterHeight, dilationHeight, height)
      const line = (b * height + top + fh * dilationHeight) * width
      let left = -at(g, 14)
      for (let ow = 0; ow < at(g, 5); ow++) {
        const fw = firstInside(left, dilationWidth)
        const columns = countInside(left, fw, filterWidth, dilationWidth, width)
        const pixel: usize = <usize>(line + left + fw * dilationWidth) * pixelBytes
        const tap: usize = filter + <usize>(fh * filterWidth + fw) * outBytes
        if (idof<Op>() == idof<MaxGrad>())
          maxGradWindow(x + pixel, filter + pixel, out, rows, columns, rowStep, step, channels)
        else if (idof<Op>() == idof<Max>() || idof<Op>() == idof<Mean>() || idof<Op>() == idof<Depthwise>())
          foldWindow<Op>(
            x + pixel, tap, bias, out, rows, columns, rowStep, step, filterRow, channels, multiplier, lo, hi,
          )
        else
          spreadWindow<Op>(x + pixel, tap, out, rows, columns, rowStep, step, filterRow, channels, multiplier)
        out += outBytes
        left += at(g, 10)
      }
    }
}
