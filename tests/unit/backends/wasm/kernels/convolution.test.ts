import { describe, expect, it } from 'vitest'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const scratch = arena.room(2 ** 20)
/** The least that the kernels promise to work with, so that each operand comes in many blocks, and what they ask for. */
const scratchSizes = [2 ** 16, 2 ** 22]

/** [batch, height, width, channels, outHeight, outWidth, outChannels, filter 2, stride 2, dilation 2, pad 2] */
const geometries = [
  [2, 7, 6, 3, 7, 6, 5, 3, 3, 1, 1, 1, 1, 1, 1],
  [1, 9, 8, 2, 4, 4, 9, 3, 2, 2, 2, 1, 1, 0, 0],
  [2, 8, 8, 4, 8, 8, 8, 3, 3, 1, 1, 2, 2, 2, 2],
  [3, 5, 5, 7, 5, 5, 12, 1, 1, 1, 1, 1, 1, 0, 0],
  [0, 5, 5, 2, 5, 5, 2, 1, 1, 1, 1, 1, 1, 0, 0],
  // More rows of patches than fit into scratch at once.
  [2, 40, 40, 8, 40, 40, 3, 5, 5, 1, 1, 1, 1, 2, 2],
  // Winograd's products: even and odd sizes, many tiles, outputs beyond the image, rows that no window reaches.
  [2, 13, 12, 16, 11, 10, 32, 3, 3, 1, 1, 1, 1, 0, 0],
  [3, 9, 8, 32, 9, 8, 16, 3, 3, 1, 1, 1, 1, 1, 1],
  [1, 31, 30, 20, 31, 30, 24, 3, 3, 1, 1, 1, 1, 1, 1],
  [1, 6, 7, 20, 9, 11, 24, 3, 3, 1, 1, 1, 1, 2, 2],
  [2, 9, 9, 16, 6, 5, 16, 3, 3, 1, 1, 1, 1, 0, 1],
  [1, 8, 8, 16, 8, 8, 16, 3, 3, 1, 1, 1, 1, 3, 1],
  [0, 8, 8, 16, 8, 8, 16, 3, 3, 1, 1, 1, 1, 1, 1],
]

/** Any strides, dilations and paddings, also such that windows miss the image. */
function randomGeometry(random: ReturnType<typeof seeded>): number[] {
  const [height, width] = [random.integer(1, 14), random.integer(1, 14)]
  const [channels, outChannels] = [random.integer(1, 40), random.integer(1, 24)]
  const filter = [random.integer(1, 4), random.integer(1, 4)]
  const stride = [random.integer(1, 3), random.integer(1, 3)]
  const dilation = [random.integer(1, 3), random.integer(1, 3)]
  const span = filter.map((size, i) => (size - 1) * dilation[i]! + 1)
  const pad = span.map((size) => random.integer(0, size - 1))
  const out = [height, width].map((size, i) => {
    const room = size + pad[i]! + random.integer(0, span[i]! - 1) - span[i]!
    return Math.max(0, Math.floor(room / stride[i]!) + 1)
  })
  return [random.integer(1, 3), height, width, channels, ...out, outChannels, ...filter, ...stride, ...dilation, ...pad]
}
const draw = seeded(11)
geometries.push(...Array.from({ length: 40 }, () => randomGeometry(draw)))

/** Calls back for each pair of image and output pixel that a filter tap joins. */
function eachTap(g: number[], visit: (image: number, out: number, tap: number) => void) {
  const [batch, height, width, , outHeight, outWidth, , fHeight, fWidth, sHeight, sWidth, dHeight, dWidth, top, left] =
    g as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  for (let b = 0; b < batch; b++)
    for (let oh = 0; oh < outHeight; oh++)
      for (let ow = 0; ow < outWidth; ow++)
        for (let fh = 0; fh < fHeight; fh++)
          for (let fw = 0; fw < fWidth; fw++) {
            const ih = oh * sHeight - top + fh * dHeight
            const iw = ow * sWidth - left + fw * dWidth
            if (ih >= 0 && ih < height && iw >= 0 && iw < width)
              visit((b * height + ih) * width + iw, (b * outHeight + oh) * outWidth + ow, fh * fWidth + fw)
          }
}

