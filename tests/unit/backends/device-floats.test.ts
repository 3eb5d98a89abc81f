import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  copyInto,
  createDeviceFloats,
  pointerOf,
  rowTensor,
  selectBackend,
  wasmExports,
} from '../../../src/backends/index.js'
import { ShapeError, StateError } from '../../../src/core/index.js'
import { nativeBackends, testedBackends } from './tested-backends.js'

describe.each(nativeBackends())('DeviceFloats on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it('starts zeroed and aligned', () => {
    const dirty = createDeviceFloats(100)!
    dirty.view().fill(7)
    dirty.dispose()
    const floats = createDeviceFloats(100)!
    expect(floats.pointer % 64).toBe(0)
    expect(floats.length).toBe(100)
    expect([...floats.view()]).toEqual(new Array(100).fill(0))
    floats.dispose()
    expect(() => floats.view()).toThrow(StateError)
  })

  it('gives tensors that alias it', async () => {
    const floats = createDeviceFloats(12)!
    floats.view().set(Array.from({ length: 12 }, (_, i) => i))
    const { numTensors } = tf.memory()
    const tensor = floats.tensor(4, [2, 3])
    expect(pointerOf(tensor)).toBe(floats.pointer + 16)
    expect(await tensor.array()).toEqual([
      [4, 5, 6],
      [7, 8, 9],
    ])
    floats.view()[5] = 50
    expect(await tf.mul(tensor, 2).array()).toEqual([
      [8, 100, 12],
      [14, 16, 18],
    ])
    tensor.dispose()
    expect(tf.memory().numTensors).toBe(numTensors + 1)
    // Disposing the tensor did not give the range away.
    const other = tf.fill([12], 3)
    expect([...floats.view()].slice(0, 3)).toEqual([0, 1, 2])
    other.dispose()
    expect(() => floats.tensor(10, [3])).toThrow(ShapeError)
    floats.dispose()
  })

  it('lets a variable show an update in place', async () => {
    const floats = createDeviceFloats(4)!
    const variable = tf.variable(tf.tensor1d([1, 2, 3, 4]))
    floats.view().set(await variable.data())
    const alias = floats.tensor(0, [4]) as tf.Tensor1D
    variable.assign(alias)
    alias.dispose()
    floats.view()[2] = 30
    expect([...(await variable.data())]).toEqual([1, 2, 30, 4])
    variable.dispose()
    floats.dispose()
  })

  it('outlives growth of the memory', () => {
    const floats = createDeviceFloats(3)!
    floats.view().set([1, 2, 3])
    const large = tf.zeros([8_000_000])
    expect([...floats.view()]).toEqual([1, 2, 3])
    large.dispose()
    floats.dispose()
  })

  it('receives tensors, set or added', () => {
    const floats = createDeviceFloats(10)!
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2])
    copyInto(x, floats, 3, false)
    copyInto(x, floats, 5, true)
    expect([...floats.view()]).toEqual([0, 0, 0, 1, 2, 4, 6, 3, 4, 0])
    expect(() => copyInto(x, floats, 7, false)).toThrow(ShapeError)
    floats.dispose()
  })

  it("is there on dcml's own backends alone", async () => {
    await selectBackend({ prefer: ['cpu'] })
    expect(createDeviceFloats(3)).toBeUndefined()
    expect(wasmExports()).toBeUndefined()
    expect(() => pointerOf(tf.scalar(1))).toThrow(StateError)
    await selectBackend({ prefer: [backend] })
    expect(wasmExports() !== undefined).toBe(backend === 'wasm')
  })
})

describe.each(testedBackends())('rowTensor on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it.each([Float32Array, Float64Array, Uint8Array, Int16Array, Int32Array])('gathers rows of %o', async (Class) => {
    for (const width of [1, 3, 40]) {
      const source = new Class(Array.from({ length: 6 * width }, (_, i) => i % 100))
      const order = Uint32Array.of(9, 5, 0, 3, 3)
      for (const dtype of ['float32', 'int32'] as const) {
        const tensor = rowTensor(source, [width], { indices: order, from: 1, to: 5 }, dtype)
        expect(tensor.shape).toEqual([4, width])
        expect(tensor.dtype).toBe(dtype)
        const expected = [5, 0, 3, 3].flatMap((row) => [...source.subarray(row * width, (row + 1) * width)])
        expect([...(await tensor.data())]).toEqual(expected)
        tensor.dispose()
      }
    }
  })

  it('gathers scalars and images', async () => {
    const labels = Int32Array.of(4, 5, 6)
    expect(await rowTensor(labels, [], { indices: Int32Array.of(2, 0), from: 0, to: 2 }, 'int32').array()).toEqual([
      6, 4,
    ])
    expect(
      rowTensor(new Uint8Array(2 * 6), [2, 3, 1], { indices: Uint32Array.of(1), from: 0, to: 1 }, 'float32').shape,
    ).toEqual([1, 2, 3, 1])
  })
})
