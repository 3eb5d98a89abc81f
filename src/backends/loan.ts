/**
 * Kernels on loan: what a backend of dcml's own has not is computed by tfjs' cpu backend, on copies.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type { DeviceBackend } from './device-backend.js'

/** A backend that makes and disposes tensors by the convention of tfjs' own. */
interface LendingBackend extends tf.KernelBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.BackendValues): tf.TensorInfo
  data: { get(dataId: object): { complexTensorInfos?: { real: tf.TensorInfo; imag: tf.TensorInfo } } }
}

type Inputs = tf.NamedTensorInfoMap | tf.TensorInfo[]

/** Kernels that work on strings or on a handful of boxes: the copy costs nothing next to the work, so no warning. */
const quiet: ReadonlySet<string> = new Set([
  ...['StaticRegexReplace', 'StringNGrams', 'StringSplit', 'StringToHashBucketFast'],
  ...['NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5'],
  ...['RaggedGather', 'RaggedRange', 'RaggedTensorToTensor'],
  ...['SparseFillEmptyRows', 'SparseReshape', 'SparseSegmentMean', 'SparseSegmentSum', 'SparseToDense'],
  ...['Unique', 'BroadcastArgs', 'LinSpace', 'Draw'],
])

const used = new Set<string>()

/** The kernels that were computed on loan so far in this process. */
export const loanedKernels = (): string[] => [...used].sort()

/** Registers, for every kernel of the cpu backend that another has not, one that lends it. */
export function registerLoans(backendName: string): void {
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: (call) => lend(kernelName, { ...call, backend: call.backend as DeviceBackend }),
    })
  }
}

interface Call {
  inputs: Inputs
  attrs?: tf.NamedAttrMap
  backend: DeviceBackend
}

/** Runs one kernel of the cpu backend on copies of the inputs; the outputs are copied back. */
export function lend(kernelName: string, { inputs, attrs, backend }: Call): tf.TensorInfo | tf.TensorInfo[] {
  noteUse(kernelName, backend.label)
  backend.recorder?.refuse(`The ${backend.label} backend has no kernel of its own for this use of ${kernelName}.`)
  const { kernelFunc } = tf.getKernel(kernelName, 'cpu')
  const lender = tf.engine().findBackend('cpu') as LendingBackend
  const lent: tf.TensorInfo[] = []
  let outputs: tf.TensorInfo[] = []
  try {
    const copies = mapInputs(inputs, (input) => {
      const copy = toLender(backend, lender, input)
      lent.push(copy)
      // Some cpu kernels ask for the rank, which tensors have and infos have not.
      return { ...copy, rank: copy.shape.length }
    })
    const result = kernelFunc({ inputs: copies as tf.NamedTensorInfoMap, attrs, backend: lender })
    outputs = Array.isArray(result) ? result : [result]
    const returned = outputs.map((output) => fromLender(backend, lender, output))
    return Array.isArray(result) ? returned : returned[0]!
  } finally {
    for (const output of outputs) lender.disposeData(output.dataId)
    for (const copy of lent) lender.disposeData(copy.dataId, true)
  }
}

function mapInputs(inputs: Inputs, copy: (info: tf.TensorInfo) => tf.TensorInfo): unknown {
  const one = (value: unknown): unknown => {
    if (value === null || value === undefined) return value
    return Array.isArray(value) ? value.map(one) : copy(value as tf.TensorInfo)
  }
  if (Array.isArray(inputs)) return inputs.map(one)
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, one(value)]))
}

function toLender(backend: DeviceBackend, lender: LendingBackend, info: tf.TensorInfo): tf.TensorInfo {
  const { shape, dtype, dataId } = info
  const { complex } = backend.record(dataId)
  if (complex === undefined) return lender.makeTensorInfo(shape, dtype, backend.readSync(dataId))
  const real = toLender(backend, lender, { ...complex.real, shape })
  const imag = toLender(backend, lender, { ...complex.imag, shape })
  const copy = tf.getKernel('Complex', 'cpu').kernelFunc({ inputs: { real, imag }, attrs: {}, backend: lender })
  lender.disposeData(real.dataId)
  lender.disposeData(imag.dataId)
  return copy as tf.TensorInfo
}

function fromLender(backend: DeviceBackend, lender: LendingBackend, info: tf.TensorInfo): tf.TensorInfo {
  const { shape, dtype, dataId } = info
  if (dtype !== 'complex64') {
    const values = lender.readSync(dataId) as tf.BackendValues
    return { dataId: backend.write(values, shape, dtype), shape, dtype }
  }
  const parts = lender.data.get(dataId).complexTensorInfos!
  const real = fromLender(backend, lender, { ...parts.real, shape })
  const imag = fromLender(backend, lender, { ...parts.imag, shape })
  const complex = backend.makeComplex({ real, imag })
  backend.disposeData(real.dataId)
  backend.disposeData(imag.dataId)
  return complex
}

function noteUse(kernelName: string, label: string): void {
  if (used.has(kernelName)) return
  used.add(kernelName)
  if (quiet.has(kernelName)) return
  console.warn(`dcml: the ${label} backend has no kernel ${kernelName}; the slower cpu backend computes it, on copies.`)
}
