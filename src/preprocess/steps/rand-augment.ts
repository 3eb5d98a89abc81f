/** Pictures changed in whatever way. @module */

import { withDefaults } from '../../core/index.js'
import { checkChoice, checkCounts, checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { type PictureOperation, pictureOperations } from '../picture-operations.js'
import { checkPictures, sizeOfPicture } from '../pictures.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

const every = Object.keys(pictureOperations) as PictureOperation[]

/** Options of `randAugment`. */
export interface RandAugmentOptions {
  /** Changes of each picture, one after the other. @default 2 */
  count?: number
  /** Strength of all of them, from 0 to 30. @default 9 */
  magnitude?: number
  /** Which changes to draw from. @default all 14 */
  operations?: readonly PictureOperation[]
  /** The value of full light. @default 255 for whole numbers, 1 for others */
  white?: number
  /** What comes in where a picture is moved. @default 0 */
  fill?: number
}

/**
 * In training, changes each picture in a few ways drawn at random, all equally strong: moved, sheared or turned, lighter,
 * sharper, or with fewer colours. Otherwise does nothing.
 *
 * @param columns - Columns `[rows, height, width]` or `[rows, height, width, channels]`, from 0 to `white`; three
 *   channels are red, green and blue.
 * @see Cubuk et al. 2019, https://arxiv.org/abs/1909.13719
 * @example
 * new Preprocessor([randAugment('x', { magnitude: 5 }), scale('x', 1 / 255)])
 */
export function randAugment(columns: string | readonly string[], options: RandAugmentOptions = {}): Step {
  const { count, magnitude, operations, white, fill } = withDefaults('randAugment', options, {
    count: 2,
    magnitude: 9,
    operations: every,
    white: undefined,
    fill: 0,
  })
  checkCounts('randAugment', { count })
  checkNumbers('randAugment', { magnitude }, { from: 0, to: 30 })
  checkNumbers('randAugment', { white, fill })
  for (const operation of operations.length > 0 ? operations : ['(none)'])
    checkChoice('randAugment', 'operations', operation, every)
  return randomRows(
    'randAugment',
    namesOf(columns),
    { count, magnitude, operations: [...operations], white, fill },
    {
      check: (shape, name) => checkPictures('randAugment', shape, name),
      change(values, { shape, random, isWhole }) {
        const picture = { ...sizeOfPicture(shape), white: white ?? (isWhole ? 255 : 1), fill }
        let changed = values
        for (let i = 0; i < count; i++) {
          const operation = pictureOperations[operations[random.integer(operations.length)]!]
          const sign = random.integer(2) === 0 ? 1 : -1
          changed = operation({ ...picture, values: changed }, magnitude / 30, sign)
        }
        return changed
      },
    },
  )
}
