/**
 * Processes as one crew: each runs the user's script, holds a replica and its data; rank 0 leads, the others follow.
 *
 * Owns: what the leader says to the followers, the end of all when one fails.
 * Leaves: training to the replica, sums to the strategy's member, bytes to the transport.
 *
 * The leader announces each method of the crew before it runs its own part, so that all come to the same collectives in
 * the same order. An announcement goes down a binary tree of ranks.
 * @module
 */

import { createCollectives } from '../collectives/index.js'
import {
  ConfigError,
  DataError,
  deserializeError,
  NumericError,
  type SerializedError,
  serializeError,
  TransportError,
  WorkerError,
} from '../core/index.js'
import { namedWeights } from '../models/index.js'
import {
  type Crew,
  type DistributedStrategy,
  type EngineReport,
  type EvaluateRange,
  type LocalParts,
  Replica,
  type SharedColumns,
  type StepRecord,
  type Sums,
  type TrainingJob,
  type TrainingState,
  type TrainRange,
  type WorkerUsage,
} from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { type Belongings, fingerprintOf, fingerprintOfJob } from './fingerprint.js'
import { pack, unpack } from './pack.js'
import type { Command } from './worker-protocol.js'

/** The tag of everything that leader and followers say to each other. Collectives have the one above. */
const TAG = 2 ** 31 - 2

/** The crew's methods that all processes run together. */
type Shared = Exclude<Command, 'engine' | 'close'>

/** What the leader says. */
type Announcement = { command: Shared; arguments: unknown[] } | { result: unknown } | { error: SerializedError }

/** What a follower says once it has loaded its data. */
type Report = { brings: Belongings } | { error: SerializedError }

/** What a process brings along. */
export interface ProcessParts {
  transport: Transport
  /** This process's side of the strategy. */
  member: DistributedStrategy
}

/** One process's place in the crew of one `fit` or `evaluate`. */
export class ProcessCrew implements Crew {
  /** The replica trains the caller's own model. */
  readonly remote = false
  readonly #local: LocalParts
  readonly #transport: Transport
  readonly #member: DistributedStrategy
  readonly #replica: Replica
  readonly #belongings: Belongings
  #isInCourse = false
  /** The order of rows that was announced last. */
  #order: Uint32Array | undefined

  private constructor(job: TrainingJob, local: LocalParts, { transport, member }: ProcessParts, replica: Replica) {
    this.#local = local
    this.#transport = transport
    this.#member = member
    this.#replica = replica
    this.#belongings = { job: fingerprintOfJob(job) }
  }

  static async start(job: TrainingJob, local: LocalParts, parts: ProcessParts): Promise<ProcessCrew> {
    return new ProcessCrew(job, local, parts, await Replica.create(job, local, parts.member))
  }

  get leads(): boolean {
    return this.#transport.rank === 0
  }

  async lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T> {
    if (!this.leads) return this.#follow(load)
    try {
      const loaded = await this.#muster(load)
      this.#isInCourse = true
      const result = await course(loaded)
      await this.#announce({ result })
      return result
    } catch (error) {
      // Where the group itself has ended, the others know already.
      await this.#announce({ error: serializeError(error) }).catch(() => {})
      throw error
    } finally {
      this.#isInCourse = false
    }
  }

