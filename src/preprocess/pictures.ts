/** Columns of pictures, `[rows, height, width]` or `[rows, height, width, channels]`. @module */

import { ShapeError } from '../core/index.js'

/** Measures of one picture. */
export interface PictureSize {
  height: number
  width: number
  channels: number
}

/** @throws {ShapeError} unless a column `[rows, ...]` holds a picture per row. */
export function checkPictures(kind: string, shape: readonly number[], name: string): void {
  if ((shape.length !== 3 && shape.length !== 4) || shape.slice(1).some((length) => length === 0))
    throw new ShapeError(`${kind} needs a picture per row in the column "${name}".`, {
      expected: '[rows, height, width] or [rows, height, width, channels]',
      received: shape,
    })
}

/** @param shape - Of one picture: `[height, width]` or `[height, width, channels]`. */
export function sizeOfPicture([height, width, channels = 1]: readonly number[]): PictureSize {
  return { height: height!, width: width!, channels }
}

/**
 * Where each pixel of a picture comes from: x' = xx x + xy y + x0 and y' = yx x + yy y + y0, in pixels from the middle
 * of the picture, y downwards.
 */
export interface Mapping {
  xx: number
  xy: number
  x0: number
  yx: number
  yy: number
  y0: number
}

/** What leaves a picture as it is. */
export const identityMapping: Mapping = { xx: 1, xy: 0, x0: 0, yx: 0, yy: 1, y0: 0 }

/** Turns a picture counter-clockwise about its middle. */
export function rotation(degrees: number): Mapping {
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)]
  return { ...identityMapping, xx: cosine, xy: -sine, yx: sine, yy: cosine }
}

/**
 * The picture whose pixels are taken from where a mapping says, interpolated between the four around there.
 *
 * @param values - `[height, width, channels]`.
 * @param fill - What lies outside of the picture.
 */
export function warp(values: Float32Array, size: PictureSize, mapping: Mapping, fill: number): Float32Array {
  const { height, width, channels } = size
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  const warped = new Float32Array(values.length)
  for (let y = 0, place = 0; y < height; y++)
    for (let x = 0; x < width; x++, place += channels) {
      const [u, v] = [x - middleX, y - middleY]
      const fromX = mapping.xx * u + mapping.xy * v + mapping.x0 + middleX
      const fromY = mapping.yx * u + mapping.yy * v + mapping.y0 + middleY
      const left = Math.floor(fromX)
      const top = Math.floor(fromY)
      const shareX = fromX - left
      const shareY = fromY - top
      const isInside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height
      const first = (top * width + left) * channels
      if (isInside)
        for (let c = 0; c < channels; c++) {
          const at = first + c
          const below = at + width * channels
          const upper = values[at]! + (values[at + channels]! - values[at]!) * shareX
          const lower = values[below]! + (values[below + channels]! - values[below]!) * shareX
          warped[place + c] = upper + (lower - upper) * shareY
        }
      else
        for (let c = 0; c < channels; c++) {
          let sum = 0
          for (let corner = 0; corner < 4; corner++) {
            const [right, low] = [corner & 1, corner >> 1]
            const weight = (right ? shareX : 1 - shareX) * (low ? shareY : 1 - shareY)
            if (weight === 0) continue
            const isThere = left + right >= 0 && left + right < width && top + low >= 0 && top + low < height
            sum += weight * (isThere ? values[first + (low * width + right) * channels + c]! : fill)
          }
          warped[place + c] = sum
        }
    }
  return warped
}
