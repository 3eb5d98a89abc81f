import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { TransportError } from '../../../../src/core/index.js'
import { Mailbox } from '../../../../src/transport/mailbox.js'
import type { Arrival } from '../../../../src/transport/tcp/arrival.js'
import { Connection } from '../../../../src/transport/tcp/connection.js'
import { Peer } from '../../../../src/transport/tcp/peer.js'
import { tcpGroup } from '../../../fixtures/tcp-group.js'

/** Rank 1 of a group that ends with it. */
function peerOf(timeoutMs: number): Peer {
  const events = {
    lost: (error: TransportError) => void peer.leave(error),
    table: () => {},
    mayComeAgain: () => false,
  }
  const peer = new Peer(1, new Mailbox<Arrival>(timeoutMs), { events, maxBytes: 100, timeoutMs })
  return peer
}

it('loses a peer that does not go on in the middle of a message', async () => {
  const peer = peerOf(20)
  const received = peer.receive(3)
  const body = peer.begin(3, 8)
  body.bytes.set([1, 2, 3])
  body.filled = 3
  await expect(received).rejects.toMatchObject({ rank: 1, message: expect.stringMatching(/part of a message/) })
})

it('ends the group when a peer does not take a message, for the socket would keep it', async () => {
  const [zero, one] = await tcpGroup(2, (rank) => ({ timeoutMs: rank === 0 ? 50 : Infinity, silenceMs: Infinity }))
  const late = { rank: 1, message: 'Rank 1 did not take a message within 50 ms.' }
  // More than the system and the other side take without a receiver.
  await expect(zero!.send(1, 0, new Uint8Array(50_000_000))).rejects.toMatchObject(late)
  await expect(zero!.send(1, 0, Uint8Array.of(1))).rejects.toMatchObject(late)
  await expect(zero!.receive(1, 0)).rejects.toMatchObject(late)
  await Promise.all([zero!.close(), one!.close()])
})

it('closes a socket that comes when it has left', async () => {
  const peer = peerOf(Infinity)
  const [heard, spoken] = [Connection.accept(new Socket()), Connection.accept(new Socket())]
  await peer.leave(new TransportError('The test says so.'))
  peer.hearOn(heard)
  peer.speakOn(spoken)
  expect([heard.socket.destroyed, spoken.socket.destroyed]).toEqual([true, true])
})