describe.each(geometries)('convolution and pools %i %i %i %i %i %i %i %i %i %i %i %i %i %i %i', (...g) => {
  const [batch, height, width, channels, outHeight, outWidth, outChannels, fHeight, fWidth] = g as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const imageSize = batch * height * width * channels
  const outPixels = batch * outHeight * outWidth
  const random = seeded(imageSize + fHeight)
  const x = random.floats(imageSize)

  it.each(scratchSizes)('conv2d and its gradients with %i bytes of scratch', (scratchBytes) => {
    arena.wasm.setScratch(scratch, scratchBytes)
    arena.reset()
    arena.room(2 ** 20)
    const filter = random.floats(fHeight * fWidth * channels * outChannels)
    const dy = random.floats(outPixels * outChannels)
    const bias = random.floats(outChannels)
    const out = Array.from(dy, (_, i) => bias[i % outChannels]!)
    const dx = new Array<number>(imageSize).fill(0)
    const dFilter = new Array<number>(filter.length).fill(0)
    eachTap(g, (image, pixel, tap) => {
      for (let c = 0; c < channels; c++)
        for (let o = 0; o < outChannels; o++) {
          const f = (tap * channels + c) * outChannels + o
          out[pixel * outChannels + o]! += x[image * channels + c]! * filter[f]!
          dx[image * channels + c]! += dy[pixel * outChannels + o]! * filter[f]!
          dFilter[f]! += x[image * channels + c]! * dy[pixel * outChannels + o]!
        }
    })
    const geometry = arena.ints(g)
    const [atX, atFilter, atDy] = [arena.floats(x), arena.floats(filter), arena.floats(dy)]
    const [atOut, atDx, atDFilter] = [arena.room(out.length), arena.room(imageSize), arena.room(filter.length)]
    arena.wasm.conv2d(atX, atFilter, arena.floats(bias), 1, atOut, geometry)
    arena.wasm.conv2dInputGrad(atDy, atFilter, atDx, geometry)
    arena.wasm.conv2dFilterGrad(atX, atDy, atDFilter, geometry)
    const relu = out.map((value) => Math.max(0, value))
    expect(worstError(arena.readFloats(atOut, out.length), relu)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(atDx, imageSize), dx)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(atDFilter, filter.length), dFilter)).toBeLessThan(5e-5)
  })

  it.each([1, 2, 5])('depthwise and its gradients, multiplier %i', (multiplier) => {
    arena.reset()
    arena.room(2 ** 20)
    const wide = channels * multiplier
    const filter = random.floats(fHeight * fWidth * wide)
    const dy = random.floats(outPixels * wide)
    const out = new Array<number>(dy.length).fill(0)
    const dx = new Array<number>(imageSize).fill(0)
    const dFilter = new Array<number>(filter.length).fill(0)
    eachTap(g, (image, pixel, tap) => {
      for (let o = 0; o < wide; o++) {
        const c = image * channels + Math.floor(o / multiplier)
        out[pixel * wide + o]! += x[c]! * filter[tap * wide + o]!
        dx[c]! += dy[pixel * wide + o]! * filter[tap * wide + o]!
        dFilter[tap * wide + o]! += x[c]! * dy[pixel * wide + o]!
      }
    })
    const geometry = arena.ints(g.with(6, wide))
    const [atX, atFilter, atDy] = [arena.floats(x), arena.floats(filter), arena.floats(dy)]
    const [atOut, atDx, atDFilter] = [arena.room(out.length), arena.room(imageSize), arena.room(filter.length)]
    arena.wasm.depthwiseConv2d(atX, atFilter, 0, 0, atOut, geometry)
    arena.wasm.depthwiseConv2dInputGrad(atDy, atFilter, atDx, geometry)
    arena.wasm.depthwiseConv2dFilterGrad(atX, atDy, atDFilter, geometry)
    expect(worstError(arena.readFloats(atOut, out.length), out)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(atDx, imageSize), dx)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(atDFilter, filter.length), dFilter)).toBeLessThan(5e-5)
  })

  it('pools and their gradients', () => {
    arena.reset()
    arena.room(2 ** 20)
    // Few values, so that windows hold several maxima; + 0 because -0 and 0 are different maxima.
    const image = x.map((value) => Math.round(value * 2) + 0)
    const size = outPixels * channels
    const dy = random.floats(size)
    const largest = new Array<number>(size).fill(-Infinity)
    const where = new Array<number>(size).fill(-1)
    const sum = new Array<number>(size).fill(0)
    const count = new Array<number>(outPixels).fill(0)
    eachTap(g, (at, pixel) => {
      count[pixel]!++
      for (let c = 0; c < channels; c++) {
        const value = image[at * channels + c]!
        sum[pixel * channels + c]! += value
        if (value > largest[pixel * channels + c]!) {
          largest[pixel * channels + c] = value
          where[pixel * channels + c] = at * channels + c
        }
      }
    })
    const dMax = new Array<number>(imageSize).fill(0)
    const dMean = new Array<number>(imageSize).fill(0)
    where.forEach((at, i) => {
      if (at >= 0) dMax[at]! += dy[i]!
    })
    eachTap(g, (at, pixel) => {
      for (let c = 0; c < channels; c++) dMean[at * channels + c]! += dy[pixel * channels + c]! / count[pixel]!
    })
    const geometry = arena.ints(g.with(6, channels))
    const [atX, atDy, out, dx] = [arena.floats(image), arena.floats(dy), arena.room(size), arena.room(imageSize)]
    arena.wasm.maxPool(atX, out, geometry)
    expect([...arena.readFloats(out, size)]).toEqual(largest)
    arena.wasm.maxPoolGrad(atX, atDy, dx, geometry)
    expect(worstError(arena.readFloats(dx, imageSize), dMax)).toBeLessThan(1e-5)
    arena.wasm.avgPool(atX, out, geometry)
    expect(
      worstError(
        arena.readFloats(out, size),
        sum.map((s, i) => s / Math.max(1, count[Math.floor(i / channels)]!)),
      ),
    ).toBeLessThan(1e-6)
    arena.wasm.avgPoolGrad(atDy, dx, geometry)
    expect(worstError(arena.readFloats(dx, imageSize), dMean)).toBeLessThan(1e-5)
  })
})

it('a NaN comes out of a maximum, the gradient goes to the first maximum', () => {
  arena.reset()
  arena.room(2 ** 20)
  const geometry = arena.ints([1, 1, 6, 1, 1, 3, 1, 1, 2, 1, 2, 1, 1, 0, 0])
  const image = arena.floats([2, 2, 1, Number.NaN, Number.NaN, 3])
  const [out, dx] = [arena.room(3), arena.room(6)]
  arena.wasm.maxPool(image, out, geometry)
  expect([...arena.readFloats(out, 3)]).toEqual([2, Number.NaN, Number.NaN])
  arena.wasm.maxPoolGrad(image, arena.floats([5, 6, 7]), dx, geometry)
  expect([...arena.readFloats(dx, 6)]).toEqual([5, 0, 6, 0, 7, 0])
})
