/** Collectives that only move arrays, over messages. @module */

import { emptyLike, gatheredInto, type Reducible } from '../transport/index.js'
import { type Messages, shareOfArray } from './messages.js'

/** Every rank sends all others its array, its length ahead of it. */
export async function directAllGather<T extends Reducible>(messages: Messages, array: T, into?: T): Promise<T> {
  const { rank } = messages
  const peers = messages.peers()
  const lengths = new Float64Array(messages.worldSize).fill(array.length)
  for (const peer of peers) sendWithLength(messages, peer, array)
  await Promise.all(peers.map((peer) => messages.receivePiece(peer, lengths.subarray(peer, peer + 1))))

  const total = lengths.reduce((sum, length) => sum + length, 0)
  const result = gatheredInto(array, total, into)
  const place = (of: number) => {
    const start = lengths.subarray(0, of).reduce((sum, length) => sum + length, 0)
    return result.subarray(start, start + lengths[of]!) as T
  }
  place(rank).set(array)
  await Promise.all(peers.map((peer) => messages.receive(peer, place(peer))))
  return result
}

/** Every rank sends each other its part, its length ahead of it. */
export async function directAllToAll<T extends Reducible>(messages: Messages, parts: readonly T[]): Promise<T[]> {
  const { rank } = messages
  const peers = messages.peers()
  const like = parts[rank]!
  for (const peer of peers) sendWithLength(messages, peer, parts[peer]!)
  const received: T[] = []
  received[rank] = like.slice() as T
  await Promise.all(
    peers.map(async (peer) => {
      const length = new Float64Array(1)
      await messages.receivePiece(peer, length)
      received[peer] = emptyLike(like, length[0]!)
      await messages.receive(peer, received[peer])
    }),
  )
  return received
}

/**
 * Copies a long array of `root` to all ranks: each gets one share from it and passes that on.
 *
 * @see Barnett et al. 1994 (scatter, then collect), https://doi.org/10.1109/SHPCC.1994.296665
 */
export async function scatterBroadcast(messages: Messages, array: Reducible, root: number): Promise<void> {
  const { rank, worldSize } = messages
  const peers = messages.peers()
  const share = (of: number) => shareOfArray(array, of, worldSize)
  if (rank === root) {
    for (const peer of peers) messages.send(peer, share(peer))
    for (const peer of peers) messages.send(peer, share(root))
    return
  }
  await messages.receive(root, share(rank), (piece) => {
    for (const peer of peers) if (peer !== root) messages.send(peer, piece)
  })
  await Promise.all(peers.map((peer) => messages.receive(peer, share(peer))))
}

/** Returns when all ranks have come: each hears of twice as many with every step. */
export async function disseminationBarrier(messages: Messages): Promise<void> {
  const nothing = new Uint16Array(0)
  for (let distance = 1; distance < messages.worldSize; distance *= 2) {
    messages.sendPiece(messages.after(distance), nothing)
    await messages.receivePiece(messages.after(-distance), nothing)
  }
}

function sendWithLength(messages: Messages, peer: number, array: Reducible): void {
  messages.sendPiece(peer, Float64Array.of(array.length))
  messages.send(peer, array)
}
