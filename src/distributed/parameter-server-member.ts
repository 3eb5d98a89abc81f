/**
 * A worker's side of an asynchronous parameter server: each worker trains, and serves its own share of the weights.
 *
 * Owns: what is pushed and pulled, and how far workers may drift apart.
 * Leaves: shares, slots and checkpoints to the sharded member, bytes to the transport.
 * @module
 */

import type { FlatParameters } from '../engine/index.js'
import { type Optimizer, type Slots, sumOfSquares, type UpdateAt } from '../optimizers/index.js'
import type { StepRecord } from '../training/index.js'
import { shareOf, type Transport } from '../transport/index.js'
import { completeRecords } from './complete-records.js'
import { ShardedMember } from './sharded-member.js'

/** Options of the member, as plain data. */
export interface ParameterServerOptions {
  staleness: number
}

/** Gradients for the owner of a share; empty: the sender has ended its steps. */
const PUSH = 1
/** The weights of a share, in answer to each push. */
const PULL = 2
/** Step and scale, float64 each, in front of the gradients. */
const HEADER_BYTES = 16

/** Updates the weights that it owns with each worker's gradients as they come. */
export class ParameterServerMember extends ShardedMember {
  readonly #staleness: number
  readonly #peers: readonly number[]
  /** The last step of each worker that is in the weights of this one's share. */
  readonly #clocks: Int32Array
  /** Who waits until all workers have come to a step. */
  #waiting: { step: number; resolve: () => void }[] = []
  /** Answers to the peers, while steps are run. */
  #serving: Promise<void>[] | undefined
  #parts: { optimizer: Optimizer; parameters: FlatParameters; slots: Slots } | undefined
  /** The update of the step under way; none when this worker had no rows. */
  #own: UpdateAt | undefined

  constructor(transport: Transport, { staleness }: ParameterServerOptions) {
    // Collectives that block the thread would keep it from serving.
    super(transport, { stage: 1 }, { native: false })
    this.#staleness = staleness
    this.#clocks = new Int32Array(transport.worldSize)
    this.#peers = Array.from({ length: transport.worldSize }, (_, rank) => rank).filter(
      (rank) => rank !== transport.rank,
    )
  }

  override prepare(optimizer: Optimizer, parameters: FlatParameters, slots: Slots): void {
    this.#parts = { optimizer, parameters, slots }
  }

  override async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    return parameters.totals.slice()
  }

  override async gradientNorm(parameters: FlatParameters): Promise<number> {
    return Math.sqrt(sumOfSquares(parameters))
  }

  /** Remembers the update; `afterStep` makes it, which comes also where there is none. */
  override async update(
    _optimizer: Optimizer,
    _parameters: FlatParameters,
    _slots: Slots,
    at: UpdateAt,
  ): Promise<void> {
    this.#own = at
  }

  override async afterStep(step: number, parameters: FlatParameters): Promise<void> {
    if (!this.#serving) {
      this.#clocks.fill(step - 1)
      this.#serving = this.#peers.map((peer) => awaitedLater(this.#serve(peer)))
    }
    const { length } = parameters.layout
    const own = this.#own
    this.#own = undefined
    const gradients = parameters.gradients
    const pushes = this.#peers.map((peer) => {
      const { start, end } = shareOf(length, peer, this.group.size)
      const share = own ? gradients.subarray(start, end) : new Float32Array(0)
      return this.transport.send(peer, PUSH, packPush(step, own?.gradientScale ?? 0, share))
    })
    if (own) this.#apply(own)
    this.#advance(this.group.rank, step)
    const pulls = this.#peers.map(async (peer) => {
      const share = floatsOf(await this.transport.receive(peer, PULL))
      parameters.parameters.set(share, shareOf(length, peer, this.group.size).start)
    })
    await Promise.all([...pushes, ...pulls, this.#reached(step - this.#staleness)])
    parameters.publish()
  }

  override get completesRecords(): boolean {
    return true
  }

  /** All workers end their steps here: what was pushed is in the weights. */
  override async completeRecords(records: StepRecord[]): Promise<StepRecord[]> {
    await Promise.all(this.#peers.map((peer) => this.transport.send(peer, PUSH, new Uint8Array(0))))
    await Promise.all(this.#serving ?? [])
    this.#serving = undefined
    return completeRecords(this.collectives, records)
  }

  override gatherWeights(parameters: FlatParameters): Promise<void> {
    return this.spreadWeights(parameters)
  }

  /** Takes a worker's gradients as they come, and answers with the weights once nobody is too far behind it. */
  async #serve(peer: number): Promise<void> {
    const answers: Promise<void>[] = []
    for (;;) {
      const push = await this.transport.receive(peer, PUSH)
      if (push.length === 0) break
      const [step, gradientScale] = new Float64Array(push.slice(0, HEADER_BYTES).buffer)
      const gradients = floatsOf(push.subarray(HEADER_BYTES))
      if (gradients.length > 0) this.#apply({ step: step!, gradientScale: gradientScale! }, gradients)
      this.#advance(peer, step!)
      answers.push(awaitedLater(this.#answer(peer, step!)))
    }
    await Promise.all(answers)
  }

  async #answer(peer: number, step: number): Promise<void> {
    await this.#reached(step - this.#staleness)
    const { parameters } = this.#parts!
    const { start, end } = this.#ownShare(parameters)
    const share = parameters.parameters.slice(start, end)
    await this.transport.send(peer, PULL, new Uint8Array(share.buffer))
  }

  /** Updates the own share, with this worker's gradients or with those of another. */
  #apply(at: UpdateAt, others?: Float32Array): void {
    const { optimizer, parameters, slots } = this.#parts!
    const { start, end } = this.#ownShare(parameters)
    // The gradients of this worker may be waiting there for its next push.
    const own = others && parameters.gradients.slice(start, end)
    if (others) parameters.gradients.set(others, start)
    this.updateShares(optimizer, parameters, slots, at)
    if (own) parameters.gradients.set(own, start)
    parameters.publish()
  }

  #ownShare({ layout }: FlatParameters): { start: number; end: number } {
    return shareOf(layout.length, this.group.rank, this.group.size)
  }

  #advance(rank: number, step: number): void {
    this.#clocks[rank] = step
    const slowest = Math.min(...this.#clocks)
    const isDone = ({ step: awaited }: { step: number }) => awaited <= slowest
    for (const { resolve } of this.#waiting.filter(isDone)) resolve()
    this.#waiting = this.#waiting.filter((waiter) => !isDone(waiter))
  }

  /** Resolves when all workers have come to a step. */
  #reached(step: number): Promise<void> {
    if (Math.min(...this.#clocks) >= step) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ step, resolve }))
  }
}

/** Keeps a failure for whoever awaits the promise in the end: until then it is no unhandled rejection. */
function awaitedLater(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}

function packPush(step: number, gradientScale: number, share: Float32Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + share.byteLength)
  new Float64Array(bytes.buffer, 0, 2).set([step, gradientScale])
  new Float32Array(bytes.buffer, HEADER_BYTES).set(share)
  return bytes
}

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer)
