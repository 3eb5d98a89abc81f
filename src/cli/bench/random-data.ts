/** Seeded data of the shape that a network takes. @module */

import { Random } from '../../index.js'
import type { Network, Task } from './cases.js'

/** Rows in memory: `x` is `[rows, ...shape]`, `y` holds classes 0..9. */
export interface RandomData {
  rows: number
  /** Shape of one row of `x`. */
  shape: number[]
  x: Float32Array
  y: Int32Array
}

/** As many rows as one epoch takes. */
export function randomData({ network, rowsPerWorker, workers, stepsPerEpoch }: Task): RandomData {
  const random = new Random(1)
  const rows = rowsPerWorker * workers * stepsPerEpoch
  const shape = inputShapeOf(network)
  const length = rows * shape.reduce((product, size) => product * size, 1)
  const value = network.kind === 'transformer' ? () => random.integer(network.vocabulary) : () => random.uniform()
  return {
    rows,
    shape,
    x: Float32Array.from({ length }, value),
    y: Int32Array.from({ length: rows }, () => random.integer(10)),
  }
}

/** The shape of one row. */
export function inputShapeOf(network: Network): number[] {
  switch (network.kind) {
    case 'mlp':
      return [784]
    case 'cnn':
      return [28, 28, 1]
    case 'lstm':
      return [network.steps, network.features]
    case 'transformer':
      return [network.tokens]
  }
}
