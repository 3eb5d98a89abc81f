/** Messages that have come, and receivers that wait for one, by sender and tag. @module */

import { type Deferred, deferred, TransportError } from '../core/index.js'
import { DEFAULT_TIMEOUT_MS } from './transport.js'

interface Box {
  messages: Uint8Array[]
  receivers: Deferred<Uint8Array>[]
}

/** The receiving side of a transport. A message goes to the receiver that has waited longest. */
export class Mailbox {
  readonly #boxes = new Map<string, Box>()
  readonly #timeoutMs: number
  #failure: Error | undefined

  constructor(timeoutMs = DEFAULT_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
  }

  /** Takes a message in. The bytes become the receiver's. */
  deliver(from: number, tag: number, bytes: Uint8Array): void {
    const box = this.#box(from, tag)
    const receiver = box.receivers.shift()
    if (receiver) receiver.resolve(bytes)
    else box.messages.push(bytes)
  }

  /** The next message. @throws {TransportError} if none can come any more, or none came in time. */
  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    if (this.#failure) throw this.#failure
    const box = this.#box(from, tag)
    const message = box.messages.shift() ?? (await this.#wait(box, from))
    if (!into) return message
    if (message.length > into.length)
      throw new TransportError(`A message of rank ${from} is longer than the array for it.`, {
        expected: `at most ${into.length} bytes`,
        received: `${message.length} bytes`,
        rank: from,
      })
    into.set(message)
    return into.subarray(0, message.length)
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

  async #wait(box: Box, from: number): Promise<Uint8Array> {
    const receiver = deferred<Uint8Array>()
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

  #box(from: number, tag: number): Box {
    const key = `${from}/${tag}`
    let box = this.#boxes.get(key)
    if (!box) {
      box = { messages: [], receivers: [] }
      this.#boxes.set(key, box)
    }
    return box
  }
}
