import { describe, expect, it } from 'vitest'
import { WasmMemory } from '../../../../src/backends/wasm/memory.js'
import { Random } from '../../../../src/core/index.js'

const PAGE = 65536
const create = (options: Partial<WebAssembly.MemoryDescriptor> = {}) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024, ...options })
  return { memory, heap: new WasmMemory(memory, 1000) }
}
const purpose = 'test range'

describe('WasmMemory', () => {
  it('hands out aligned ranges that do not overlap', () => {
    const { heap } = create()
    const random = new Random(7)
    const live = new Map<number, number>()
    for (let i = 0; i < 3000; i++) {
      if (live.size > 40 || (live.size > 0 && random.uniform() < 0.4)) {
        const pointer = [...live.keys()][random.integer(live.size)]!
        heap.release(pointer)
        live.delete(pointer)
        continue
      }
      const size = random.integer(20_000)
      const pointer = heap.allocate(size, purpose, [])
      expect(pointer % 64).toBe(0)
      expect(pointer).toBeGreaterThanOrEqual(1000)
      for (const [other, otherSize] of live)
        expect(pointer + Math.max(1, size) <= other || other + Math.max(1, otherSize) <= pointer).toBe(true)
      live.set(pointer, size)
      expect(pointer + size).toBeLessThanOrEqual(heap.capacityBytes)
    }
    for (const pointer of live.keys()) heap.release(pointer)
    expect(heap.bytesInUse).toBe(0)
  })

  it('wastes less than a quarter of a large request', () => {
    const { heap } = create()
    for (let size = 257; size < 200_000; size = Math.ceil(size * 1.013)) {
      const pointer = heap.allocate(size, purpose, [])
      expect(heap.bytesInUse).toBeGreaterThanOrEqual(size)
      expect(heap.bytesInUse).toBeLessThan(size * 1.25 + 64)
      heap.release(pointer)
    }
  })

  it('does not grow when the same sizes come again', () => {
    const { heap } = create()
    const round = () => {
      const pointers = [100, 5000, 70_000, 5000, 300_000].map((size) => heap.allocate(size, purpose, []))
      for (const pointer of pointers) heap.release(pointer)
    }
    round()
    const capacity = heap.capacityBytes
    for (let i = 0; i < 100; i++) round()
    expect(heap.capacityBytes).toBe(capacity)
  })

  it.each([false, true])('shows the memory as it is after it grew (shared: %s)', (shared) => {
    const { heap } = create({ shared })
    const first = heap.allocate(4, purpose, [])
    heap.floats[first / 4] = 1.5
    const second = heap.allocate(10 * PAGE, purpose, [])
    heap.floats[second / 4 + 100_000] = 2.5
    expect(heap.floats[first / 4]).toBe(1.5)
    expect(heap.floats[second / 4 + 100_000]).toBe(2.5)
    expect(new Float32Array(heap.bytes.slice(first, first + 4).buffer)[0]).toBe(1.5)
  })

  it('joins freed neighbours before it gives up', () => {
    const { heap } = create({ maximum: 16 })
    const pieces = Array.from({ length: 10 }, () => heap.allocate(PAGE, purpose, []))
    for (const pointer of pieces) heap.release(pointer)
    const whole = heap.allocate(14 * PAGE, purpose, [])
    heap.release(whole)
    // And back to small pieces, which must not overlap each other either.
    const again = Array.from({ length: 10 }, () => heap.allocate(PAGE, purpose, [])).sort((a, b) => a - b)
    for (let i = 1; i < again.length; i++) expect(again[i]! - again[i - 1]!).toBeGreaterThanOrEqual(PAGE)
  })

  it('cuts a request out of a hole between ranges in use', () => {
    const { heap } = create({ maximum: 16 })
    const pieces = Array.from({ length: 14 }, () => heap.allocate(PAGE, purpose, []))
    for (const i of [3, 4, 5]) heap.release(pieces[i]!)
    const used = pieces.filter((_, i) => i < 3 || i > 5)
    const hole = heap.allocate(2.5 * PAGE, purpose, [])
    for (const pointer of used) expect(hole + 2.5 * PAGE <= pointer || pointer + PAGE <= hole).toBe(true)
    expect(hole).toBeGreaterThan(pieces[2]!)
  })

  it('says what there is no memory for', () => {
    const { heap } = create({ maximum: 4 })
    expect(() => heap.allocate(8 * PAGE, 'float32 tensor', [8, 9])).toThrow(
      /no memory left for a float32 tensor of shape \[8, 9\].*batchSize/s,
    )
    expect(heap.bytesInUse).toBe(0)
  })
})
