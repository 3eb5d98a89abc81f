/**
 * Drawn digits: the embedded stand-in for MNIST.
 * @module
 */

import { checkWhole, Random, withDefaults } from '../core/index.js'
import { Dataset } from './dataset.js'

type Point = readonly [x: number, y: number]
type Stroke = readonly Point[]

const SIDE = 28

/** An arc as a polyline: centre, radii, from and to in turns (0 is right, 0.25 is down). */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  const steps = Math.max(4, Math.ceil(Math.abs(to - from) * 24))
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / steps)
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)]
  })
}

/** Ways to write each digit, in a box from -1 to 1, y downwards. */
const STYLES: readonly (readonly Stroke[])[][] = [
  [[arc(0, 0, 0.55, 0.9, 0, 1)], [arc(0, 0, 0.75, 0.85, -0.2, 0.85)]],
  [
    [
      [
        [0, -0.9],
        [0, 0.9],
      ],
    ],
    [
      [
        [-0.35, -0.55],
        [0.05, -0.9],
        [0.05, 0.9],
      ],
    ],
    [
      [
        [-0.3, -0.5],
        [0.05, -0.9],
        [0.05, 0.9],
      ],
      [
        [-0.4, 0.9],
        [0.5, 0.9],
      ],
    ],
  ],
  [
    [[...arc(0, -0.4, 0.55, 0.5, 0.5, 1.08), [-0.6, 0.9], [0.65, 0.9]]],
    [[...arc(0, -0.45, 0.5, 0.45, 0.55, 1.2), ...arc(-0.3, 0.72, 0.25, 0.2, 0.75, 0.1), [0.6, 0.85]]],
  ],
  [
    [arc(-0.05, -0.45, 0.5, 0.45, 0.6, 1.25), arc(-0.05, 0.43, 0.58, 0.48, -0.25, 0.42)],
    [
      [
        [-0.5, -0.9],
        [0.5, -0.9],
        [-0.05, -0.1],
      ],
      arc(-0.05, 0.38, 0.55, 0.5, -0.25, 0.42),
    ],
  ],
  [
    [
      [
        [0.2, -0.9],
        [-0.65, 0.3],
        [0.65, 0.3],
      ],
      [
        [0.3, -0.3],
        [0.3, 0.9],
      ],
    ],
    [
      [
        [-0.5, -0.9],
        [-0.55, 0.1],
        [0.5, 0.05],
      ],
      [
        [0.5, -0.9],
        [0.45, 0.9],
      ],
    ],
  ],
  [
    [[[0.55, -0.9], [-0.45, -0.9], [-0.5, -0.1], ...arc(-0.05, 0.35, 0.55, 0.52, -0.32, 0.4)]],
    [
      [[-0.4, -0.85], [-0.45, -0.05], ...arc(-0.05, 0.38, 0.52, 0.5, -0.28, 0.4)],
      [
        [-0.4, -0.85],
        [0.6, -0.9],
      ],
    ],
  ],
  [
    [[...arc(0.35, 0.2, 0.9, 1.1, 0.72, 0.5), ...arc(0, 0.42, 0.5, 0.46, 0.5, 1.5)]],
    [[[0.35, -0.9], [-0.4, 0.15], ...arc(0.02, 0.45, 0.46, 0.44, 0.5, 1.5)]],
  ],
  [
    [
      [
        [-0.6, -0.85],
        [0.6, -0.85],
        [-0.15, 0.9],
      ],
    ],
    [
      [
        [-0.6, -0.85],
        [0.6, -0.85],
        [0, 0.9],
      ],
      [
        [-0.3, 0.05],
        [0.45, 0.05],
      ],
    ],
    [
      [
        [-0.55, -0.6],
        [-0.5, -0.85],
        [0.55, -0.8],
        [0.1, 0],
        [-0.05, 0.9],
      ],
    ],
  ],
  [
    [arc(0, -0.45, 0.45, 0.42, 0.25, 1.25), arc(0, 0.43, 0.55, 0.46, -0.25, 0.75)],
    [[...arc(0, -0.45, 0.48, 0.42, 0.95, 0.25), ...arc(0, 0.43, 0.5, 0.45, -0.25, 0.75), [0.45, -0.6]]],
  ],
  [
    [[...arc(0, -0.4, 0.48, 0.45, 0, -1), [0.45, 0], [0.35, 0.9]]],
    [[...arc(-0.02, -0.4, 0.46, 0.44, 0, -1), ...arc(-0.1, 0.1, 0.56, 0.8, 0, 0.3)]],
  ],
]

