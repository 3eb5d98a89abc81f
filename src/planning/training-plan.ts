/**
 * What a training step will take on other numbers of workers, predicted from its costs and the link between workers.
 *
 * Pure arithmetic: thousands of workers are no more work than two.
 * @module
 */

import {
  type AllReduceAlgorithm,
  allReduceUs,
  fastestAllReduce,
  hierarchicalAllReduceUs,
  type LinkModel,
} from '../collectives/index.js'
import { ConfigError } from '../core/index.js'
import { shareOf } from '../transport/index.js'
import type { StepCosts } from './step-costs.js'

/** Where the workers are. */
export interface PlanOptions {
  /** Rows of a step of all workers together. */
  batchSize: number
  workers: number
  /** The link between machines, of workers that are processes. @default none: the workers are threads of this machine */
  link?: LinkModel
  /** Processes on one machine, which share its cores and its link. @default 1 */
  workersPerMachine?: number
  /** The link between processes of one machine. @default `link` */
  localLink?: LinkModel
}

/** One prediction. Times in milliseconds, for one step; bytes for the worker that has most. */
export class TrainingPlan {
  readonly costs: StepCosts
  readonly options: PlanOptions
  /** Rows of a step of one worker. */
  readonly rowsPerWorker: number
  /** Gradients and update. */
  readonly computeMs: number
  /** All-reduce of the gradients. Threads add them up in the update: 0. */
  readonly communicationMs: number
  /** Bytes that a worker sends in a step. */
  readonly trafficBytes: number
  /** Weights, gradients, slots and the tensors of a step. */
  readonly memoryBytes: number
  /** How the gradients are all-reduced. */
  readonly algorithm: AllReduceAlgorithm | 'shared memory'
  /** The shortest pieces of the gradients that take at most a twentieth longer than all at once. */
  readonly bucketBytes: number

  /** @throws {ConfigError} if there are more workers than rows. */
  constructor(costs: StepCosts, options: PlanOptions) {
    const { batchSize, workers, link } = options
    if (!(Number.isInteger(workers) && workers > 0 && workers <= batchSize))
      throw new ConfigError('The number of workers of a plan is out of range.', {
        expected: `1 to ${batchSize}, the rows of a batch`,
        received: workers,
      })
    this.costs = costs
    this.options = options
    const rows = shareOf(batchSize, 0, workers).end
    const { gradientBytes, weightBytes, slotBytes, fixedTensorBytes, rowTensorBytes } = costs
    const tensorBytes = fixedTensorBytes + rowTensorBytes * rows
    const local = link ? Math.min(workers, options.workersPerMachine ?? 1) : workers
    this.rowsPerWorker = rows
    this.computeMs = (costs.fixedMs + costs.rowMs * rows) * slowdown(costs, local)
    if (link && workers > 1) {
      const costOf = costOn({ ...options, link, local, cores: costs.cores })
      this.algorithm = costOf(gradientBytes).algorithm
      this.bucketBytes = smallestBucket(gradientBytes, costOf)
      this.communicationMs = bucketsUs(gradientBytes, this.bucketBytes, costOf) / 1000
      this.trafficBytes = Math.round((2 * gradientBytes * (workers - 1)) / workers)
    } else {
      this.algorithm = 'shared memory'
      this.bucketBytes = gradientBytes
      this.communicationMs = 0
      this.trafficBytes = 0
    }
    // Threads hold one copy of weights and slots together.
    const copies = link ? 1 : workers
    this.memoryBytes = Math.round((weightBytes + slotBytes) / copies + gradientBytes + tensorBytes)
  }

  /** The whole step: nothing of the all-reduce is hidden behind the gradients. */
  get stepMs(): number {
    return this.computeMs + this.communicationMs
  }

  get samplesPerSecond(): number {
    return (this.options.batchSize / this.stepMs) * 1000
  }

  /** Speed over that of as many single workers; 1 is the best. */
  get efficiency(): number {
    const alone = this.costs.fixedMs + this.costs.rowMs * this.options.batchSize
    return alone / this.stepMs / this.options.workers
  }

  /** The same training elsewhere; what is not given stays. */
  at(options: Partial<PlanOptions>): TrainingPlan {
    return new TrainingPlan(this.costs, { ...this.options, ...options })
  }
}

/** How many times as long a step takes beside others on the same machine: they share memory, then also cores. */
function slowdown({ cores, contention }: StepCosts, workers: number): number {
  if (cores === 1) return workers
  const busy = Math.min(workers, cores)
  return (1 + ((contention - 1) * (busy - 1)) / (cores - 1)) * Math.max(1, workers / cores)
}

type Cost = (bytes: number) => { algorithm: AllReduceAlgorithm; us: number }

/**
 * What an all-reduce takes where `local` workers are on each machine: inside the machines first, if there are several.
 * Inside a machine its cores carry the bytes, in turns where they are fewer than the workers.
 */
function costOn({
  workers,
  link,
  local,
  cores,
  localLink = link,
}: PlanOptions & { link: LinkModel; local: number; cores: number }): Cost {
  const turns = Math.max(1, local / cores)
  const inside = {
    latencyUs: localLink.latencyUs * turns,
    megabytesPerSecond: localLink.megabytesPerSecond / turns,
  }
  const machines = Math.ceil(workers / local)
  if (machines > 1 && local > 1) {
    const on = { machines, perMachine: local, local: inside, across: link }
    return (bytes) => ({ algorithm: 'hierarchical', us: hierarchicalAllReduceUs({ ...on, bytes }) })
  }
  return (bytes) => {
    const on = { bytes, worldSize: workers, link: machines > 1 ? link : inside }
    const algorithm = fastestAllReduce(on)
    return { algorithm, us: allReduceUs(algorithm, on) }
  }
}

function bucketsUs(total: number, bucket: number, costOf: Cost): number {
  const whole = Math.floor(total / bucket)
  const rest = total - whole * bucket
  return whole * costOf(bucket).us + (rest > 0 ? costOf(rest).us : 0)
}

function smallestBucket(total: number, costOf: Cost): number {
  const most = costOf(total).us * 1.05
  for (let bucket = 2 ** 16; bucket < total; bucket *= 2) if (bucketsUs(total, bucket, costOf) <= most) return bucket
  return total
}
