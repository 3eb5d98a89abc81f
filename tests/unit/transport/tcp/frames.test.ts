import { expect, it } from 'vitest'
import { type FrameBody, FrameReader, frame } from '../../../../src/transport/tcp/frames.js'
import { FrameFuzzer, fuzzHandshakes } from '../../../fixtures/fuzz-tcp.js'

const body = (length: number): FrameBody => ({ bytes: new Uint8Array(length), length, filled: 0 })

/** A reader, and what it has read. */
function reading(begin = (_tag: number, length: number) => body(length)) {
  const frames: [number, number[]][] = []
  const end = (tag: number, { bytes }: FrameBody) => void frames.push([tag, [...bytes]])
  return { frames, reader: new FrameReader({ maxBytes: 1000, begin, end }) }
}

it('reads the same frames however they are cut', () => {
  const sent: [number, number[]][] = [
    [1, [1, 2, 3]],
    [2 ** 31 - 1, []],
    [2 ** 31 + 7, [4]],
    [0, Array(300).fill(9)],
  ]
  const stream = Uint8Array.from(sent.flatMap(([tag, bytes]) => [...frame(tag, Uint8Array.from(bytes))]))
  for (let size = 1; size <= stream.length; size++) {
    const { frames, reader } = reading()
    for (let at = 0; at < stream.length; at += size) reader.take(stream.subarray(at, at + size))
    expect(frames).toEqual(sent)
  }
})

it('reads a body where it belongs, without a copy', () => {
  const place = new Uint8Array(300)
  const { frames, reader } = reading(() => ({ bytes: place, length: 300, filled: 0 }))
  const stream = frame(5, new Uint8Array(300).fill(8))
  reader.take(stream.subarray(0, 100))
  // Where the socket is to write what comes next: right behind what has come.
  const memory = reader.memory()
  expect([memory.buffer === place.buffer, memory.byteOffset, memory.length]).toEqual([true, 92, 208])
  memory.set(stream.subarray(100))
  reader.take(memory)
  expect(frames).toEqual([[5, Array(300).fill(8)]])
})

it('goes on in other memory when the body moves in the middle of a read', () => {
  const moving = { bytes: new Uint8Array(300), length: 300, filled: 0 }
  const { frames, reader } = reading(() => moving)
  const stream = frame(5, new Uint8Array(300).fill(8))
  reader.take(stream.subarray(0, 100))
  const memory = reader.memory()
  const moved = new Uint8Array(300)
  moved.set(moving.bytes)
  moving.bytes = moved
  memory.set(stream.subarray(100))
  reader.take(memory)
  expect(frames).toEqual([[5, Array(300).fill(8)]])
})

it('refuses a length beyond the bound before it holds memory for it', () => {
  const { reader } = reading(() => {
    throw new Error('memory was asked for')
  })
  expect(() => reader.take(new Uint8Array(Uint32Array.of(0xffff_ffff, 0).buffer))).toThrow(
    /A frame is too long. Expected at most 1000 bytes; received 4294967295 bytes/,
  )
})

// The long run has a million.
it('lets no stranger in by 20,000 random and mutated frames', () => {
  expect(() => fuzzHandshakes(new FrameFuzzer(1), 20_000)).not.toThrow()
})
