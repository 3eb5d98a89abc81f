/**
 * What dcml's side of `dcml bench allreduce` runs: a process per rank, or one process with a thread per rank.
 *
 * Called with the order as JSON; rank 0 prints the outcome as JSON in its last line.
 * @module
 */

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { sharedMemory } from '../../../index.js'
import { mpi, tcp } from '../../../node.js'
import { measureAllReduce } from './measure.js'
import type { Measurement, Order } from './order.js'

type Ticket = Parameters<ReturnType<typeof sharedMemory>['join']>[0]

if (isMainThread) {
  const order = JSON.parse(process.argv.at(-1)!) as Order
  try {
    const measurement = order.transport === 'sharedMemory' ? await runThreads(order) : await runProcess(order)
    console.log(JSON.stringify(measurement))
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
    process.exitCode = 1
  }
} else {
  const { order, ticket } = workerData as { order: Order; ticket: Ticket }
  const transport = await sharedMemory().join(ticket)
  parentPort!.postMessage(await measureAllReduce(transport, order))
}

/** Starts the threads; resolves with what rank 0 measured. */
async function runThreads(order: Order): Promise<Measurement> {
  const factory = sharedMemory()
  const tickets = await factory.open(order.workers)
  const threads = tickets.map((ticket) => new Worker(new URL(import.meta.url), { workerData: { order, ticket } }))
  try {
    const measurements = threads.map(
      (thread) =>
        new Promise<Measurement>((resolve, reject) => {
          thread.once('message', resolve)
          thread.once('error', reject)
        }),
    )
    return (await Promise.all(measurements))[0]!
  } finally {
    // After a failure the others wait for it.
    factory.abort(tickets[0]!, 'the measurement is over')
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
}

/** This process as one rank. */
async function runProcess(order: Order): Promise<Measurement> {
  const transport = await (order.transport === 'mpi' ? mpi() : tcp()).join()
  const measurement = await measureAllReduce(transport, order)
  await transport.close()
  return measurement
}
