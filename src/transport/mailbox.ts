/** Messages that have come, and receivers that wait for one, by sender and tag. @module */

import { type Deferred, deferred, TransportError } from '../core/index.js'
import { DEFAULT_TIMEOUT_MS } from './transport.js'

interface Receiver<Message> extends Deferred<Message> {
  claim: ((message: Message) => void) | undefined
}

interface Box<Message> {
  from: number
  messages: Message[]
  receivers: Receiver<Message>[]
}

/**
 * The receiving side of a transport. A message goes to the receiver that has waited longest. It is the bytes, unless a
 * transport keeps them elsewhere until somebody asks.
 */
export class Mailbox<Message = Uint8Array> {
  /** Those that hold something: tags may be used once each. */
  readonly #boxes = new Map<string, Box<Message>>()
  readonly #timeoutMs: number
  #failure: Error | undefined
  /** Of peers that will send nothing more. */
  readonly #failures = new Map<number, Error>()

  constructor(timeoutMs = DEFAULT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
  }

  /** Takes a message in. It becomes the receiver's. */
  deliver(from: number, tag: number, message: Message): void {
    const key = `${from}/${tag}`
    const box = this.#box(key, from)
    const receiver = box.receivers.shift()
    if (receiver) {
      receiver.claim?.(message)
      receiver.resolve(message)
    } else box.messages.push(message)
    this.#forget(key, box)
  }

  /**
   * The next message.
   *
   * @param claim - Called with it in the very turn in which receiver and message meet.
   * @throws {TransportError} if none can come any more, or none came in time.
   */
  async take(from: number, tag: number, claim?: (message: Message) => void): Promise<Message> {
    if (this.#failure) throw this.#failure
    const key = `${from}/${tag}`
    const box = this.#boxes.get(key)
    const message = box?.messages.shift()
    if (!box || message === undefined) return this.#wait(key, from, claim)
    this.#forget(key, box)
    claim?.(message)
    return message
  }

  /** The next message, in `into` where that is given. @throws {TransportError} as `take`, or if `into` is too short. */
  async receive(this: Mailbox<Uint8Array>, from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    const message = await this.take(from, tag)
    if (!into) return message
    const place = placeIn(into, message.length, from)
    place.set(message)
    return place
  }

  /** Whether somebody waits for a message of this peer. */
  isAwaited(from: number): boolean {
    for (const box of this.#boxes.values()) if (box.from === from && box.receivers.length > 0) return true
    return false
  }

  /** Fails those who wait and those who come later: for one peer, of whom what has come can still be had, or for any. */
  fail(error: Error, from?: number): void {
    if (from === undefined) this.#failure ??= error
    else if (!this.#failures.has(from)) this.#failures.set(from, error)
    for (const [key, box] of this.#boxes)
      if (from === undefined || box.from === from) {
        for (const receiver of box.receivers.splice(0)) receiver.reject(error)
        this.#forget(key, box)
      }
  }

  async #wait(key: string, from: number, claim: ((message: Message) => void) | undefined): Promise<Message> {
    const failure = this.#failures.get(from)
    if (failure) throw failure
    const box = this.#box(key, from)
    const receiver = { ...deferred<Message>(), claim }
    box.receivers.push(receiver)
    if (this.#timeoutMs === Infinity) return receiver.promise
    const timer = setTimeout(() => {
      box.receivers = box.receivers.filter((other) => other !== receiver)
      this.#forget(key, box)
      receiver.reject(new TransportError(`Rank ${from} sent nothing within ${this.#timeoutMs} ms.`, { rank: from }))
    }, this.#timeoutMs)
    try {
      return await receiver.promise
    } finally {
      clearTimeout(timer)
    }
  }

  #box(key: string, from: number): Box<Message> {
    let box = this.#boxes.get(key)
    if (!box) {
      box = { from, messages: [], receivers: [] }
      this.#boxes.set(key, box)
    }
    return box
  }

  #forget(key: string, { messages, receivers }: Box<Message>): void {
    if (messages.length === 0 && receivers.length === 0) this.#boxes.delete(key)
  }
}

/** The first `length` bytes of a receiver's array. @throws {TransportError} if it has fewer. */
export function placeIn(into: Uint8Array, length: number, from: number): Uint8Array {
  if (length <= into.length) return into.subarray(0, length)
  throw new TransportError(`A message of rank ${from} is longer than the array for it.`, {
    expected: `at most ${into.length} bytes`,
    received: `${length} bytes`,
    rank: from,
  })
}
