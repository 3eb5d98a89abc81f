/** Messages that have come, and receivers that wait for one, by sender and tag. @module */

import { type Deferred, deferred, TransportError } from '../core/index.js'
import { DEFAULT_TIMEOUT_MS } from './transport.js'

interface Box<Message> {
  messages: Message[]
  receivers: Deferred<Message>[]
}

/**
 * The receiving side of a transport. A message goes to the receiver that has waited longest. It is the bytes, unless a
 * transport keeps them elsewhere until somebody asks.
 */
export class Mailbox<Message = Uint8Array> {
  readonly #boxes = new Map<string, Box<Message>>()
  readonly #timeoutMs: number
  #failure: Error | undefined

  constructor(timeoutMs = DEFAULT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
  }

  /** Takes a message in. It becomes the receiver's. */
  deliver(from: number, tag: number, message: Message): void {
    const box = this.#box(from, tag)
    const receiver = box.receivers.shift()
    if (receiver) receiver.resolve(message)
    else box.messages.push(message)
  }

  /** The next message. @throws {TransportError} if none can come any more, or none came in time. */
  async take(from: number, tag: number): Promise<Message> {
    if (this.#failure) throw this.#failure
    const box = this.#box(from, tag)
    return box.messages.shift() ?? this.#wait(box, from)
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
    return [...this.#boxes].some(([key, { receivers }]) => key.startsWith(`${from}/`) && receivers.length > 0)
  }

  /** Fails those who wait: for one peer, or for any, and then also whoever comes later. */
  fail(error: Error, from?: number): void {
    if (from === undefined) this.#failure ??= error
    for (const [key, { receivers }] of this.#boxes)
      if (from === undefined || key.startsWith(`${from}/`))
        for (const receiver of receivers.splice(0)) receiver.reject(error)
  }

  async #wait(box: Box<Message>, from: number): Promise<Message> {
    const receiver = deferred<Message>()
    box.receivers.push(receiver)
    if (this.#timeoutMs === Infinity) return receiver.promise
    const timer = setTimeout(() => {
      box.receivers = box.receivers.filter((other) => other !== receiver)
      receiver.reject(new TransportError(`Rank ${from} sent nothing within ${this.#timeoutMs} ms.`, { rank: from }))
    }, this.#timeoutMs)
    try {
      return await receiver.promise
    } finally {
      clearTimeout(timer)
    }
  }

  #box(from: number, tag: number): Box<Message> {
    const key = `${from}/${tag}`
    let box = this.#boxes.get(key)
    if (!box) {
      box = { messages: [], receivers: [] }
      this.#boxes.set(key, box)
    }
    return box
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
