/** Integrated gradients: the axioms of https://arxiv.org/abs/1703.01365, held to numbers. */
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { Predictor, type ValuePrediction } from '../../../src/inference/index.js'
import { gaussLegendre } from '../../../src/inference/integrated-gradients.js'
import { concat, oneHot, Preprocessor, pca, rename, standardize } from '../../../src/preprocess/index.js'

beforeAll(async () => {
  await selectBackend()
})

const dense = (
  units: number,
  activation: 'tanh' | 'relu' | 'softmax' | 'sigmoid' | 'linear',
  seed: number,
  width?: number,
) =>
  tfl.layers.dense({
    units,
    activation,
    kernelInitializer: tfl.initializers.glorotUniform({ seed }),
    ...(width === undefined ? {} : { inputShape: [width] }),
  })

const random = new Random(4)
const drawn = (rows: number, width: number) =>
  Array.from({ length: rows }, () => ({ x: Array.from({ length: width }, () => 2 * random.normal()) }))

describe('completeness: the attributions add up to the difference of the outputs', () => {
  it.each([
    // Smooth: what is left is the rounding of float32. With kinks the sum converges with the number of points.
    ['tanh', 64, 1e-5],
    ['relu', 64, 0.02],
    ['relu', 512, 2e-3],
  ] as const)('%s, %i steps: within %f', async (activation, steps, error) => {
    const model = tfl.sequential({
      layers: [dense(16, activation, 1, 6), dense(16, activation, 2), dense(3, 'softmax', 3)],
    })
    const predictor = new Predictor({ model })
    const explained = await predictor.explain(drawn(8, 6), { attribution: { steps } })
    const { data } = await predictor.predict({ x: { data: new Float32Array(6), shape: [1, 6] } })
    for (const { attribution, ...answer } of explained) {
      const { output, baselineOutput, gap } = attribution
      expect(answer).toMatchObject({ class: attribution.class })
      expect(output).toBeCloseTo((answer as { probability: number }).probability, 6)
      expect(baselineOutput).toBeCloseTo(data[Number(attribution.class)]!, 6)
      const sum = Object.values(attribution.columns).reduce((total, value) => total + value, 0)
      expect(sum - (output - baselineOutput)).toBeCloseTo(gap, 10)
      expect(Math.abs(gap)).toBeLessThan(error)
    }
    predictor.dispose()
  })
})

it('of a linear model is weight times distance, in each column of the user', async () => {
  const train = Dataset.fromRows(
    [
      { age: 20, town: 'Lima', income: 1, price: 3 },
      { age: 40, town: 'Oslo', income: 2, price: 5 },
      { age: 60, town: 'Lima', income: 6, price: 4 },
    ].map((row) => ({ ...row })),
  )
  const steps = [
    rename({ price: 'y' }),
    standardize(['age', 'income']),
    oneHot('town'),
    concat(['age', 'town', 'income']),
  ]
  const preprocessor = await new Preprocessor(steps).fit(train)
  const model = tfl.sequential({ layers: [dense(1, 'linear', 5, 4)] })
  const [age, lima, oslo, income] = model.getWeights()[0]!.dataSync()
  const predictor = new Predictor<{ age: number; town: string; income: number }, ValuePrediction>({
    model,
    preprocessor,
  })
  const baseline = { age: 40, town: 'Lima', income: 3 }
  const row = { age: 60, town: 'Oslo', income: 1 }
  const [explained] = await predictor.explain([row], { attribution: { baseline, steps: 2 } })
  const { columns, inputs } = explained!.attribution
  const deviation = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value) / values.length
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  }
  expect(Object.keys(columns)).toEqual(['age', 'town', 'income'])
  expect(columns.age).toBeCloseTo((age! * 20) / deviation([20, 40, 60]), 5)
  expect(columns.town).toBeCloseTo(oslo! - lima!, 5)
  expect(columns.income).toBeCloseTo((income! * -2) / deviation([1, 2, 6]), 5)
  expect(inputs.x).toHaveLength(4)
  expect(explained!.value).toBe((await predictor.predict([row]))[0]!.value)
})

