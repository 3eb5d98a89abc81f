/** What the coordinator's side of every strategy with several workers has in common. @module */

import { canShareMemory, hardwareThreads } from '#threads'
import { workerDevices } from '../backends/index.js'
import { ConfigError, StateError } from '../core/index.js'
import { namedWeights } from '../models/index.js'
import { resolveOptimizer } from '../optimizers/index.js'
import {
  type Crew,
  DistributedStrategy,
  type Group,
  type LocalParts,
  loadSetup,
  type TrainingJob,
} from '../training/index.js'
import {
  type ProcessTransportFactory,
  sharedMemory,
  type ThreadTransportFactory,
  type Transport,
  type TransportFactory,
} from '../transport/index.js'
import { createMember, type StrategyDescription } from './create-member.js'
import { ElasticLeader } from './elastic-leader.js'
import { ElasticMember } from './elastic-member.js'
import { type ElasticOptions, resolveElastic } from './elastic-options.js'
import { checkThreadTransport } from './join-group.js'
import { ProcessCrew } from './process-crew.js'
import { FixedSeat, type ProcessSeat } from './process-seat.js'
import { ThreadCrew } from './thread-crew.js'

/** Options of every strategy with several workers. */
export interface GroupOptions {
  /**
   * Number of worker threads; 'auto' takes one per hardware thread, or per GPU on the backend cuda. With a transport of processes each process is a
   * worker, and another number than theirs is an error.
   * @default 'auto'
   */
  workers?: number | 'auto'
  /** How the workers reach each other: threads, or processes that a launcher started. @default sharedMemory() */
  transport?: TransportFactory
  /** Lets the group lose processes and take in others. With a transport of processes. @default off */
  elastic?: ElasticOptions
}

/** Where the workers are threads of this process. */
interface ThreadPlace {
  group: Group
  /** Whether the number of workers is up to the machine. */
  isAuto: boolean
  transport: ThreadTransportFactory
}

/** The options of every strategy with several workers, for those of each. */
export const groupDefaults = { workers: 'auto', transport: undefined, elastic: undefined } as const

/** Starts the workers; each makes a member of its own from the description. */
export abstract class GroupStrategy extends DistributedStrategy {
  /** What a worker needs to know to take part. */
  abstract readonly description: StrategyDescription
  readonly #place: ThreadPlace | { seat: ProcessSeat }

  constructor({ workers = 'auto', transport = sharedMemory(), elastic }: GroupOptions = {}) {
    super()
    const size = workers === 'auto' ? hardwareThreads() : workers
    if (!(Number.isInteger(size) && size > 0))
      throw new ConfigError('The number of workers is out of range.', {
        expected: "a whole number above 0, or 'auto'",
        received: workers,
      })
    if (transport?.kind === 'processes')
      this.#place = { seat: takeSeat(transport, { workers: workers === 'auto' ? undefined : size, elastic }) }
    else {
      if (elastic)
        throw new ConfigError('elastic is for groups of processes.', {
          received: 'worker threads, which live and die together',
          remedy: 'Pass transport: tcp()',
        })
      const group = { rank: 0, size, generation: 0 }
      this.#place = { group, isAuto: workers === 'auto', transport: checkThreadTransport(transport) }
    }
  }

  /** Of threads, the coordinator and their number. Of processes, known once the first `fit` or `evaluate` has begun. */
  get group(): Group {
    return 'seat' in this.#place ? this.#place.seat.group : this.#place.group
  }

  async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    if (local.optimizer)
      throw new ConfigError('A tf.Optimizer cannot reach other workers.', {
        received: local.optimizer,
        remedy: "Use an optimizer of dcml's own, such as adam() or sgd(), or SingleWorker",
      })
    if ('seat' in this.#place) {
      const setup = await loadSetup(job.setup)
      const makeMember = (transport: Transport) => createMember(this.description, transport, { setup })
      return ProcessCrew.start(job, local, { seat: this.#place.seat, makeMember })
    }
    if (local.hasLiveFunctions)
      throw new ConfigError('A function given as model, loss or step cannot reach other threads.', {
        remedy: 'Export it from a module, pass the module as setup and the name of the export instead of the function',
      })
    if (!canShareMemory())
      throw new ConfigError('Worker threads cannot share memory here.', {
        remedy: 'Serve the page cross-origin isolated (COOP and COEP headers), or use SingleWorker',
      })
    const place = this.#place
    // Not before: which backend it is shows at the first training.
    if (place.isAuto) place.group = { ...place.group, size: workerDevices()?.count ?? hardwareThreads() }
    const crew = await ThreadCrew.start(job, this, place.transport)
    await crew.writeWeights(
      Object.fromEntries(
        namedWeights(local.model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
      ),
    )
    return crew
  }

  override async close(): Promise<void> {
    if ('seat' in this.#place) await this.#place.seat.close()
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

function takeSeat(
  transport: ProcessTransportFactory,
  { workers, elastic }: { workers: number | undefined; elastic: ElasticOptions | undefined },
): ProcessSeat {
  if (!elastic) return new FixedSeat(transport, workers)
  const resolved = resolveElastic(elastic, transport)
  return resolved.place.rank === 0 ? new ElasticLeader(transport, resolved) : new ElasticMember(transport, resolved)
}

const onlyWorkers = () => new StateError('Gradients are reduced by the workers, not by the coordinator.')

/** @throws {ConfigError} if the weights are to be the same on any number of workers, which a strategy cannot give. */
export function refuseDeterministic(strategy: string, { logicalShards }: TrainingJob): void {
  if (logicalShards !== undefined)
    throw new ConfigError(`The weights that ${strategy} gives depend on the number of workers.`, {
      received: 'deterministic',
      remedy: 'Leave deterministic out, or use DataParallel',
    })
}

/** @throws {ConfigError} if the optimizer cannot update a part of a tensor. */
export function refuseWholeTensors({ optimizer }: TrainingJob, local: LocalParts): void {
  if (!local.optimizer && resolveOptimizer(optimizer).wholeTensors)
    throw new ConfigError(`The rule ${optimizer.name} needs whole tensors, and a worker owns parts of them.`, {
      remedy: 'Use another optimizer, such as adamw(), or DataParallel',
    })
}
