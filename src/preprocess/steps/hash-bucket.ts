/** Any number of categories in a fixed number of places. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { categoryColumn, isMissing } from '../categories.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Each category as one of `buckets` numbers, int32: what an embedding needs where the categories are too many to list,
 * or not known. Nothing to fit. Different categories may share a bucket; a missing value has that of the empty text.
 *
 * @param columns - Columns `[rows]` of numbers or strings; a number hashes as its decimal form.
 * @param options - `buckets`: 1 to 2^31. `seed`: a whole number, for another hash. @default 0
 * @see Weinberger et al. 2009, https://arxiv.org/abs/0902.2206
 */
export function hashBucket(columns: string | readonly string[], options: { buckets: number; seed?: number }): Step {
  const { buckets, seed } = withDefaults('hashBucket', options, { buckets: undefined, seed: 0 })
  const names = namesOf(columns)
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > 2 ** 31)
    throw new ConfigError('buckets of hashBucket is out of range.', {
      expected: 'a whole number from 1 to 2^31',
      received: buckets,
    })
  return {
    kind: 'hashBucket',
    options: { columns: names, buckets, seed },
    reads: names,
    makes: names,
    gives: 'numbers',
    apply(columns) {
      const hashed = { ...columns }
      for (const name of names) {
        const { data, shape } = categoryColumn(columns, name, 'hashBucket')
        hashed[name] = {
          data: Int32Array.from(
            data as string[],
            (value) => murmur3(isMissing(value) ? '' : String(value), seed) % buckets,
          ),
          shape,
        }
      }
      return hashed
    },
  }
}

const encoder = new TextEncoder()

/**
 * MurmurHash3, 32 bits, of the UTF-8 form of a text.
 *
 * @see Appleby 2011, https://github.com/aappleby/smhasher
 */
export function murmur3(text: string, seed: number): number {
  const bytes = encoder.encode(text)
  let hash = seed | 0
  for (let i = 0; i < bytes.length; i += 4) {
    let word = 0
    for (let j = Math.min(4, bytes.length - i) - 1; j >= 0; j--) word = (word << 8) | bytes[i + j]!
    hash ^= Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
    // The last bytes, fewer than four, are mixed in without a turn.
    if (i + 4 <= bytes.length) hash = (Math.imul(rotated(hash, 13), 5) + 0xe6546b64) | 0
  }
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const rotated = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits))
