/**
 * Worker threads as one crew.
 *
 * Owns: the threads, the questions that wait for an answer, the end of all when one fails.
 * Leaves: training to the replica in each thread.
 * @module
 */

import { spawnWorker, type Thread } from '#threads'
import { createKernelMemory, endMeetings, type KernelMemory, workerDevices } from '../backends/index.js'
import { type Deferred, deferred, deserializeError, NumericError, WorkerError } from '../core/index.js'
import { resolveOptimizer } from '../optimizers/index.js'
import type {
  Crew,
  EngineReport,
  EvaluateRange,
  SharedColumns,
  StepRecord,
  Sums,
  TrainingJob,
  TrainingState,
  TrainRange,
  WorkerUsage,
} from '../training/index.js'
import type { ThreadTransportFactory } from '../transport/index.js'
import type { StrategyDescription } from './create-member.js'
import type { GroupStrategy } from './group-strategy.js'
import { type GroupTicket, openTickets } from './join-group.js'
import { ThreadData } from './thread-data.js'
import type { Command, CommandMessage, EndMessage, Reply, StartMessage } from './worker-protocol.js'

/** How long threads may take to give back what they hold of GPUs. */
const GIVE_BACK_MS = 5000

/** Whether the workers' kernels can run on one memory: where each can update a share of the weights. */
const canShareKernels = (
  { backend, optimizer }: TrainingJob,
  { name, options }: StrategyDescription,
  transport: ThreadTransportFactory,
): boolean => {
  const { fused, wholeTensors } = resolveOptimizer(optimizer)
  return (
    name === 'data-parallel' &&
    options.compression === undefined &&
    backend === 'wasm' &&
    transport.sharesMemory === true &&
    fused !== undefined &&
    !wholeTensors
  )
}

/** The threads of one `fit` or `evaluate`. */
export class ThreadCrew implements Crew {
  readonly remote = true
  readonly leads = true
  readonly #strategy: GroupStrategy
  readonly #transport: ThreadTransportFactory
  readonly #tickets: GroupTicket[]
  readonly #threads: Thread[]
  readonly #data: ThreadData
  readonly #kernelMemory: KernelMemory | undefined
  readonly #waiting = new Map<number, Deferred<unknown>>()
  /** Whether threads hold what their end does not give back. */
  readonly #holdsDevices: boolean
  /** Ranks whose threads have ended. */
  readonly #ended = new Set<number>()
  #nextId = 0
  #failure: Error | undefined

  private constructor(
    strategy: GroupStrategy,
    transport: ThreadTransportFactory,
    tickets: GroupTicket[],
    kernelMemory: KernelMemory | undefined,
  ) {
    this.#strategy = strategy
    this.#holdsDevices = workerDevices() !== undefined
    this.#data = new ThreadData(kernelMemory)
    this.#kernelMemory = kernelMemory
    this.#transport = transport
    this.#tickets = tickets
    this.#threads = tickets.map((_, rank) => this.#spawn(rank))
  }

  /** Starts the threads and their replicas. */
  static async start(
    job: TrainingJob,
    strategy: GroupStrategy,
    transport: ThreadTransportFactory,
  ): Promise<ThreadCrew> {
    const { description } = strategy
    const kernelMemory = canShareKernels(job, description, transport) ? createKernelMemory() : undefined
    const tickets = await openTickets(transport, strategy.group.size)
    const crew = new ThreadCrew(strategy, transport, tickets, kernelMemory)
    const rest = { job, strategy: description, ...(kernelMemory === undefined ? {} : { kernelMemory }) }
    try {
      await crew.#all((id, rank): StartMessage => ({ kind: 'start', id, ticket: crew.#tickets[rank]!, ...rest }))
    } catch (error) {
      await crew.close()
      throw error
    }
    return crew
  }

  async lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T> {
    return course(await load())
  }

