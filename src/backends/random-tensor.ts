/**
 * Random tensors that depend on seed, step and row alone, so that they are the same for any number of workers.
 *
 * They come from one kernel, `DcmlRandom`, which a recorder of kernels can see; tfjs' own random functions fill arrays
 * in JavaScript and leave no trace. dcml's own backends have it natively, every other one uses the JavaScript form below.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { philox4x32, rowSize, sizeOf, wordToUniform } from '../core/index.js'
import { type BackendName, backendNames, tfjsNameOf } from './backend-report.js'

/** The kernel's name in tfjs. */
export const randomKernelName = 'DcmlRandom'

/** What to draw. */
export interface RandomTensorOptions {
  /**
   * - uniform: in [0, 1), multiples of 2^-24.
   * - normal: mean 0, standard deviation 1.
   * - dropoutMask: 0 with probability `rate`, else `1 / (1 - rate)`.
   */
  kind: 'uniform' | 'normal' | 'dropoutMask'
  /** `[rows, ...]`. */
  shape: number[]
  /**
   * Share of zeros in a dropout mask, 0 <= rate < 1.
   * @default 0
   */
  rate?: number
  /** uint32. */
  seed: number
  /** Training step, uint32. */
  step: number
  /** Index in the global batch of the first row, uint32. */
  firstRow: number
  /** Which use of random numbers within the step (one per layer), uint32. */
  stream: number
}

/**
 * Draws a tensor.
 *
 * Element e of row r is lane `e % 4` of the Philox block with counter `[e / 4, firstRow + r, step, stream]` and key
 * `[seed, 0xffffffff]`. A uniform number is the word's upper 24 bits; lanes 0 and 1, and 2 and 3, are the two uniform
 * numbers of a Box-Muller pair.
 *
 * @returns float32 of the given shape. The caller disposes it.
 * @example
 * const mask = randomTensor({ kind: 'dropoutMask', rate: 0.5, shape: [32, 64], seed: 1, step: 0, firstRow: 0, stream: 0 })
 */
export function randomTensor(options: RandomTensorOptions): tf.Tensor {
  return tf.engine().runKernel(randomKernelName, {}, options as unknown as tf.NamedAttrMap) as tf.Tensor
}

/** The same numbers as an array, computed in JavaScript: the reference for the native kernel. */
export function randomValues({ kind, shape, rate = 0, ...at }: RandomTensorOptions): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  const width = rowSize(shape)
  const rows = width === 0 ? 0 : values.length / width
  const counter = new Uint32Array(4)
  const block = new Uint32Array(4)
  const kept = Math.fround(1 / (1 - rate))
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < width; start += 4) {
      counter[0] = start / 4
      counter[1] = at.firstRow + row
      counter[2] = at.step
      counter[3] = at.stream
      philox4x32(counter, at.seed, 0xffffffff, block)
      for (let lane = 0; lane < 4 && start + lane < width; lane++) {
        const uniform = wordToUniform(block[lane]!)
        let value = uniform
        if (kind === 'dropoutMask') value = uniform >= rate ? kept : 0
        else if (kind === 'normal') value = normalOf(block, lane)
        values[row * width + start + lane] = value
      }
    }
  }
  return values
}

/** Backends that register a kernel of their own. */
const native: readonly BackendName[] = ['wasm', 'cuda']

/** Registers the JavaScript form for the other backends. */
export function registerRandomKernel(): void {
  for (const name of backendNames) {
    const backendName = tfjsNameOf(name)
    if (native.includes(name) || tf.getKernel(randomKernelName, backendName) !== undefined) continue
    tf.registerKernel({
      kernelName: randomKernelName,
      backendName,
      kernelFunc: ({ attrs, backend }) => {
        const options = attrs as unknown as RandomTensorOptions
        const dataId = (backend as tf.KernelBackend).write(randomValues(options), options.shape, 'float32')
        return { dataId, shape: options.shape, dtype: 'float32' }
      },
    })
  }
}

function normalOf(block: Uint32Array, lane: number): number {
  const pair = lane & 2
  const radius = Math.sqrt(-2 * Math.log(1 - wordToUniform(block[pair]!)))
  const angle = 2 * Math.PI * wordToUniform(block[pair + 1]!)
  return radius * (lane % 2 === 0 ? Math.cos(angle) : Math.sin(angle))
}
