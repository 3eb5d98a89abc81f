/**
 * Einstein sums of one or two operands, as one product of matrices.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { reduceCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'
import { runMatMul } from './matmul.js'
import { runReduce } from './reduce.js'
import { runTranspose } from './transpose.js'

/** A tensor whose axes have labels. */
interface Labelled {
  info: tf.TensorInfo
  labels: string[]
}

/** Gives intermediate results up at the end. */
class Scope {
  readonly #held: tf.TensorInfo[] = []
  constructor(readonly backend: DeviceBackend) {}

  hold(info: tf.TensorInfo): tf.TensorInfo {
    this.#held.push(info)
    return info
  }

  close(): void {
    for (const { dataId } of this.#held) this.backend.disposeData(dataId)
  }
}

const einsum: BackendKernel = ({ inputs, attrs, backend }) => {
  const tensors = inputs as unknown as tf.TensorInfo[]
  const [left = '', right, ...more] = (attrs as { equation: string }).equation.replace(/\s/g, '').split('->')
  const terms = left.split(',').map((term) => [...term])
  if (right === undefined || more.length > 0 || !isCovered(tensors, terms)) return undefined
  const output = [...right]
  const scope = new Scope(backend)
  try {
    const operands = tensors.map((info, i): Labelled => ({ info, labels: terms[i]! }))
    const wanted = operands.map((_, i) => new Set([...output, ...terms.filter((_, j) => j !== i).flat()]))
    const summed = operands.map((operand, i) => sumAway(scope, operand, wanted[i]!))
    const joined = summed.length === 1 ? summed[0]! : multiply(scope, summed[0]!, summed[1]!, output)
    const order = output.map((label) => joined.labels.indexOf(label))
    if (order.includes(-1)) return undefined
    return runTranspose(backend, joined.info, order)
  } finally {
    scope.close()
  }
}

function isCovered(tensors: tf.TensorInfo[], terms: string[][]): boolean {
  if (tensors.length !== terms.length || tensors.length > 2) return false
  const lengths = new Map<string, number>()
  return tensors.every(({ shape, dtype }, i) => {
    const labels = terms[i]!
    if (dtype !== 'float32' || labels.length !== shape.length || new Set(labels).size !== labels.length) return false
    return labels.every((label, axis) => {
      if (!lengths.has(label)) lengths.set(label, shape[axis]!)
      return /[a-zA-Z]/.test(label) && lengths.get(label) === shape[axis]
    })
  })
}

/** Sums over the labels that nobody else has. */
function sumAway(scope: Scope, { info, labels }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (wanted.has(label) ? [] : [axis]))
  if (axes.length === 0) return { info, labels }
  const sum = runReduce(scope.backend, reduceCodes.sum, info, { axis: axes })!
  return { info: scope.hold(sum), labels: labels.filter((label) => wanted.has(label)) }
}

/** `[shared, rows, summed] x [shared, summed, columns]`. */
function multiply(scope: Scope, a: Labelled, b: Labelled, output: string[]): Labelled {
  const inOutput = (label: string) => output.includes(label)
  const shared = a.labels.filter((label) => b.labels.includes(label) && inOutput(label))
  const summed = a.labels.filter((label) => b.labels.includes(label) && !inOutput(label))
  const rows = a.labels.filter((label) => !b.labels.includes(label))
  const columns = b.labels.filter((label) => !a.labels.includes(label))
  const matrixA = arrange(scope, a, [shared, rows, summed])
  const matrixB = arrange(scope, b, [shared, summed, columns])
  const product = runMatMul(scope.backend, {
    a: matrixA.info,
    b: matrixB.info,
    transposeA: false,
    transposeB: false,
    bias: 0,
    activation: 0,
  })!
  scope.hold(product)
  const labels = [...shared, ...rows, ...columns]
  const shape = labels.map((label) => matrixA.lengths.get(label) ?? matrixB.lengths.get(label)!)
  return { info: { ...product, shape }, labels }
}

/** Brings the axes into three groups and makes each group one axis. */
function arrange(scope: Scope, { info, labels }: Labelled, groups: [string[], string[], string[]]) {
  const lengths = new Map(labels.map((label, axis) => [label, info.shape[axis]!]))
  const order = groups.flat().map((label) => labels.indexOf(label))
  const arranged = scope.hold(runTranspose(scope.backend, info, order)!)
  const shape = groups.map((group) => sizeOf(group.map((label) => lengths.get(label)!)))
  return { info: { ...arranged, shape }, lengths }
}

export const einsumKernels = defineKernels({ Einsum: einsum })