  async setData(name: string, columns: SharedColumns, options: { reused: boolean }): Promise<void> {
    if (this.#isInCourse) return this.#together('setData', [name, columns, options])
    this.#belongings[`data '${name}'`] = fingerprintOf(columns)
    await this.#replica.setData(name, columns, options)
  }

  train(range: TrainRange): Promise<StepRecord[]> {
    const { order, ...rest } = range
    const isKnown = order === this.#order
    this.#order = order
    return this.#together('train', [range], [isKnown ? rest : range])
  }

  evaluate(range: EvaluateRange): Promise<Sums> {
    return this.#together('evaluate', [range])
  }

  readState(): Promise<TrainingState> {
    return this.#together('readState', [])
  }

  writeState(state: TrainingState): Promise<void> {
    return this.#together('writeState', [state])
  }

  writeWeights(weights: Record<string, Float32Array>): Promise<void> {
    return this.#together('writeWeights', [weights])
  }

  usage(): Promise<WorkerUsage[]> {
    return this.#together('usage', [])
  }

  engine(): Promise<EngineReport> {
    return this.#replica.engine()
  }

  close(): Promise<void> {
    return this.#replica.close()
  }

  /** Has all processes do the same. `told`: the arguments for the others, where they differ. */
  async #together<T>(command: Shared, own: unknown[], told = own): Promise<T> {
    try {
      await this.#announce({ command, arguments: told })
      return (await this.#carryOut(command, own)) as T
    } catch (error) {
      throw this.#ended(error)
    }
  }

  async #follow<L, T>(load: () => Promise<L>): Promise<T> {
    let failure: unknown
    await load().catch((error: unknown) => {
      failure = error
    })
    const report: Report = failure === undefined ? { brings: this.#belongings } : { error: serializeError(failure) }
    let heard: Announcement
    try {
      await this.#transport.send(0, TAG, pack(report))
      for (;;) {
        heard = await this.#hear()
        if (!('command' in heard)) break
        await this.#carryOut(heard.command, heard.arguments).catch((error: unknown) => {
          // All compute the same loss: the leader has met it too, and ends the course.
          if (!(error instanceof NumericError)) throw error
        })
      }
    } catch (error) {
      throw this.#ended(error)
    }
    if (failure !== undefined) throw failure
    if ('result' in heard) return heard.result as T
    const error = deserializeError(heard.error)
    throw error instanceof NumericError || error instanceof WorkerError ? error : failureOf(0, error)
  }

  async #carryOut(command: Shared, values: unknown[]): Promise<unknown> {
    if (command === 'train') {
      const range = values[0] as TrainRange
      this.#order = range.order ?? this.#order
      return this.#replica.train({ ...range, order: this.#order! })
    }
    if (command === 'evaluate') return this.#evaluate(values[0] as EvaluateRange)
    if (command === 'usage') return this.#usage()
    const method = this.#replica[command] as (...values: unknown[]) => Promise<unknown>
    return method.apply(this.#replica, values)
  }

  /** Each process evaluates its rows; all get the sums over all. */
  async #evaluate(range: EvaluateRange): Promise<Sums> {
    const { loss, weight, metrics } = await this.#replica.evaluate(range)
    const parts = await this.#gather([loss, weight, ...metrics])
    return this.#member.mergeMetrics(
      parts.map(([loss, weight, ...metrics]) => ({ loss: loss!, weight: weight!, metrics })),
    )
  }

  async #usage(): Promise<WorkerUsage[]> {
    const [{ sentBytes, memory }] = (await this.#replica.usage()) as [WorkerUsage]
    const names = Object.keys(memory) as (keyof typeof memory)[]
    const all = await this.#gather([sentBytes, ...names.map((name) => memory[name])])
    return all.map(([sent, ...bytes]) => ({
      sentBytes: sent!,
      memory: Object.fromEntries(names.map((name, i) => [name, bytes[i]!])) as unknown as WorkerUsage['memory'],
    }))
  }

  /** The numbers of every process, in rank order; as many from each. */
  async #gather(own: number[]): Promise<number[][]> {
    const all = await createCollectives(this.#transport).allGather(Float64Array.from(own))
    return Array.from({ length: this.#transport.worldSize }, (_, rank) =>
      Array.from(all.subarray(rank * own.length, (rank + 1) * own.length)),
    )
  }

  /** Loads the data, waits until all have done so, and gives all the leader's weights. */
  async #muster<L>(load: () => Promise<L>): Promise<L> {
    let loaded: { data: L } | { error: unknown }
    try {
      loaded = { data: await load() }
    } catch (error) {
      loaded = { error }
    }
    const { worldSize } = this.#transport
    const reports: Report[] = []
    for (let rank = 1; rank < worldSize; rank++)
      reports.push(unpack(await this.#transport.receive(rank, TAG)) as Report)
    if ('error' in loaded) throw loaded.error
    reports.forEach((report, i) => {
      if ('error' in report) throw failureOf(i + 1, deserializeError(report.error))
    })
    checkBelongings(this.#belongings, reports as { brings: Belongings }[])
    await this.writeWeights(
      Object.fromEntries(
        namedWeights(this.#local.model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
      ),
    )
    return loaded.data
  }

  async #announce(announcement: Announcement): Promise<void> {
    await this.#passOn(pack(announcement))
  }

  async #hear(): Promise<Announcement> {
    const message = await this.#transport.receive((this.#transport.rank - 1) >> 1, TAG)
    await this.#passOn(message)
    return unpack(message) as Announcement
  }

  async #passOn(message: Uint8Array): Promise<void> {
    const { rank, worldSize } = this.#transport
    const children = [2 * rank + 1, 2 * rank + 2].filter((child) => child < worldSize)
    await Promise.all(children.map((child) => this.#transport.send(child, TAG, message)))
  }

  /** Ends the group, so that nobody waits for this process, and says whose fault it was. */
  #ended(error: unknown): Error {
    if (error instanceof NumericError) return error
    const failure =
      error instanceof TransportError
        ? new WorkerError(`The group of workers has ended: ${error.message}`, { cause: error })
        : failureOf(this.#transport.rank, error)
    this.#transport.abort(failure.message)
    return failure
  }
}

const failureOf = (rank: number, cause: unknown) =>
  new WorkerError(`Worker ${rank} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })

/** Names all ranks that differ, not only the first. */
function checkBelongings(own: Belongings, reports: readonly { brings: Belongings }[]): void {
  for (const name of new Set([own, ...reports.map(({ brings }) => brings)].flatMap(Object.keys))) {
    const others = reports.flatMap(({ brings }, i) => (brings[name] === own[name] ? [] : [i + 1]))
    if (others.length === 0) continue
    const ErrorClass = name === 'job' ? ConfigError : DataError
    throw new ErrorClass(`Rank ${others.join(', ')} and rank 0 do not have the same ${name}.`, {
      expected: own[name] ?? 'none',
      received: reports[others[0]! - 1]!.brings[name] ?? 'none',
      remedy: 'Run the same script on the same data in every process',
    })
  }
}
