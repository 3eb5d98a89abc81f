/** The world of example 25: roads, what a camera sees of them, and how a car moves. Lengths are in metres. @module */

import type { Random } from 'dcml'
import { between } from './targets.js'

/** Height and width of a picture, in pixels. */
export const PICTURE: [height: number, width: number] = [24, 32]
const [HEIGHT, WIDTH] = PICTURE
const HORIZON = 7 // rows of sky
const FOCAL = 20 // pixels
const CAMERA_HEIGHT = 1.4
const LANE = 3.5
const CAR = 1.8

/** Curvature of the road, 1/m, above 0 to the right, at a place along it. */
export type Road = (place: number) => number

/** Where a car is. */
export interface Car {
  /** From the middle of the lane, above 0 to the right. */
  offset: number
  /** From the direction of the road, radians, above 0 to the right. */
  heading: number
  /** How far it has come. */
  place: number
}

/** A road with bends of 36 m radius at the tightest. */
export function drawRoad(random: Random): Road {
  const waves = Array.from({ length: 4 }, () => ({
    length: between(random, 20, 80),
    phase: between(random, 0, 2 * Math.PI),
    size: between(random, 0, 0.007),
  }))
  return (place) => waves.reduce((sum, { length, phase, size }) => sum + size * Math.sin(place / length + phase), 0)
}

/** What the camera sees: brightness, `[HEIGHT * WIDTH]`, under light that differs from picture to picture. */
export function look(road: Road, { offset, heading, place }: Car, random: Random): Float32Array {
  const light = between(random, 0.6, 1.2)
  const pixels = Float32Array.from({ length: HEIGHT * WIDTH }, () => 0.05 * random.normal())
  pixels.forEach((noise, i) => {
    if (i < (HORIZON + 1) * WIDTH) pixels[i] = noise + 0.9 * light
  })
  // The course of the lane, followed from the car on: its direction, and its middle beside that of the road at the car.
  let [ahead, direction, middle] = [0, 0, 0]
  for (let row = HEIGHT - 1; row > HORIZON; row--) {
    const distance = (FOCAL * CAMERA_HEIGHT) / (row - HORIZON - 0.5)
    for (; ahead < distance; ahead += 0.5) {
      direction += 0.5 * road(place + ahead)
      middle += 0.5 * direction
    }
    for (let column = 0; column < WIDTH; column++) {
      const right = ((column - WIDTH / 2 + 0.5) * distance) / FOCAL
      const aside = Math.abs(right + offset + heading * distance - middle)
      const line = Math.exp(-(((aside - LANE / 2) / (0.15 + 0.01 * distance)) ** 2))
      pixels[row * WIDTH + column]! += light * ((aside < 0.65 * LANE ? 0.3 : 0.5) + 0.5 * line)
    }
  }
  return pixels
}

/** The curvature, 1/m, that a careful driver steers: that of the road, and back to the middle within some 20 m. */
export const driver = (road: Road, { offset, heading, place }: Car) => road(place) - 0.01 * offset - 0.2 * heading

/** One metre further, in gusts of wind. */
export function drive(road: Road, car: Car, steered: number, random: Random): void {
  car.heading += steered - road(car.place) + 0.002 * random.normal()
  car.offset += car.heading
  car.place += 1
}

/** Metres driven until a wheel crosses a line, from where the car was after each. */
export function metresInLane(offsets: readonly number[]): number {
  const left = offsets.findIndex((offset) => Math.abs(offset) > (LANE - CAR) / 2)
  return left < 0 ? offsets.length : left
}

/** A picture in letters, a line per row. */
export function inLetters(picture: Float32Array): string {
  const letters = Array.from(picture, (value) => ' .:-=+*#%@'[Math.max(0, Math.min(9, Math.floor(8 * value)))]!)
  return letters.map((letter, i) => (i % WIDTH === WIDTH - 1 ? `${letter}\n` : letter)).join('')
}

/** The lane and the ways that cars took, by colour, as an SVG picture from above. */
export function fromAbove(road: Road, ways: Readonly<Record<string, readonly number[]>>): string {
  const points = (offsets: readonly number[]) => {
    let [x, y, direction] = [0, 0, 0]
    return offsets.map((offset, place): [number, number] => {
      direction += road(place)
      x += Math.cos(direction)
      y += Math.sin(direction)
      return [x - offset * Math.sin(direction), y + offset * Math.cos(direction)]
    })
  }
  const lane = points(new Array<number>(Math.max(...Object.values(ways).map((offsets) => offsets.length))).fill(0))
  const [left, top, right, bottom] = [Math.min, Math.max].flatMap((pick) =>
    [0, 1].map((axis) => pick(...lane.map((point) => point[axis]!))),
  )
  const line = (way: [number, number][], colour: string, width: number) =>
    `<polyline points="${way.map((point) => point.map((value) => value.toFixed(2))).join(' ')}" fill="none" stroke="${colour}" stroke-width="${width}"/>`
  const lines = Object.entries(ways).map(([colour, offsets]) => line(points(offsets), colour, 0.6))
  const box = [left! - 10, top! - 10, right! - left! + 20, bottom! - top! + 20].map(Math.round)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(' ')}" style="background: white">${line(lane, 'silver', LANE)}${lines.join('')}</svg>`
}
