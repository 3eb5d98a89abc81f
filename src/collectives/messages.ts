/** Typed arrays as messages of a transport. @module */

import { combine, type ReduceOperation, type Reducible, type Transport } from '../transport/index.js'

/** The tag of all collective messages; a transport leaves it to them. */
const COLLECTIVE_TAG = 2 ** 31 - 1

/** Sends an array to a peer. */
export function sendArray(transport: Transport, to: number, array: Reducible): Promise<void> {
  return transport.send(to, COLLECTIVE_TAG, new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
}

/** Receives an array of the class of `like`, of whatever length was sent. */
export async function receiveArray<T extends Reducible>(transport: Transport, from: number, like: T): Promise<T> {
  const bytes = await transport.receive(from, COLLECTIVE_TAG)
  const Class = like.constructor as new (buffer: ArrayBufferLike) => T
  // A copy only where the bytes are a part of something larger.
  return new Class(bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer)
}

/** Sends to one peer while receiving from another: one after the other could wait for each other for ever. */
export async function exchange<T extends Reducible>(
  transport: Transport,
  { to, from, array }: { to: number; from: number; array: T },
): Promise<T> {
  const [received] = await Promise.all([receiveArray(transport, from, array), sendArray(transport, to, array)])
  return received
}

/** Combines `other` into `into`, element by element. */
export function combineInto(op: ReduceOperation, into: Reducible, other: Reducible): void {
  for (let i = 0; i < into.length; i++) into[i] = combine(op, into[i]!, other[i]!)
}
