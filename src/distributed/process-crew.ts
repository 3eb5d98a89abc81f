/**
 * Processes as one crew: each runs the user's script, holds a replica and its data; rank 0 leads, the others follow.
 *
 * Owns: when the leader says what to the followers, the end of all when one fails.
 * Leaves: training to the replica, sums to the strategy's member, messages to the talk.
 *
 * The leader announces each method of the crew before it runs its own part, so that all come to the same collectives in
 * the same order.
 * @module
 */

import {
  ConfigError,
  DataError,
  deserializeError,
  NumericError,
  StateError,
  serializeError,
  TransportError,
  WorkerError,
} from '../core/index.js'
import { namedWeights } from '../models/index.js'
import {
  type Crew,
  type DistributedStrategy,
  type ElasticCrew,
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
import { type Announcement, GroupTalk, type Report, type Shared } from './group-talk.js'
import type { ProcessSeat } from './process-seat.js'

/** What a process brings along. */
export interface ProcessParts {
  seat: ProcessSeat
  /** Makes this process's side of the strategy. */
  makeMember(transport: Transport): DistributedStrategy
}

/** What a process has for as long as the group stays the same. */
interface Station {
  talk: GroupTalk
  member: DistributedStrategy
  replica: Replica
}

/** One process's place in the crew of one `fit` or `evaluate`. */
export class ProcessCrew implements Crew {
  /** The replica trains the caller's own model. */
  readonly remote = false
  readonly elastic?: ElasticCrew
  readonly #job: TrainingJob
  readonly #local: LocalParts
  readonly #parts: ProcessParts
  readonly #belongings: Belongings
  readonly #data = new Map<string, [columns: SharedColumns, options: { reused: boolean }]>()
  #station: Station | undefined
  #isInCourse = false
  /** Whether the group has ended, for whatever reason, and no other has formed since. */
  #hasEnded = false
  /** The order of rows that was announced last. */
  #order: Uint32Array | undefined

  private constructor(job: TrainingJob, local: LocalParts, parts: ProcessParts) {
    this.#job = job
    this.#local = local
    this.#parts = parts
    this.#belongings = { job: fingerprintOfJob(job) }
    const { elastic } = parts.seat
    if (elastic)
      this.elastic = {
        commitEverySteps: elastic.commitEverySteps,
        hasNewcomers: () => parts.seat.elastic!.hasNewcomers,
        survives: (error) => error instanceof GroupLoss,
        regroup: () => this.#regroup(),
        get size() {
          return parts.seat.group.size
        },
      }
  }

  static async start(job: TrainingJob, local: LocalParts, parts: ProcessParts): Promise<ProcessCrew> {
    await parts.seat.prepare()
    return new ProcessCrew(job, local, parts)
  }

  get leads(): boolean {
    return this.#parts.seat.leads
  }

  async lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T> {
    try {
      return await this.#lead(load, course)
    } finally {
      // So that the next training joins another.
      if (this.#hasEnded) await this.#parts.seat.leave()
    }
  }

  async #lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T> {
    let loading: { loaded: L } | { error: unknown }
    try {
      loading = { loaded: await load() }
    } catch (error) {
      // Those of an elastic group go on without this process.
      if (this.elastic) throw error
      loading = { error }
    }
    if (!this.leads) return this.#follow('error' in loading ? loading.error : undefined)
    try {
      await this.#begin()
      if ('error' in loading) throw loading.error
      this.#isInCourse = true
      const result = await course(loading.loaded)
      await this.#here.talk.announce({ result })
      return result
    } catch (error) {
      // Where the group itself has ended, the others know already.
      await this.#station?.talk.announce({ error: serializeError(error) }).catch(() => {})
      throw error
    } finally {
      this.#isInCourse = false
    }
  }

  async setData(name: string, columns: SharedColumns, options: { reused: boolean }): Promise<void> {
    if (this.#isInCourse) return this.#together('setData', [name, columns, options])
    this.#belongings[`data '${name}'`] = fingerprintOf(columns)
    this.#data.set(name, [columns, options])
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

  readWeights(): Promise<Record<string, Float32Array>> {
    return this.#together('readWeights', [])
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
    return this.#here.replica.engine()
  }

  async close(): Promise<void> {
    const station = this.#station
    this.#station = undefined
    await station?.replica.close()
  }

  get #here(): Station {
    if (this.#station) return this.#station
    throw new StateError('The group of processes has not formed.')
  }

  /** Has all processes do the same. `told`: the arguments for the others, where they differ. */
  async #together<T>(command: Shared, own: unknown[], told = own): Promise<T> {
    try {
      await this.#here.talk.announce({ command, arguments: told })
      return (await this.#carryOut(command, own)) as T
    } catch (error) {
      throw this.#ended(error)
    }
  }

  /** The leader's first group; another, where that is lost before training begins. */
  async #begin(): Promise<void> {
    for (;;)
      try {
        return await this.#muster()
      } catch (error) {
        if (!this.elastic?.survives(error)) throw error
        await this.#parts.seat.leave()
      }
  }

  /** Brings those together who are there. For the leader. */
  async #regroup(): Promise<void> {
    // Where the group has ended there is nobody to hear it, and no need.
    await this.#station?.talk.announce({ regroup: true }).catch(() => {})
    await this.#parts.seat.leave()
    await this.#muster()
  }

  /** Forms the group, makes sure that all bring the same, and gives all the leader's weights. */
  async #muster(): Promise<void> {
    checkReports(this.#belongings, await this.#form())
    await this.writeWeights(
      Object.fromEntries(
        namedWeights(this.#local.model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
      ),
    )
  }

  /** Takes part in the group as it is now, with a replica of its own. Returns what the followers report. */
  async #form(failure?: unknown): Promise<Report[]> {
    await this.close()
    this.#order = undefined
    let talk: GroupTalk | undefined
    try {
      const transport = await this.#parts.seat.enter()
      this.#hasEnded = false
      talk = new GroupTalk(transport)
      const member = this.#parts.makeMember(transport)
      const replica = await Replica.create(this.#job, this.#local, member)
      this.#station = { talk, member, replica }
      for (const [name, [columns, options]] of this.#data) await replica.setData(name, columns, options)
      if (this.leads) return await talk.hearReports()
      await talk.report(failure === undefined ? { brings: this.#belongings } : { error: serializeError(failure) })
      return []
    } catch (error) {
      throw this.#ended(error, talk)
    }
  }

  async #follow<T>(failure: unknown): Promise<T> {
    for (;;)
      try {
        await this.#form(failure)
        const last = await this.#obey()
        if (failure !== undefined) throw failure
        if ('result' in last) return last.result as T
        if ('error' in last) {
          const error = deserializeError(last.error)
          throw error instanceof NumericError || error instanceof WorkerError ? error : failureOf(0, error)
        }
        await this.#parts.seat.leave()
      } catch (error) {
        if (!this.elastic?.survives(error)) throw error
        await this.#parts.seat.leave()
      }
  }

  /** Does what the leader says, until it says that this is over. */
  async #obey(): Promise<Exclude<Announcement, { command: Shared }>> {
    try {
      for (;;) {
        const heard = await this.#here.talk.hear()
        if (!('command' in heard)) return heard
        await this.#carryOut(heard.command, heard.arguments).catch((error: unknown) => {
          // All compute the same loss: the leader has met it too, and ends the course.
          if (!(error instanceof NumericError)) throw error
        })
      }
    } catch (error) {
      throw this.#ended(error)
    }
  }

  async #carryOut(command: Shared, values: unknown[]): Promise<unknown> {
    const { replica } = this.#here
    if (command === 'train') {
      const range = values[0] as TrainRange
      this.#order = range.order ?? this.#order
      return replica.train({ ...range, order: this.#order! })
    }
    if (command === 'evaluate') return this.#evaluate(values[0] as EvaluateRange)
    if (command === 'usage') return this.#usage()
    const method = replica[command] as (...values: unknown[]) => Promise<unknown>
    return method.apply(replica, values)
  }

  /** Each process evaluates its rows; all get the sums over all. */
  async #evaluate(range: EvaluateRange): Promise<Sums> {
    const { talk, replica, member } = this.#here
    const { loss, weight, metrics } = await replica.evaluate(range)
    const parts = await talk.gather([loss, weight, ...metrics])
    return member.mergeMetrics(parts.map(([loss, weight, ...metrics]) => ({ loss: loss!, weight: weight!, metrics })))
  }

  async #usage(): Promise<WorkerUsage[]> {
    const { talk, replica } = this.#here
    const [{ sentBytes, memory }] = (await replica.usage()) as [WorkerUsage]
    const names = Object.keys(memory) as (keyof typeof memory)[]
    const all = await talk.gather([sentBytes, ...names.map((name) => memory[name])])
    return all.map(([sent, ...bytes]) => ({
      sentBytes: sent!,
      memory: Object.fromEntries(names.map((name, i) => [name, bytes[i]!])) as unknown as WorkerUsage['memory'],
    }))
  }

  /** Ends the group, so that nobody waits for this process, and says whose fault it was. */
  #ended(error: unknown, talk = this.#station?.talk): Error {
    if (error instanceof NumericError || error instanceof WorkerError) return error
    const failure =
      error instanceof TransportError
        ? new GroupLoss(`The group of workers has ended: ${error.message}`, { cause: error })
        : failureOf(talk?.rank ?? this.#parts.seat.group.rank, error)
    talk?.abort(failure.message)
    this.#hasEnded = true
    return failure
  }
}

/** The group has ended, and this process lives: if the group is elastic, it can form anew. */
class GroupLoss extends WorkerError {}

const failureOf = (rank: number, cause: unknown) =>
  new WorkerError(`Worker ${rank} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })

/** @throws {WorkerError} if one failed to load. @throws {ConfigError | DataError} that names all ranks that differ. */
function checkReports(own: Belongings, reports: readonly Report[]): void {
  const all = reports.map((report, i) => {
    if ('error' in report) throw failureOf(i + 1, deserializeError(report.error))
    return report.brings
  })
  for (const name of new Set([own, ...all].flatMap(Object.keys))) {
    const others = all.flatMap((brings, i) => (brings[name] === own[name] ? [] : [i + 1]))
    if (others.length === 0) continue
    const ErrorClass = name === 'job' ? ConfigError : DataError
    throw new ErrorClass(`Rank ${others.join(', ')} and rank 0 do not have the same ${name}.`, {
      expected: own[name] ?? 'none',
      received: all[others[0]! - 1]![name] ?? 'none',
      remedy: 'Run the same script on the same data in every process',
    })
  }
}
