// Pools and depthwise convolutions: window by window, channels innermost, NHWC.

import { activate } from './activation'
import { at, copyFloats, zeroFloats } from './copy'
import { fill } from './fill'
import { fma, splat } from './simd'

// @ts-ignore: decorator
@inline
function imageSize(g: usize): i32 {
  return at(g, 0) * at(g, 1) * at(g, 2) * at(g, 3)
}

// @ts-ignore: decorator
@inline
function outSize(g: usize): i32 {
  return at(g, 0) * at(g, 4) * at(g, 5) * at(g, 6)
}

/** See ../exports.ts. */
export function maxPool(x: usize, out: usize, g: usize): void {
  fill(0, out, outSize(g), -Infinity)
  eachTap<Max>(x, 0, out, g)
}

/** See ../exports.ts. */
export function avgPool(x: usize, out: usize, g: usize): void {
  zeroFloats(out, outSize(g))
  eachTap<Mean>(x, 0, out, g)
}

/** See ../exports.ts. */
export function avgPoolGrad(dy: usize, dx: usize, g: usize): void {
  zeroFloats(dx, imageSize(g))
  eachTap<MeanGrad>(dx, 0, dy, g)
}

/** See ../exports.ts. */
export function depthwiseConv2d(x: usize, filter: usize, bias: usize, activation: i32, out: usize, g: usize): void {
  const channels = at(g, 6)
  const pixels = at(g, 0) * at(g, 4) * at(g, 5)
  if (bias) for (let i = 0; i < pixels; i++) copyFloats(bias, out + (<usize>(i * channels) << 2), channels)
  else zeroFloats(out, outSize(g))
  eachTap<Depthwise>(x, filter, out, g)
  activate(activation, out, outSize(g))
}

/** See ../exports.ts. */
export function depthwiseConv2dInputGrad(dy: usize, filter: usize, dx: usize, g: usize): void {
  zeroFloats(dx, imageSize(g))
  eachTap<DepthwiseInputGrad>(dx, filter, dy, g)
}

/** See ../exports.ts. */
export function depthwiseConv2dFilterGrad(x: usize, dy: usize, dFilter: usize, g: usize): void {
  zeroFloats(dFilter, at(g, 7) * at(g, 8) * at(g, 6))
  eachTap<DepthwiseFilterGrad>(x, dFilter, dy, g)
}

class Max {}
class Mean {}
class MeanGrad {}
class Depthwise {}
class DepthwiseInputGrad {}
class DepthwiseFilterGrad {}

/** How many of `size` taps from `start` on, `dilation` apart, lie in 0 .. limit - 1. */
function countInside(start: i32, size: i32, dilation: i32, limit: i32): i32 {
  let count = 0
  for (let i = 0; i < size; i++) {
    const at = start + i * dilation
    if (at >= 0 && at < limit) count++
  }
  return count
}

function eachTap<Op>(x: usize, filter: usize, out: usize, g: usize): void {
  const height = at(g, 1), width = at(g, 2), channels = at(g, 3), outChannels = at(g, 6)
  const multiplier = channels > 0 ? outChannels / channels : 1
  const filterHeight = at(g, 7), filterWidth = at(g, 8)
  for (let b = 0; b < at(g, 0); b++)
    for (let oh = 0; oh < at(g, 4); oh++)
      for (let ow = 0; ow < at(g, 5); ow++) {
        const top = oh * at(g, 9) - at(g, 13)
        const left = ow * at(g, 10) - at(g, 14)
        let share: f32 = 1
        if (idof<Op>() == idof<Mean>() || idof<Op>() == idof<MeanGrad>()) {
          const rows = countInside(top, filterHeight, at(g, 11), height)
          share = 1 / <f32>(rows * countInside(left, filterWidth, at(g, 12), width))
        }
        for (let fh = 0; fh < filterHeight; fh++) {
          const ih = top + fh * at(g, 11)
          if (ih < 0 || ih >= height) continue
          for (let fw = 0; fw < filterWidth; fw++) {
            const iw = left + fw * at(g, 12)
            if (iw < 0 || iw >= width) continue
            const pixel: usize = x + (<usize>(((b * height + ih) * width + iw) * channels) << 2)
            const tap: usize = filter + (<usize>((fh * filterWidth + fw) * outChannels) << 2)
            if (multiplier == 1) eachChannel<Op>(pixel, tap, out, channels, share)
            else eachProduct<Op>(pixel, tap, out, channels, multiplier)
          }
        }
        out += <usize>outChannels << 2
      }
}

