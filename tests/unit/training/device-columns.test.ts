import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { DeviceArrays, selectBackend } from '../../../src/backends/index.js'
import { activeWasmBackend } from '../../../src/backends/wasm/register.js'
import { Random } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { placeColumns, Trainer } from '../../../src/training/index.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

describe('placeColumns', () => {
  const columns = () => ({
    pixels: { data: Uint8Array.from({ length: 128 }, (_, i) => i), shape: [2, 64] },
    age: { data: Float64Array.of(3.5, 4), shape: [2] },
    label: { data: Int32Array.of(7, -1), shape: [2] },
    small: { data: Uint8Array.of(1, 200), shape: [2, 1] },
  })

  it('copies numbers in the type that kernels read', () => {
    const given = columns()
    const { heap } = activeWasmBackend()!
    const before = heap.bytesInUse
    const placed = placeColumns(given, DeviceArrays.onBackend(2 ** 20)!, { replace: false })!
    const at = (name: keyof typeof given) => placed.columns[name]!.pointer!
    expect(heap.bytes.slice(at('pixels'), at('pixels') + 128)).toEqual(given.pixels.data)
    expect([...heap.floats.subarray(at('age') / 4, at('age') / 4 + 2)]).toEqual([3.5, 4])
    expect([...heap.ints.subarray(at('label') / 4, at('label') / 4 + 2)]).toEqual([7, -1])
    expect([...heap.floats.subarray(at('small') / 4, at('small') / 4 + 2)]).toEqual([1, 200])
    expect(placed.columns.pixels!.data).toBe(given.pixels.data)
    placed.dispose()
    expect(heap.bytesInUse).toBe(before)
  })

  it('copies an array once, and nothing where not all fit', () => {
    const { pixels } = columns()
    const { heap } = activeWasmBackend()!
    const before = heap.bytesInUse
    const arrays = DeviceArrays.onBackend(200)!
    const twice = placeColumns({ x: pixels, y: pixels }, arrays, { replace: false })!
    expect(twice.columns.x!.pointer).toBe(twice.columns.y!.pointer)
    expect(placeColumns({ x: columns().pixels }, arrays, { replace: false })).toBeUndefined()
    twice.dispose()
    expect(placeColumns(columns(), DeviceArrays.onBackend(140)!, { replace: false })).toBeUndefined()
    expect(heap.bytesInUse).toBe(before)
  })
})

it.each([
  ['bytes', (values: Float32Array) => Uint8Array.from(values)],
  ['float64', (values: Float32Array) => Float64Array.from(values)],
  ['float32', (values: Float32Array) => values],
])('rows of %s give the same training where the program gathers them', async (_, convert) => {
  const rows = 50
  const random = new Random(3)
  const values = Float32Array.from({ length: rows * 40 }, () => Math.floor(random.uniform() * 256))
  const data = Dataset.fromArrays({
    x: { data: convert(values), shape: [rows, 40] },
    y: { data: Int32Array.from({ length: rows }, () => Math.floor(random.uniform() * 3)), shape: [rows] },
  })
  const train = async (engine: 'captured' | 'eager') => {
    const kernelInitializer = tfl.initializers.glorotUniform({ seed: 4 })
    const layer = { units: 3, inputShape: [40], activation: 'softmax' as const, kernelInitializer }
    const model = tfl.sequential({ layers: [tfl.layers.dense(layer)] })
    const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', optimizer: 'sgd', engine })
    const history = await trainer.fit(data, { epochs: 2, batchSize: 8, validation: data })
    expect(history.engine).toBe(engine)
    await trainer.close()
    return history.epochs.map(({ loss, val_loss }) => [loss, val_loss as number])
  }
  const expected = await train('eager')
  const actual = await train('captured')
  actual.flat().forEach((loss, i) => {
    expect(Math.abs(loss / expected.flat()[i]! - 1)).toBeLessThan(1e-5)
  })
})
