import * as tfl from '@tensorflow/tfjs-layers'
import { expect, it } from 'vitest'
import { currentBackend } from '../../../src/backends/index.js'
import { StateError } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { Trainer } from '../../../src/training/index.js'

// Nobody selects a backend in this file: the order of its tests matters.

const data = Dataset.fromArrays({
  x: { data: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), shape: [4, 2] },
  y: { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] },
})
const makeModel = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })

it('cannot give tfjs a backend before somebody asks for one', () => {
  expect(makeModel).toThrow(/No backend found/)
})

it('selects a backend before it makes the model', async () => {
  const trainer = new Trainer({ model: makeModel, loss: 'meanSquaredError' })
  expect(() => trainer.model).toThrow(StateError)
  const history = await trainer.fit(data, { epochs: 2 })
  expect(history.epochs[1]!.loss).toBeLessThan(history.epochs[0]!.loss)
  expect(currentBackend()!.name).toBe('wasm')
  const { model } = trainer
  await trainer.fit(data)
  expect(trainer.model).toBe(model)
})

it('says so when the function makes no model', async () => {
  const trainer = new Trainer({ model: (() => 5) as never, loss: 'meanSquaredError' })
  await expect(trainer.fit(data)).rejects.toThrow(/given as model is not a model.*received 5/i)
})
