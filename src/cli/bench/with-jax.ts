/** Measures jax-js: one `jit` of the whole step, on its wasm device. @module */

import type * as jax from '@jax-js/jax'
import { EpochClock, type Measurement, type Order, type Outcome } from './measurement.js'
import { type RandomData, randomData } from './random-data.js'

type Arrays = jax.Array[]

/** Trains a multi-layer perceptron; the other networks are not written for it. */
export async function measureJax(order: Order, load: () => Promise<typeof jax>): Promise<Outcome> {
  const { network, rowsPerWorker, stepsPerEpoch, seconds } = order
  if (network.kind !== 'mlp') return { skipped: 'only MLPs are written for it here' }
  const library = await load()
  const { numpy, init, defaultDevice } = library
  // By name: without one it looks for a GPU through `navigator`, which Node 20 lacks.
  await init('wasm')
  defaultDevice('wasm')
  const data = randomData(order)
  const step = createStep(library, rowsPerWorker)
  const sizes = [784, ...network.units, 10]
  let weights: Arrays = sizes
    .slice(1)
    .flatMap((size, i) => [randomMatrix(numpy, data, sizes[i]!, size), numpy.zeros([size])])
  let first: Arrays = weights.map(({ shape }) => numpy.zeros(shape))
  let second: Arrays = weights.map(({ shape }) => numpy.zeros(shape))
  let updates = 0
  const clock = new EpochClock(seconds)
  for (;;) {
    const startedMs = performance.now()
    for (let i = 0; i < stepsPerEpoch; i++) {
      const [from, to] = [i * rowsPerWorker, (i + 1) * rowsPerWorker]
      const x = numpy.array(data.x.slice(from * 784, to * 784)).reshape([rowsPerWorker, 784])
      const y = numpy.array(data.y.slice(from, to))
      const count = numpy.array(Float32Array.of(++updates)).reshape([])
      const [nextWeights, nextFirst, nextSecond, loss] = step(weights, first, second, count, x, y)
      weights = nextWeights
      first = nextFirst
      second = nextSecond
      loss.dataSync()
    }
    if (clock.add(data.rows, (performance.now() - startedMs) / 1000)) break
  }
  return { usPerSample: clock.usPerSample, backend: defaultDevice() } satisfies Measurement
}

/** Loss, gradients and Adam in one compiled function. Every array that goes in is used up, unless `ref` is taken. */
function createStep({ numpy, nn, jit, valueAndGrad, tree }: typeof jax, rows: number) {
  const lossOf = (weights: Arrays, x: jax.Array, y: jax.Array) => {
    let output = x
    for (let i = 0; i < weights.length; i += 2) {
      output = numpy.dot(output, weights[i]!).add(weights[i + 1]!)
      if (i + 2 < weights.length) output = nn.relu(output)
    }
    return nn
      .logSoftmax(output)
      .mul(nn.oneHot(y, 10))
      .sum()
      .mul(-1 / rows)
  }
  const withGradients = valueAndGrad(lossOf)
  return jit((weights: Arrays, first: Arrays, second: Arrays, updates: jax.Array, x: jax.Array, y: jax.Array) => {
    const [loss, gradients] = withGradients(tree.ref(weights), x, y) as unknown as [jax.Array, Arrays]
    const firstScale = numpy
      .exp(updates.ref.mul(Math.log(0.9)))
      .mul(-1)
      .add(1)
    const secondScale = numpy
      .exp(updates.mul(Math.log(0.999)))
      .mul(-1)
      .add(1)
    const nextFirst = first.map((moment, i) => moment.mul(0.9).add(gradients[i]!.ref.mul(0.1)))
    const nextSecond = second.map((moment, i) => moment.mul(0.999).add(numpy.square(gradients[i]!).mul(0.001)))
    const nextWeights = weights.map((weight, i) => {
      const rate = nextFirst[i]!.ref.div(firstScale.ref).mul(1e-3)
      return weight.sub(rate.div(numpy.sqrt(nextSecond[i]!.ref.div(secondScale.ref)).add(1e-8)))
    })
    firstScale.dispose()
    secondScale.dispose()
    return [nextWeights, nextFirst, nextSecond, loss] as [Arrays, Arrays, Arrays, jax.Array]
  })
}

/** He initialisation, uniform, from the numbers of the data. */
function randomMatrix(numpy: typeof jax.numpy, { x }: RandomData, inputs: number, outputs: number): jax.Array {
  const limit = Math.sqrt(6 / inputs)
  const values = Float32Array.from(x.subarray(0, inputs * outputs), (value) => (2 * value - 1) * limit)
  return numpy.array(values).reshape([inputs, outputs])
}