// @ts-ignore: decorator
@inline
function eachChannel<Op>(x: usize, filter: usize, out: usize, channels: i32, share: f32): void {
  let c = 0
  for (; c + 4 <= channels; c += 4) {
    const i: usize = <usize>c << 2
    if (idof<Op>() == idof<Max>()) v128.store(out + i, f32x4.max(v128.load(out + i), v128.load(x + i)))
    else if (idof<Op>() == idof<Mean>()) v128.store(out + i, fma(v128.load(x + i), splat(share), v128.load(out + i)))
    else if (idof<Op>() == idof<MeanGrad>()) v128.store(x + i, fma(v128.load(out + i), splat(share), v128.load(x + i)))
    else if (idof<Op>() == idof<Depthwise>())
      v128.store(out + i, fma(v128.load(x + i), v128.load(filter + i), v128.load(out + i)))
    else if (idof<Op>() == idof<DepthwiseInputGrad>())
      v128.store(x + i, fma(v128.load(out + i), v128.load(filter + i), v128.load(x + i)))
    else v128.store(filter + i, fma(v128.load(x + i), v128.load(out + i), v128.load(filter + i)))
  }
  for (; c < channels; c++) {
    const i: usize = <usize>c << 2
    if (idof<Op>() == idof<Max>()) store<f32>(out + i, max<f32>(load<f32>(out + i), load<f32>(x + i)))
    else if (idof<Op>() == idof<Mean>()) store<f32>(out + i, load<f32>(out + i) + load<f32>(x + i) * share)
    else if (idof<Op>() == idof<MeanGrad>()) store<f32>(x + i, load<f32>(x + i) + load<f32>(out + i) * share)
    else product<Op>(x + i, filter + i, out + i)
  }
}

/** Depthwise with several outputs for each channel. */
function eachProduct<Op>(x: usize, filter: usize, out: usize, channels: i32, multiplier: i32): void {
  for (let c = 0; c < channels; c++) {
    for (let q = 0; q < multiplier; q++) {
      product<Op>(x, filter, out)
      filter += 4
      out += 4
    }
    x += 4
  }
}

// @ts-ignore: decorator
@inline
function product<Op>(x: usize, filter: usize, out: usize): void {
  if (idof<Op>() == idof<Depthwise>()) store<f32>(out, load<f32>(out) + load<f32>(x) * load<f32>(filter))
  else if (idof<Op>() == idof<DepthwiseInputGrad>()) store<f32>(x, load<f32>(x) + load<f32>(out) * load<f32>(filter))
  else store<f32>(filter, load<f32>(filter) + load<f32>(x) * load<f32>(out))
}

/** See ../exports.ts. */
export function maxPoolGrad(x: usize, dy: usize, dx: usize, g: usize): void {
  const height = at(g, 1), width = at(g, 2), channels = at(g, 3)
  zeroFloats(dx, imageSize(g))
  for (let b = 0; b < at(g, 0); b++)
    for (let oh = 0; oh < at(g, 4); oh++)
      for (let ow = 0; ow < at(g, 5); ow++)
        for (let c = 0; c < channels; c++) {
          const top = oh * at(g, 9) - at(g, 13)
          const left = ow * at(g, 10) - at(g, 14)
          let best: f32 = 0
          let place = -1
          for (let fh = 0; fh < at(g, 7); fh++) {
            const ih = top + fh * at(g, 11)
            if (ih < 0 || ih >= height) continue
            for (let fw = 0; fw < at(g, 8); fw++) {
              const iw = left + fw * at(g, 12)
              if (iw < 0 || iw >= width) continue
              const index = ((b * height + ih) * width + iw) * channels + c
              const value = load<f32>(x + (<usize>index << 2))
              if (place < 0 || value > best) {
                best = value
                place = index
              }
            }
          }
          if (place >= 0) {
            const to: usize = dx + (<usize>place << 2)
            store<f32>(to, load<f32>(to) + load<f32>(dy))
          }
          dy += 4
        }
}
