/** Pictures of another size. @module */

import { createTypedArray, rowSize, typedArrayName, withDefaults } from '../../core/index.js'
import { checkChoice, checkCounts } from '../check-options.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import { checkPictures, type PictureSize, sizeOfPicture } from '../pictures.js'
import { storeRounded } from '../rounding.js'
import type { Step } from '../step.js'

/** Options of `resize`. */
export interface ResizeOptions {
  /** Pixels. */
  height: number
  /** Pixels. */
  width: number
  /** Between the nearest pixels, or the nearest alone. @default 'bilinear' */
  method?: 'bilinear' | 'nearest'
  /** Whether smaller pictures are means over all pixels that they stand for, and not only the nearest. @default true */
  antialias?: boolean
}

/**
 * Makes all pictures `[rows, height, width, channels]` of another size, stretched where the proportions differ. Kinds of
 * numbers stay: whole ones are rounded. NaN spreads to what is made from it. As `interpolate` of PyTorch does it with
 * the same antialias; 'nearest' is its 'nearest-exact'.
 *
 * @param columns - Columns `[rows, height, width]` or `[rows, height, width, channels]`.
 * @example
 * new Preprocessor([resize('x', { height: 64, width: 64 }), scale('x', 1 / 255)])
 */
export function resize(columns: string | readonly string[], options: ResizeOptions): Step {
  const { height, width, method, antialias } = withDefaults('resize', options, {
    height: undefined,
    width: undefined,
    method: 'bilinear',
    antialias: true,
  })
  checkCounts('resize', { height, width }, 1)
  checkChoice('resize', 'method', method, ['bilinear', 'nearest'])
  checkChoice('resize', 'antialias', antialias, [true, false])
  const names = namesOf(columns)
  const axis = (from: number, to: number) =>
    method === 'nearest' ? nearestTaps(from, to) : triangleTaps(from, to, antialias)
  return {
    kind: 'resize',
    options: { columns: names, height, width, method, antialias },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, 'resize', (data, shape, name) => {
        checkPictures('resize', shape, name)
        const [rows, ...rest] = shape as [number, ...number[]]
        const size = sizeOfPicture(rest)
        const taps = { down: axis(size.height, height), across: axis(size.width, width) }
        const picture = new Float32Array(rowSize(shape))
        const rowLength = height * width * size.channels
        const values = createTypedArray(typedArrayName(data), rows * rowLength)
        for (let row = 0; row < rows; row++) {
          picture.set(data.subarray(row * picture.length, (row + 1) * picture.length))
          storeRounded(resized(picture, size, taps), values.subarray(row * rowLength, (row + 1) * rowLength))
        }
        return { data: values, shape: [rows, height, width, ...rest.slice(2)] }
      })
    },
  }
}

/** What one pixel of an axis is made from: neighbours from `start` on, each with its weight. */
interface Taps {
  start: number
  weights: Float64Array
}

/** A triangle about the middle of each new pixel; with antialias as wide as the pixels that it stands for. */
function triangleTaps(from: number, to: number, antialias: boolean): Taps[] {
  const step = from / to
  const reach = antialias ? Math.max(1, step) : 1
  return Array.from({ length: to }, (_, i) => {
    const middle = (i + 0.5) * step
    const start = Math.max(0, Math.floor(middle - reach + 0.5))
    const end = Math.min(from, Math.floor(middle + reach + 0.5))
    const heights = Float64Array.from({ length: end - start }, (_, j) =>
      Math.max(0, 1 - Math.abs((start + j + 0.5 - middle) / reach)),
    )
    const sum = heights.reduce((total, value) => total + value, 0)
    return { start, weights: heights.map((value) => value / sum) }
  })
}

const nearestTaps = (from: number, to: number): Taps[] =>
  Array.from({ length: to }, (_, i) => ({
    start: Math.min(from - 1, Math.floor(((i + 0.5) * from) / to)),
    weights: Float64Array.of(1),
  }))

function resized(
  picture: Float32Array,
  { height, width, channels }: PictureSize,
  { down, across }: { down: Taps[]; across: Taps[] },
): Float32Array {
  const line = across.length * channels
  const narrowed = new Float32Array(height * line)
  for (let y = 0, place = 0; y < height; y++)
    for (const { start, weights } of across)
      for (let c = 0; c < channels; c++) {
        let at = (y * width + start) * channels + c
        let sum = 0
        for (let k = 0; k < weights.length; k++, at += channels) sum += weights[k]! * picture[at]!
        narrowed[place++] = sum
      }
  const made = new Float32Array(down.length * line)
  for (let y = 0; y < down.length; y++) {
    const { start, weights } = down[y]!
    for (let i = 0; i < line; i++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * narrowed[(start + k) * line + i]!
      made[y * line + i] = sum
    }
  }
  return made
}
