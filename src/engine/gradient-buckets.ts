/**
 * Gradients that are handed over in pieces while they are computed, so that all of them never lie there at once.
 * @module
 */

import type { ParameterLayout } from './layout.js'

/** Elements of a flat buffer: from `from` up to, and without, `to`. */
export interface ElementRange {
  readonly from: number
  readonly to: number
}

/** Who takes the gradients of a batch in pieces. */
export interface GradientBuckets {
  /** The pieces in the order in which they are handed over: without gaps from the end of the layout to its start. */
  readonly ranges: readonly ElementRange[]
  /**
   * Takes a piece; the next is computed once the promise resolves.
   *
   * @param values - Its gradients. The receiver may overwrite them, and does not keep them.
   */
  readonly take: (bucket: number, values: Float32Array) => Promise<void>
}

/**
 * Divides a layout, the last tensors first, as a backward pass comes to them. Small tensors come together in a bucket;
 * a tensor that is larger than one is divided by rows (of its last dimension).
 *
 * @param largest - Elements of a bucket, 1 or more. A row that is longer is a bucket of its own.
 */
export function divideLayout({ entries, length }: ParameterLayout, largest: number): ElementRange[] {
  const ranges: ElementRange[] = []
  let to = length
  const close = (from: number) => {
    if (from < to) ranges.push({ from, to })
    to = from
  }
  for (const [i, { offset, length: size, shape }] of [...entries.entries()].reverse()) {
    // What follows a tensor up to the next one belongs to it.
    const end = entries[i + 1]?.offset ?? length
    if (to - offset > largest) close(end)
    if (end - offset <= largest) continue
    const row = shape.at(-1) ?? 1
    const piece = Math.max(1, Math.floor(largest / row)) * row
    for (let from = size - (size % piece || piece); from >= 0; from -= piece) close(offset + from)
  }
  close(0)
  return ranges
}

/** Hands over gradients that lie there all at once, `[layout.length]`; or zeros, from a worker that had no rows. */
export async function handOver({ ranges, take }: GradientBuckets, values?: Float32Array): Promise<void> {
  for (const [bucket, { from, to }] of ranges.entries())
    await take(bucket, values?.subarray(from, to) ?? new Float32Array(to - from))
}
