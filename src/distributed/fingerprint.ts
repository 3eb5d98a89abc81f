/** Cheap sums that tell whether processes hold the same data and run the same job. @module */

import { typedArrayName } from '../core/index.js'
import type { SharedColumns, TrainingJob } from '../training/index.js'

/** Bytes of a column that are looked at, spread evenly over all of it. */
const LOOKED_AT = 1 << 20

/** What a process brings to a group, in words that can be compared: `job`, and its data by name. */
export type Belongings = Record<string, string>

/** The rows of columns, and a hash of names, shapes and a sample of the values. */
export function fingerprintOf(columns: SharedColumns): string {
  let hash = OFFSET
  let rows = 0
  for (const name of Object.keys(columns).sort()) {
    const { data, shape } = columns[name]!
    rows = shape[0]!
    hash = hashText(`${name} ${typedArrayName(data)} ${shape.join(',')}`, hash)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    // An odd stride meets every byte of an element.
    const stride = Math.ceil(bytes.length / LOOKED_AT) | 1
    for (let i = 0; i < bytes.length; i += stride) hash = Math.imul(hash ^ bytes[i]!, PRIME)
  }
  return `${rows} rows, sum ${(hash >>> 0).toString(16)}`
}

/** A hash of what is trained and how. Where the setup module lies may differ. */
export function fingerprintOfJob({ setup: _, ...job }: TrainingJob): string {
  return `sum ${(hashText(JSON.stringify(job), OFFSET) >>> 0).toString(16)}`
}

// FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

function hashText(text: string, start: number): number {
  let hash = start
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, PRIME)
  return hash
}
