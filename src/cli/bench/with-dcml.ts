/** Measures dcml: the steps inside `trainer.fit`. @module */

import * as tf from '@tensorflow/tfjs-core'
import { adam, DataParallel, Dataset, type EpochRecord, SingleWorker, selectBackend, Trainer } from '../../index.js'
import { tcp } from '../../node.js'
import { EpochClock, type Measurement, type Order } from './measurement.js'
import { buildNetwork } from './networks.js'
import { randomData } from './random-data.js'

/** Trains until the clock has enough. */
export async function measureDcml(order: Order): Promise<Measurement> {
  const { network, rowsPerWorker, workers, processes, seconds, engine, assist, device, precision } = order
  const backend = await selectBackend(device ? { prefer: [device] } : {})
  if (precision) tf.env().set('DCML_CUDA_PRODUCTS', precision)
  const { rows, shape, x, y } = randomData(order)
  const clock = new EpochClock(seconds)
  const trainer = new Trainer({
    model: buildNetwork(network),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    strategy: workers === 1 ? new SingleWorker() : new DataParallel(processes ? { transport: tcp() } : { workers }),
    engine,
    ...(assist ? { assist: 'blas' as const } : {}),
    callbacks: [
      {
        onEpochEnd({ record, stop }: { record: EpochRecord; stop(reason?: string): void }) {
          if (clock.add(rows, record.seconds)) stop()
        },
      },
    ],
  })
  const data = Dataset.fromArrays({ x: { data: x, shape: [rows, ...shape] }, y: { data: y, shape: [rows] } })
  // The clock stops it.
  const history = await trainer.fit(data, { epochs: Number.MAX_SAFE_INTEGER, batchSize: rowsPerWorker * workers })
  await trainer.close()
  return {
    usPerSample: clock.usPerSample,
    engine: history.engine,
    backend: [backend.name, ...backend.features].join(' '),
    ...(history.assist === undefined ? {} : { assist: history.assist }),
  }
}