/**
 * Draws handwriting-like digits: several styles of each, turned, slanted, stretched, bent, thick and thin, blurred and
 * noisy.
 *
 * @param options - `count`: number of images. `seed`: default 0; the same seed gives the same images.
 * @returns `x`: uint8 pixels 0..255, `[count, 28, 28, 1]`; `y`: int32 class, `[count]`.
 * @example
 * const train = datasets.syntheticDigits({ count: 10_000, seed: 1 })
 */
export function syntheticDigits(options: { count: number; seed?: number }): Dataset {
  const { count, seed } = withDefaults('syntheticDigits', options, { count: undefined, seed: 0 })
  checkWhole('The number of digits', count)
  const random = new Random(seed)
  const x = new Uint8Array(count * SIDE * SIDE)
  const y = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    y[i] = random.integer(10)
    drawDigit(y[i]!, random, x.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE))
  }
  return Dataset.fromArrays({ x: { data: x, shape: [count, SIDE, SIDE, 1] }, y: { data: y, shape: [count] } })
}

function drawDigit(digit: number, random: Random, pixels: Uint8Array): void {
  const between = (from: number, to: number) => from + (to - from) * random.uniform()
  const styles = STYLES[digit]!
  const strokes = styles[random.integer(styles.length)]!
  const place = randomPlacement(between)
  const radius = between(0.7, 1.9)
  const softness = between(0.5, 1.1)
  const ink = new Float32Array(SIDE * SIDE)
  for (const stroke of strokes) {
    const points = stroke.map(([px, py]) => place(px + between(-0.06, 0.06), py + between(-0.06, 0.06)))
    for (let i = 1; i < points.length; i++) inkSegment(ink, points[i - 1]!, points[i]!, radius, softness)
  }
  const strength = between(190, 255)
  const noise = between(0, 18)
  for (let i = 0; i < ink.length; i++) {
    const value = ink[i]! * strength + noise * (random.uniform() - 0.5) * 2
    pixels[i] = Math.max(0, Math.min(255, Math.round(value)))
  }
}

/** A random affine map and a gentle wave, from the unit box to pixels. */
function randomPlacement(between: (from: number, to: number) => number): (x: number, y: number) => Point {
  const angle = between(-0.35, 0.35)
  const slant = between(-0.35, 0.35)
  const width = between(6, 10.5)
  const height = between(7.5, 10.5)
  const centreX = 13.5 + between(-3, 3)
  const centreY = 13.5 + between(-2.5, 2.5)
  const bend = between(-0.15, 0.15)
  const wave = between(1, 3)
  const phase = between(0, 6.3)
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  return (x, y) => {
    const bentX = (x + bend * Math.sin(wave * y + phase) - slant * y) * width
    const bentY = (y + bend * Math.sin(wave * x + phase)) * height
    return [centreX + cos * bentX - sin * bentY, centreY + sin * bentX + cos * bentY]
  }
}

/** Darkens the pixels near a segment: full within the radius, fading over `softness` pixels. */
function inkSegment(ink: Float32Array, [ax, ay]: Point, [bx, by]: Point, radius: number, softness: number): void {
  const reach = radius + softness
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach))
  const right = Math.min(SIDE - 1, Math.ceil(Math.max(ax, bx) + reach))
  const top = Math.max(0, Math.floor(Math.min(ay, by) - reach))
  const bottom = Math.min(SIDE - 1, Math.ceil(Math.max(ay, by) + reach))
  const dx = bx - ax
  const dy = by - ay
  const squared = dx * dx + dy * dy || 1
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / squared))
      const distance = Math.hypot(x - ax - along * dx, y - ay - along * dy)
      const cover = Math.max(0, Math.min(1, (reach - distance) / softness))
      if (cover > ink[y * SIDE + x]!) ink[y * SIDE + x] = cover
    }
  }
}
