/** Sounds of example 21, and how they are changed: samples of -1 to 1. @module */

import type { Random } from 'dcml'
import { between } from './targets.js'

const peakOf = (sound: Float32Array) => sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** A sound without the silence around it, `1 / speed` times as long, in the middle of so many samples but for `shift`. */
export function placed(sound: Float32Array, samples: number, { speed = 1, shift = 0 } = {}): Float32Array {
  const silence = peakOf(sound) / 20
  const from = sound.findIndex((value) => Math.abs(value) > silence)
  const length = Math.floor((sound.findLastIndex((value) => Math.abs(value) > silence) - from) / speed)
  const start = Math.floor(((samples - length) / 2) * (1 + shift))
  return Float32Array.from({ length: samples }, (_, i) => {
    if (i < start || i >= start + length) return 0
    const at = from + (i - start) * speed
    const before = Math.floor(at)
    return sound[before]! + (at - before) * (sound[before + 1]! - sound[before]!)
  })
}

/** As another speaker might say it: faster and higher, or slower and lower, and through another microphone. */
export function anotherVoice(sound: Float32Array, samples: number, random: Random): Float32Array {
  const made = placed(sound, samples, { speed: 1.35 ** between(random, -1, 1), shift: between(random, -0.5, 0.5) })
  // An echo after 1 to 3 samples makes some bands louder than others.
  for (const delay of [1 + random.integer(3), 1 + random.integer(3)]) {
    const echo = between(random, -0.9, 0.9)
    for (let i = samples - 1; i >= delay; i--) made[i]! += echo * made[i - delay]!
  }
  return made
}

/** At full loudness, in a room with some noise. */
export function recorded(sound: Float32Array, noise: number, random: Random): Float32Array {
  const peak = peakOf(sound)
  return sound.map((value) => value / peak + noise * between(random, -1, 1))
}
