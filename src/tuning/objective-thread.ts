/** A thread that runs the objective, seen from the tuner. @module */

import { spawnObjectiveWorker, type Thread } from '#threads'
import { type Deferred, deferred, deserializeError, serializeError, WorkerError } from '../core/index.js'
import type { ObjectiveReply, ObjectiveRequest } from './objective-protocol.js'
import type { Score, Trial } from './trial.js'

/** Runs trials in a thread of its own, one at a time. A thread that ends by itself is replaced at the next trial. */
export class ObjectiveThread {
  readonly #module: string
  readonly #name: string
  #thread: Thread | undefined
  /** Undefined between trials. */
  #current: { trial: Trial; score: Deferred<Score> } | undefined

  constructor(module: string, name: string) {
    this.#module = module
    this.#name = name
  }

  /** The score of a trial. @throws {WorkerError} if the thread ends; else what the objective throws. */
  async run(trial: Trial): Promise<Score> {
    const score = deferred<Score>()
    this.#current = { trial, score }
    this.#thread ??= this.#spawn()
    const { number, params, parent } = trial
    this.#post({ kind: 'run', module: this.#module, trial: { number, params, parent } })
    const abort = () => this.#post({ kind: 'abort' })
    trial.signal.addEventListener('abort', abort)
    if (trial.signal.aborted) abort()
    try {
      return await score.promise
    } finally {
      trial.signal.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
    this.#thread = undefined
  }

  #spawn(): Thread {
    const thread = spawnObjectiveWorker(this.#name)
    thread.onMessage((message) => this.#hear(message as ObjectiveReply))
    thread.onExit((cause) => {
      this.#thread = undefined
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#current?.score.reject(new WorkerError(`The thread of the objective ended: ${reason}`, { cause }))
    })
    return thread
  }

  async #hear(message: ObjectiveReply): Promise<void> {
    const current = this.#current
    // What a trial reports without waiting may come after its end.
    if (!current || (message.kind === 'report' && message.trial !== current.trial.number)) return
    const { trial, score } = current
    if (message.kind !== 'report') this.#current = undefined
    if (message.kind === 'done') score.resolve(message.score)
    else if (message.kind === 'failed') score.reject(deserializeError(message.error))
    else
      await trial.report(message.step, message.value).then(
        () => this.#post({ kind: 'verdict', trial: trial.number, prune: trial.shouldPrune }),
        (error) => this.#post({ kind: 'refusal', trial: trial.number, error: serializeError(error) }),
      )
  }

  #post(request: ObjectiveRequest): void {
    this.#thread?.post(request)
  }
}
