/** A part of each picture. @module */

import { createTypedArray, type Random, ShapeError, typedArrayName, withDefaults } from '../../core/index.js'
import type { Columns } from '../../data/index.js'
import { checkChoice, checkCounts, checkNumbers } from '../check-options.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import { checkPictures, sizeOfPicture } from '../pictures.js'
import type { RandomOf, Step } from '../step.js'

/** Options of `crop`. */
export interface CropOptions {
  /** Pixels. */
  height: number
  /** Pixels. */
  width: number
  /** Where the part lies: in the middle, or in training anywhere, otherwise in the middle. @default 'center' */
  at?: 'center' | 'random'
  /** Pixels put on each side before, so that a random part may reach over the edge. @default 0 */
  padding?: number
  /** Value of the padding. @default 0 */
  fill?: number
}

/**
 * Cuts a part of the same size out of each picture, `[rows, height, width, channels]`, of the same kind of numbers.
 *
 * @param columns - Columns `[rows, height, width]` or `[rows, height, width, channels]`.
 * @throws {ShapeError} where a picture with its padding is smaller than the part.
 * @example
 * new Preprocessor([crop('x', { height: 32, width: 32, at: 'random', padding: 4 })])
 */
export function crop(columns: string | readonly string[], options: CropOptions): Step {
  const { height, width, at, padding, fill } = withDefaults('crop', options, {
    height: undefined,
    width: undefined,
    at: 'center',
    padding: 0,
    fill: 0,
  })
  checkCounts('crop', { height, width }, 1)
  checkCounts('crop', { padding })
  checkChoice('crop', 'at', at, ['center', 'random'])
  checkNumbers('crop', { fill })
  const names = namesOf(columns)

  function cropped(columns: Columns, randomOf?: RandomOf): Columns {
    return mapNumbers(columns, names, 'crop', (data, pictures, name) => {
      checkPictures('crop', pictures, name)
      const [rows, ...shape] = pictures as [number, ...number[]]
      const size = sizeOfPicture(shape)
      const [freeY, freeX] = [size.height + 2 * padding - height, size.width + 2 * padding - width]
      if (freeY < 0 || freeX < 0)
        throw new ShapeError(`The pictures in the column "${name}" are too small for crop.`, {
          expected: `at least ${height} x ${width} pixels`,
          received: `${size.height} x ${size.width}, and a padding of ${padding}`,
          remedy: 'Put resize before it, or pass more padding',
        })
      const { channels } = size
      const values = createTypedArray(typedArrayName(data), rows * height * width * channels)
      if (padding > 0 && fill !== 0) values.fill(fill)
      for (let row = 0; row < rows; row++) {
        const random = randomOf?.(row)
        const [top, left] = [offset(freeY, random) - padding, offset(freeX, random) - padding]
        const [from, to] = [Math.max(0, left), Math.min(size.width, left + width)]
        for (let y = Math.max(0, top); y < Math.min(size.height, top + height); y++) {
          const line = (row * size.height + y) * size.width
          const into = (row * height + y - top) * width + from - left
          if (to > from) values.set(data.subarray((line + from) * channels, (line + to) * channels), into * channels)
        }
      }
      return { data: values, shape: [rows, height, width, ...shape.slice(2)] }
    })
  }

  return {
    kind: 'crop',
    options: { columns: names, height, width, at, padding, fill },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply: (columns) => cropped(columns),
    ...(at === 'random' && { augment: cropped }),
  }
}

/** Pixels before the part, of those that are not in it. */
const offset = (free: number, random: Random | undefined) => (random ? random.integer(free + 1) : Math.floor(free / 2))
