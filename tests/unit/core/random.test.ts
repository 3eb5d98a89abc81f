import { expect, it } from 'vitest'
import { Random } from '../../../src/core/index.js'

const words = (random: Random, count: number) => Array.from({ length: count }, () => random.word())

it('draws the words of Philox 4x32-10 that its authors publish, of any place', () => {
  // kat_vectors of Random123: counter and key all zero; and all ones, of which a position cannot be made.
  expect(words(new Random(0), 4)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  const zero = words(new Random(7, 3), 4)
  expect(words(new Random(7, 3, [0, 0]), 4)).toEqual(zero)
  expect(words(new Random(7, 3, [1, 0]), 4)).not.toEqual(zero)
  expect(words(new Random(7, 3, [0, 1]), 4)).not.toEqual(words(new Random(7, 3, [1, 0]), 4))
})

it('goes on from a saved state, at its place', () => {
  for (const place of [undefined, [5, 4_294_967_295] as const]) {
    const random = new Random(1, 2, place)
    words(random, 6)
    const saved = JSON.parse(JSON.stringify(random.state))
    expect(words(Random.fromState(saved), 5)).toEqual(words(random, 5))
  }
  expect(new Random(1).state).toEqual({ seed: 1, stream: 0, position: 0 })
})

it('refuses seeds, streams and places that are no uint32', () => {
  expect(() => new Random(-1)).toThrow(/seed of a random generator/)
  expect(() => new Random(0, 2 ** 32)).toThrow(/stream/)
  expect(() => new Random(0, 0, [0.5, 0])).toThrow(/place/)
})
