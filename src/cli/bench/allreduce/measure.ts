/** One rank of dcml's all-reduce, measured. @module */

import { createCollectives, type Transport } from '../../../index.js'
import type { Measurement, Order } from './order.js'

/** JavaScript runs several times as slowly until the runtime has compiled it: so often, a short and a longer array. */
const COMPILED_AFTER = [
  { bytes: 4, times: 2000 },
  { bytes: 40_000, times: 1000 },
]

/** Checks and times the all-reduces of an order. All ranks of the transport's group call it. */
export async function measureAllReduce(transport: Transport, order: Order): Promise<Measurement> {
  const { sizes, warmUps, batches, algorithm } = order
  const collectives = createCollectives(transport, { algorithm })
  for (const { bytes, times } of COMPILED_AFTER) {
    const array = new Float32Array(bytes / 4)
    for (let i = 0; i < times; i++) await collectives.allReduce(array)
  }
  const timesUs: number[][] = []
  for (const { bytes, repetitions } of sizes) {
    const array = new Float32Array(bytes / 4)
    fill(array, transport.rank)
    await collectives.allReduce(array)
    check(array, transport.worldSize)
    // Sums of zeros stay finite, however often.
    array.fill(0)
    const times: number[] = []
    for (let batch = 0; batch < warmUps + batches; batch++) {
      await collectives.barrier()
      const start = performance.now()
      for (let i = 0; i < repetitions; i++) await collectives.allReduce(array)
      if (batch >= warmUps) times.push(((performance.now() - start) * 1000) / repetitions)
    }
    timesUs.push(times)
  }
  return { timesUs }
}

/** Small whole numbers: their sums are exact in any order. The other contenders are checked with the same. */
function fill(array: Float32Array, rank: number): void {
  for (let i = 0; i < array.length; i++) array[i] = (i % 97) + rank
}

function check(array: Float32Array, worldSize: number): void {
  const wrong = array.findIndex((value, i) => value !== worldSize * (i % 97) + (worldSize * (worldSize - 1)) / 2)
  if (wrong >= 0) throw new Error(`the sum of ${array.byteLength} bytes is wrong at element ${wrong}: ${array[wrong]}`)
}