it('explains any class that is asked for, and a single probability from both sides', async () => {
  const rows = drawn(1, 3)
  const several = new Predictor({
    model: tfl.sequential({ layers: [dense(5, 'tanh', 6, 3), dense(3, 'softmax', 7)] }),
    classes: ['a', 'b', 'c'],
  })
  const byClass = await Promise.all(
    ['a', 'b', 'c'].map(async (of) => (await several.explain(rows, { attribution: { of } }))[0]!.attribution),
  )
  expect(byClass.map((attribution) => attribution.class)).toEqual(['a', 'b', 'c'])
  // Probabilities add up to 1 everywhere, so what speaks for one class speaks against the others.
  for (let place = 0; place < 3; place++)
    expect(byClass.reduce((sum, { inputs }) => sum + inputs.x![place]!, 0)).toBeCloseTo(0, 6)
  await expect(several.explain(rows, { attribution: { of: 'd' } })).rejects.toThrow(/no 'd' to explain.*a, b, c/)

  const single = new Predictor({
    model: tfl.sequential({ layers: [dense(1, 'sigmoid', 8, 3)] }),
    classes: ['no', 'yes'],
  })
  const [yes] = await single.explain(rows, { attribution: { of: 'yes' } })
  const [no] = await single.explain(rows, { attribution: { of: 'no' } })
  for (const [name, value] of Object.entries(yes!.attribution.columns))
    expect(no!.attribution.columns[name]).toBeCloseTo(-value, 6)
})

it('reads pictures, several inputs, and says where values of many columns come from', async () => {
  const picture = new Predictor({
    model: tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [4, 4, 1], activation: 'tanh' }),
        tfl.layers.flatten(),
        dense(2, 'softmax', 9),
      ],
    }),
  })
  const [seen] = await picture.explain([{ x: Array.from({ length: 16 }, (_, i) => i / 16) }], { attribution: true })
  expect(Object.keys(seen!.attribution.columns)).toHaveLength(16)
  expect(Math.abs(seen!.attribution.gap)).toBeLessThan(1e-5)

  const [a, b] = ['a', 'b'].map((name) => tfl.input({ shape: [1], name }))
  const sum = tfl.layers.add().apply([a!, b!]) as tfl.SymbolicTensor
  const two = new Predictor({ model: tfl.model({ inputs: [a!, b!], outputs: sum }) })
  const [added] = await two.explain([{ a: 2, b: 3 }], { attribution: true })
  expect(added).toMatchObject({
    value: 5,
    attribution: { columns: { a: expect.closeTo(2, 5), b: expect.closeTo(3, 5) } },
  })

  const data = Dataset.fromRows(drawn(20, 3))
  const preprocessor = await new Preprocessor([pca('x', { components: 3 })]).fit(data)
  const mixed = new Predictor({ model: tfl.sequential({ layers: [dense(1, 'linear', 1, 3)] }), preprocessor })
  const [component] = await mixed.explain(drawn(1, 3), { attribution: true })
  expect(Object.keys(component!.attribution.columns)).toEqual(['pca(x)[0]', 'pca(x)[1]', 'pca(x)[2]'])
})

it('says when the input cannot be differentiated by', async () => {
  const words = tfl.sequential({
    layers: [
      tfl.layers.embedding({ inputDim: 5, outputDim: 2, inputLength: 3 }),
      tfl.layers.flatten(),
      dense(2, 'softmax', 1),
    ],
  })
  await expect(
    new Predictor({ model: words }).explain([{ x: [0, 1, 4] }], { attribution: true }),
  ).rejects.toMatchObject({
    code: 'DCML_CONFIG',
    message: expect.stringMatching(/cannot be differentiated by its input.*embedding/),
  })
})

it('a Gauss-Legendre sum of n points is exact to degree 2 n - 1', () => {
  for (const points of [1, 2, 5, 20, 200]) {
    const { nodes, weights } = gaussLegendre(points)
    for (const degree of [0, 1, 2 * points - 1]) {
      const sum = nodes.reduce((total, node, i) => total + weights[i]! * node ** degree, 0)
      expect(sum).toBeCloseTo(1 / (degree + 1), 12)
    }
  }
})
