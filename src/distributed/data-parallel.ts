/** Data parallelism over the cores of this machine. @module */

import { canShareMemory, hardwareThreads } from '#threads'
import { ConfigError, StateError } from '../core/index.js'
import { namedWeights } from '../models/index.js'
import { type Crew, DistributedStrategy, type Group, type LocalParts, type TrainingJob } from '../training/index.js'
import { sharedMemory, type TransportFactory } from '../transport/index.js'
import { checkThreadTransport } from './join-group.js'
import { ThreadCrew, type ThreadLinks } from './thread-crew.js'

/** Options of `DataParallel`. */
export interface DataParallelOptions {
  /** Number of worker threads; 'auto' takes one per hardware thread. @default 'auto' */
  workers?: number | 'auto'
  /** How the threads reach each other. @default sharedMemory() */
  transport?: TransportFactory
  /** Largest piece of the gradients, in bytes, that is reduced at once; 4 or more. @default all at once */
  bucketBytes?: number
}

/**
 * Every worker thread holds a copy of the model, computes its rows of each global batch, and adds its gradients to
 * those of the others over the transport. The caller's thread only coordinates.
 *
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new DataParallel({ workers: 2 }) })
 */
export class DataParallel extends DistributedStrategy {
  readonly group: Group
  readonly #links: ThreadLinks

  constructor({ workers = 'auto', transport = sharedMemory(), bucketBytes }: DataParallelOptions = {}) {
    super()
    const size = workers === 'auto' ? hardwareThreads() : workers
    if (!(Number.isInteger(size) && size > 0))
      throw new ConfigError('The number of workers is out of range.', {
        expected: "a whole number above 0, or 'auto'",
        received: workers,
      })
    if (bucketBytes !== undefined && !(Number.isInteger(bucketBytes) && bucketBytes >= 4))
      throw new ConfigError('bucketBytes of DataParallel is out of range.', {
        expected: 'a whole number of at least 4',
        received: bucketBytes,
      })
    this.group = { rank: 0, size, generation: 0 }
    this.#links = { transport: checkThreadTransport(transport), bucketBytes }
  }

  async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    if (local.optimizer)
      throw new ConfigError('A tf.Optimizer cannot reach other threads.', {
        received: local.optimizer,
        remedy: "Use an optimizer of dcml's own, such as adam() or sgd(), or SingleWorker",
      })
    if (local.hasLiveFunctions)
      throw new ConfigError('A function given as model, loss or step cannot reach other threads.', {
        remedy: 'Export it from a module, pass the module as setup and the name of the export instead of the function',
      })
    if (!canShareMemory())
      throw new ConfigError('Worker threads cannot share memory here.', {
        remedy: 'Serve the page cross-origin isolated (COOP and COEP headers), or use SingleWorker',
      })
    const crew = await ThreadCrew.start(job, this, this.#links)
    await crew.writeWeights(
      Object.fromEntries(
        namedWeights(local.model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
      ),
    )
    return crew
  }

  synchronize(): Promise<Float32Array> {
    throw onlyWorkers()
  }

  synchronizeShards(): Promise<void> {
    throw onlyWorkers()
  }

  averageBuffers(): Promise<void> {
    throw onlyWorkers()
  }
}

const onlyWorkers = () => new StateError('Gradients are reduced by the worker threads, not by the coordinator.')
