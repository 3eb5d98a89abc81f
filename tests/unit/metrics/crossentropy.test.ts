import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { categoricalCrossentropy, sparseCategoricalCrossentropy } from '../../../src/metrics/crossentropy.js'
import { testedBackends } from '../backends/tested-backends.js'
import { seeded, worstError } from '../backends/wasm/kernels/arena.js'

const random = seeded(5)

/** Losses and gradients in float64; terms with a target of 0 are 0. */
function exact(targets: number[][], logits: number[][], dy: number[]) {
  const losses: number[] = []
  const gradients: number[][] = []
  const truthGradients: number[][] = []
  logits.forEach((row, r) => {
    const target = targets[r]!
    const largest = Math.max(...row)
    const logSum = Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0))
    const logP = row.map((x) => x - largest - logSum)
    const total = target.reduce((sum, t) => sum + t, 0)
    losses.push(-target.reduce((sum, t, i) => (t === 0 ? sum : sum + t * logP[i]!), 0))
    gradients.push(target.map((t, i) => (Math.exp(logP[i]!) * total - t) * dy[r]!))
    truthGradients.push(logP.map((value) => -value * dy[r]!))
  })
  return { losses, gradients: gradients.flat(), truthGradients: truthGradients.flat() }
}

const matrix = (values: ArrayLike<number>, width: number) =>
  Array.from({ length: values.length / width }, (_, r) =>
    Array.from({ length: width }, (_, c) => values[r * width + c]!),
  )

describe.each(testedBackends())('cross-entropy of logits on %s', (name) => {
  it.each([1, 2, 3, 10, 33, 100])('soft targets of %i classes', async (classes) => {
    await selectBackend({ prefer: [name] })
    const rows = 7
    const logits = random.floats(rows * classes, 30)
    // They need not add up to 1.
    const targets = random.floats(rows * classes).map(Math.abs)
    const dy = random.floats(rows)
    const expected = exact(matrix(targets, classes), matrix(logits, classes), [...dy])
    tf.tidy(() => {
      const [t, x] = [tf.tensor2d(targets, [rows, classes]), tf.tensor2d(logits, [rows, classes])]
      expect(worstError(categoricalCrossentropy.perExample(t, x).dataSync(), expected.losses)).toBeLessThan(3e-6)
      const [dTruth, dLogits] = tf.grads((a, b) => categoricalCrossentropy.perExample(a!, b!))([t, x], tf.tensor1d(dy))
      expect(worstError(dLogits!.dataSync(), expected.gradients)).toBeLessThan(3e-6)
      expect(worstError(dTruth!.dataSync(), expected.truthGradients)).toBeLessThan(3e-6)
    })
  })

  it.each([2, 10, 33])('labels of %i classes, one of them outside', async (classes) => {
    await selectBackend({ prefer: [name] })
    const rows = 9
    const logits = random.floats(rows * classes, 30)
    const labels = Array.from({ length: rows }, (_, r) => (r === 4 ? classes : random.integer(0, classes - 1)))
    const dy = random.floats(rows)
    const targets = labels.map((label) => Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0)))
    const expected = exact(targets, matrix(logits, classes), [...dy])
    tf.tidy(() => {
      const x = tf.tensor2d(logits, [rows, classes])
      for (const shape of [[rows], [rows, 1]]) {
        const t = tf.tensor(labels, shape, 'int32')
        const loss = (logits: tf.Tensor) => sparseCategoricalCrossentropy.perExample(t, logits)
        expect(worstError(loss(x).dataSync(), expected.losses)).toBeLessThan(3e-6)
        const gradient = tf.grad(loss)(x, tf.tensor1d(dy))
        expect(worstError(gradient.dataSync(), expected.gradients)).toBeLessThan(3e-6)
      }
    })
  })

  it('labels of each step of a sequence', async () => {
    await selectBackend({ prefer: [name] })
    const logits = random.floats(2 * 3 * 4, 5)
    const labels = [0, 3, 2, 1, 1, 0]
    const targets = labels.map((label) => [0, 1, 2, 3].map((c) => (c === label ? 1 : 0)))
    const { losses } = exact(targets, matrix(logits, 4), labels)
    const means = [0, 1].map((i) => (losses[3 * i]! + losses[3 * i + 1]! + losses[3 * i + 2]!) / 3)
    tf.tidy(() => {
      const t = tf.tensor2d(labels, [2, 3], 'int32')
      const actual = sparseCategoricalCrossentropy.perExample(t, tf.tensor3d(logits, [2, 3, 4]))
      expect(worstError(actual.dataSync(), means)).toBeLessThan(3e-6)
    })
  })
})

it('stays finite, and right, where the logits are as far apart as float32 allows', async () => {
  await selectBackend({ prefer: [testedBackends()[0]!] })
  tf.tidy(() => {
    const x = tf.tensor2d([3e38, -3e38, 0, 0, 200, -200, -1e-40, 0, 0], [3, 3])
    const t = tf.tensor2d([1, 0, 0, 0, 0, 1, 0.5, 0.5, 0], [3, 3])
    const loss = categoricalCrossentropy.perExample(t, x).dataSync()
    expect([...loss.slice(0, 2)]).toEqual([0, 400])
    expect(loss[2]).toBeCloseTo(Math.log(3), 6)
    const gradient = tf
      .grad((logits) => categoricalCrossentropy.perExample(t, logits))(x)
      .dataSync()
    expect([...gradient.slice(0, 6)].map((value) => value + 0)).toEqual([0, 0, 0, 0, 1, -1])
    expect(worstError(gradient.slice(6), [1 / 3 - 0.5, 1 / 3 - 0.5, 1 / 3])).toBeLessThan(1e-6)
  })
})

it('says which shapes would fit', async () => {
  await selectBackend({ prefer: [testedBackends()[0]!] })
  tf.tidy(() => {
    expect(() => categoricalCrossentropy.perExample(tf.zeros([2, 4]), tf.zeros([2, 3]))).toThrow(
      'Expected [2,3] or [2]; received [2,4]',
    )
  })
})
