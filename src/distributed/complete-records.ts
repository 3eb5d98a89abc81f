/** Records of strategies whose workers do not talk at every step. @module */

import type { StepRecord } from '../training/index.js'
import type { Collectives } from '../transport/index.js'

/** Adds up the sums of all workers, step by step, in one message. */
export async function completeRecords(collectives: Collectives, records: StepRecord[]): Promise<StepRecord[]> {
  const sums = Float64Array.from(records.flatMap(({ loss, weight, metrics }) => [loss, weight, ...metrics]))
  await collectives.allReduce(sums)
  const width = sums.length / records.length
  return records.map((record, i) => {
    const [loss, weight, ...metrics] = sums.subarray(i * width, (i + 1) * width)
    return { ...record, loss: loss!, weight: weight!, metrics }
  })
}
