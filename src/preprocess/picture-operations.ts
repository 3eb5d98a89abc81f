/**
 * The changes of pictures that RandAugment draws from. Ranges are those of torchvision, after the paper's.
 *
 * @see Cubuk et al. 2019, https://arxiv.org/abs/1909.13719
 * @module
 */

import { identityMapping, type Mapping, type PictureSize, rotation, warp } from './pictures.js'

/** A picture that may be changed. */
interface Picture extends PictureSize {
  /** `[height, width, channels]`, from 0 to `white`. */
  values: Float32Array
  /** The value of full light. */
  white: number
  /** What comes in from outside. */
  fill: number
}

/** Name of a change of pictures. */
export type PictureOperation =
  | 'identity'
  | 'shearX'
  | 'shearY'
  | 'translateX'
  | 'translateY'
  | 'rotate'
  | 'brightness'
  | 'color'
  | 'contrast'
  | 'sharpness'
  | 'posterize'
  | 'solarize'
  | 'autoContrast'
  | 'equalize'

/** Changes a picture; returns the values, in the same array or a new one. `strength` is from 0 to 1. */
type Operation = (picture: Picture, strength: number, sign: 1 | -1) => Float32Array

/** Light of red, green and blue, as ITU-R 601 weighs them. */
const LIGHT = [0.2989, 0.587, 0.114] as const
/** Widest shift, as a share of the picture. */
const SHIFT = 150 / 331

const moved = (picture: Picture, mapping: Partial<Mapping>) =>
  warp(picture.values, picture, { ...identityMapping, ...mapping }, picture.fill)
const factorOf = (strength: number, sign: number) => 1 + 0.9 * strength * sign

/** All of them, by name. */
export const pictureOperations: Record<PictureOperation, Operation> = {
  identity: ({ values }) => values,
  // Shears leave the upper left corner where it is.
  shearX: (picture, strength, sign) => {
    const share = 0.3 * strength * sign
    return moved(picture, { xy: share, x0: (share * picture.height) / 2 })
  },
  shearY: (picture, strength, sign) => {
    const share = 0.3 * strength * sign
    return moved(picture, { yx: share, y0: (share * picture.width) / 2 })
  },
  translateX: (picture, strength, sign) => moved(picture, { x0: -Math.floor(SHIFT * picture.width * strength) * sign }),
  translateY: (picture, strength, sign) =>
    moved(picture, { y0: -Math.floor(SHIFT * picture.height * strength) * sign }),
  rotate: (picture, strength, sign) => moved(picture, rotation(30 * strength * sign)),
  brightness: (picture, strength, sign) => blended(picture, () => 0, factorOf(strength, sign)),
  color: (picture, strength, sign) => {
    if (picture.channels < 3) return picture.values
    const light = lightOf(picture)
    return blended(picture, (i) => light[Math.floor(i / picture.channels)]!, factorOf(strength, sign))
  },
  contrast: (picture, strength, sign) => {
    const light = lightOf(picture)
    const mean = light.reduce((sum, value) => sum + value, 0) / light.length
    return blended(picture, () => mean, factorOf(strength, sign))
  },
  sharpness: (picture, strength, sign) => {
    const blurred = blur(picture)
    return blended(picture, (i) => blurred[i]!, factorOf(strength, sign))
  },
  posterize: (picture, strength) => {
    const step = 2 ** Math.round(4 * strength)
    return byLevel(picture, (level) => level - (level % step))
  },
  solarize: ({ values, white }, strength) =>
    values.map((value) => (value >= white * (1 - strength) ? white - value : value)),
  autoContrast: (picture) => {
    const { values, channels, white } = picture
    for (let c = 0; c < channels; c++) {
      let [least, most] = [Infinity, -Infinity]
      for (let i = c; i < values.length; i += channels) {
        least = Math.min(least, values[i]!)
        most = Math.max(most, values[i]!)
      }
      if (most > least)
        for (let i = c; i < values.length; i += channels) values[i] = ((values[i]! - least) * white) / (most - least)
    }
    return values
  },
  equalize: (picture) => {
    const { channels } = picture
    const tables = Array.from({ length: channels }, (_, c) => equalizingTable(picture, c))
    return byLevel(picture, (level, i) => tables[i % channels]![level]!)
  },
}

/** ratio * picture + (1 - ratio) * other, held to 0 .. white. */
function blended({ values, white }: Picture, other: (i: number) => number, ratio: number): Float32Array {
  for (let i = 0; i < values.length; i++)
    values[i] = Math.min(white, Math.max(0, ratio * values[i]! + (1 - ratio) * other(i)))
  return values
}

/** Brightness of each pixel, `[height * width]`. */
function lightOf({ values, height, width, channels }: Picture): Float32Array {
  return Float32Array.from({ length: height * width }, (_, pixel) => {
    const at = pixel * channels
    if (channels < 3) return values[at]!
    return LIGHT[0] * values[at]! + LIGHT[1] * values[at + 1]! + LIGHT[2] * values[at + 2]!
  })
}

/** Each pixel within the edges as a mean with its neighbours, itself five times. */
function blur({ values, height, width, channels }: Picture): Float32Array {
  const blurred = values.slice()
  const line = width * channels
  for (let y = 1; y < height - 1; y++)
    for (let i = y * line + channels; i < (y + 1) * line - channels; i++) {
      let sum = 4 * values[i]!
      for (let row = i - line; row <= i + line; row += line)
        sum += values[row - channels]! + values[row]! + values[row + channels]!
      blurred[i] = sum / 13
    }
  return blurred
}

/** The nearest of 256 levels of light. */
const levelOf = (value: number, white: number) => Math.min(255, Math.max(0, Math.round((value / white) * 255)))

function byLevel({ values, white }: Picture, f: (level: number, i: number) => number): Float32Array {
  return values.map((value, i) => (Number.isNaN(value) ? value : (f(levelOf(value, white), i) * white) / 255))
}

/** For each level the one that makes all levels equally frequent in a channel. */
function equalizingTable({ values, channels, white }: Picture, channel: number): Uint8ClampedArray {
  const counts = new Uint32Array(256)
  for (let i = channel; i < values.length; i += channels)
    if (!Number.isNaN(values[i]!)) counts[levelOf(values[i]!, white)]!++
  const top = counts.findLastIndex((count) => count > 0)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const step = Math.floor((total - (counts[top] ?? 0)) / 255)
  let below = 0
  return Uint8ClampedArray.from(counts, (count, level) => {
    const made = step === 0 ? level : Math.floor((below + Math.floor(step / 2)) / step)
    below += count
    return made
  })
}
