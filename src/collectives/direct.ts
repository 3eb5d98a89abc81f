/** Every rank sends every other its share: for long arrays, the traffic of a ring in two steps. @module */

import { divideMean, type ReduceOperation, type Reducible } from '../transport/index.js'
import { fold } from './fold.js'
import { type Messages, shareOfArray } from './messages.js'

/** Leaves share `r` of the combined array on rank `r`. Tells of each piece of the own share once it is combined. */
export async function directReduceScatter<T extends Reducible>(
  messages: Messages,
  array: T,
  { op, onPiece }: { op: ReduceOperation; onPiece?: (piece: T) => void },
): Promise<void> {
  const { rank, worldSize } = messages
  const peers = messages.peers()
  for (const peer of peers) messages.send(peer, shareOfArray(array, peer, worldSize))

  const arrive = (piece: T | undefined, turn: number) =>
    piece && peers.map((peer) => messages.receiving(peer, messages.scratch(piece, piece.length, 2 * peer + (turn % 2))))
  const pieces = [...messages.piecesOf(shareOfArray(array, rank, worldSize))]
  let arriving = arrive(pieces[0], 0)
  for (const [i, piece] of pieces.entries()) {
    const parts: T[] = []
    parts[rank] = piece
    for (const [at, theirs] of (await Promise.all(arriving!)).entries()) parts[peers[at]!] = theirs
    arriving = arrive(pieces[i + 1], i + 1)
    fold(op, parts, piece)
    divideMean(op, piece, worldSize)
    if (onPiece) messages.round(piece)
    onPiece?.(piece)
  }
}

/** Combines the arrays of all ranks, in place. */
export async function directAllReduce<T extends Reducible>(
  messages: Messages,
  array: T,
  op: ReduceOperation,
): Promise<void> {
  const peers = messages.peers()
  await directReduceScatter(messages, array, {
    op,
    onPiece(piece) {
      for (const peer of peers) messages.send(peer, piece)
    },
  })
  await Promise.all(peers.map((peer) => messages.receive(peer, shareOfArray(array, peer, messages.worldSize))))
}
