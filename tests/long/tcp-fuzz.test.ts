import { once } from 'node:events'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { tcp } from '../../src/transport/node.js'
import { freePort } from '../fixtures/free-port.js'
import { FrameFuzzer, fuzzHandshakes } from '../fixtures/fuzz-tcp.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that this process holds, on the heap and beside it. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const GROWTH_BYTES = 8 << 20

it('lets no stranger in by a million random and mutated frames, and holds nothing of them', () => {
  const fuzzer = new FrameFuzzer(2)
  fuzzHandshakes(fuzzer, 100_000)
  const before = heldBytes()
  fuzzHandshakes(fuzzer, 1_000_000)
  expect(heldBytes() - before).toBeLessThan(GROWTH_BYTES)
})

it('forms its group beside 5,000 strangers that send frames to its rendezvous', async () => {
  const fuzzer = new FrameFuzzer(3)
  const port = await freePort()
  const options = { rendezvous: `127.0.0.1:${port}`, worldSize: 2, secret: 'known to two ranks and to nobody else' }
  let lines = 0
  const first = tcp({ ...options, rank: 0, log: () => lines++ }).join()
  const annoy = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect').catch(() => {})
      for (let frames = 1 + fuzzer.below(4); frames > 0; frames--) socket.write(fuzzer.next())
      socket.end()
      socket.resume()
      await once(socket, 'close')
    }
  }
  await annoy(500)
  const before = heldBytes()
  await annoy(4500)
  expect(heldBytes() - before).toBeLessThan(GROWTH_BYTES)
  expect(lines).toBeGreaterThan(4900)
  const ends = await Promise.all([first, tcp({ ...options, rank: 1 }).join()])
  const received = ends[0]!.receive(1, 0)
  await ends[1]!.send(0, 0, Uint8Array.of(1, 2, 3))
  expect(await received).toEqual(Uint8Array.of(1, 2, 3))
  await Promise.all(ends.map((end) => end.close()))
})