  async setData(name: string, columns: SharedColumns, { reused }: { reused: boolean }): Promise<void> {
    await this.#command('setData', name, this.#data.share(name, columns, reused), { reused: false })
  }

  async train(range: TrainRange): Promise<StepRecord[]> {
    return (await this.#command<StepRecord[]>('train', this.#data.shareOrder(range)))[0]!
  }

  async evaluate(range: EvaluateRange): Promise<Sums> {
    return this.#strategy.mergeMetrics(await this.#command<Sums>('evaluate', range))
  }

  async readWeights(): Promise<Record<string, Float32Array>> {
    return (await this.#command<Record<string, Float32Array>>('readWeights'))[0]!
  }

  async readState(): Promise<TrainingState> {
    return (await this.#command<TrainingState>('readState'))[0]!
  }

  async writeState(state: TrainingState): Promise<void> {
    await this.#command('writeState', state)
  }

  async writeWeights(weights: Record<string, Float32Array>): Promise<void> {
    await this.#command('writeWeights', weights)
  }

  async engine(): Promise<EngineReport> {
    return (await this.#command<EngineReport>('engine'))[0]!
  }

  async usage(): Promise<WorkerUsage[]> {
    return (await this.#command<WorkerUsage[]>('usage')).flat()
  }

  async close(): Promise<void> {
    this.#abort('its work is done')
    if (this.#holdsDevices) await this.#giveBack()
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  /** Has the threads give back what their end would not; one that does not answer is not waited for. */
  async #giveBack(): Promise<void> {
    const answers = this.#threads.map((thread, rank) => {
      if (this.#ended.has(rank)) return undefined
      const { id, answer } = this.#expect()
      thread.post({ kind: 'end', id } satisfies EndMessage)
      return answer
    })
    const given = Promise.allSettled(answers)
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.race([given, new Promise((resolve) => (timer = setTimeout(resolve, GIVE_BACK_MS)))])
    clearTimeout(timer)
  }

  #spawn(rank: number): Thread {
    const thread = spawnWorker(`dcml worker ${rank}`)
    thread.onMessage((received) => {
      const reply = received as Reply
      const waiting = this.#waiting.get(reply.id)
      if (!waiting) return
      this.#waiting.delete(reply.id)
      if ('error' in reply) this.#fail(rank, deserializeError(reply.error))
      else waiting.resolve(reply.result)
    })
    thread.onExit((cause) => {
      this.#ended.add(rank)
      this.#fail(rank, cause)
    })
    return thread
  }

  /** The first failure ends the group; those that follow from it are not told. */
  #fail(rank: number, cause: unknown): void {
    if (!this.#failure) {
      this.#failure =
        cause instanceof NumericError
          ? // Every worker computes the same loss: this one is not about a worker.
            cause
          : new WorkerError(`Worker ${rank} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
              cause,
            })
      this.#abort(this.#failure.message)
    }
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure)
    this.#waiting.clear()
  }

  #abort(reason: string): void {
    this.#transport.abort(this.#tickets[0]!.ticket, reason)
    if (this.#kernelMemory) endMeetings(this.#kernelMemory)
  }

  #command<T>(command: Command, ...values: unknown[]): Promise<T[]> {
    return this.#all((id): CommandMessage => ({ kind: 'command', id, command, arguments: values })) as Promise<T[]>
  }

  /** Sends a message to every thread; resolves with their answers in rank order. */
  async #all(message: (id: number, rank: number) => StartMessage | CommandMessage): Promise<unknown[]> {
    if (this.#failure) throw this.#failure
    const answers = this.#threads.map((thread, rank) => {
      const { id, answer } = this.#expect()
      thread.post(message(id, rank))
      return answer
    })
    return Promise.all(answers)
  }

  /** The number of a message to be sent, and its answer. */
  #expect(): { id: number; answer: Promise<unknown> } {
    const id = this.#nextId++
    const waiting = deferred<unknown>()
    this.#waiting.set(id, waiting)
    return { id, answer: waiting.promise }
  }
}
