/**
 * The native forms of the gates of recurrent cells; ../../gradients/recurrent.ts says what they compute.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { gruKernelNames, lstmKernelNames } from '../gradients/recurrent.js'
import { type BackendKernel, defineKernels } from './define.js'

const pointers = <T extends number[]>(backend: DeviceBackend, ...tensors: tf.TensorInfo[]): T =>
  tensors.map((tensor) => backend.pointer(tensor)) as T

/** Makes outputs and gives their pointers too. */
function outputs<T extends number[]>(backend: DeviceBackend, ...shapes: number[][]) {
  const made = shapes.map((shape) => backend.output(shape, 'float32'))
  return { made, at: pointers<T>(backend, ...made) }
}

type Inputs<K extends string> = Record<K, tf.TensorInfo>
const isHardOf = (attrs: object): number => ((attrs as { isHard: boolean }).isHard ? 1 : 0)

const lstmCell: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, recurrent, carry } = inputs as Inputs<'x' | 'recurrent' | 'carry'>
  const [rows, units] = carry.shape as [number, number]
  const from = pointers<[number, number, number]>(backend, x, recurrent, carry)
  const { made, at } = outputs<[number, number, number]>(backend, carry.shape, carry.shape, x.shape)
  backend.kernels.lstmCell(...from, ...at, rows, units, isHardOf(attrs))
  return made
}

const lstmCellGrad: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dh, dNewCarry, carry, newCarry, gates } = inputs as Inputs<
    'dh' | 'dNewCarry' | 'carry' | 'newCarry' | 'gates'
  >
  const [rows, units] = carry.shape as [number, number]
  const from = pointers<[number, number, number, number, number]>(backend, dh, dNewCarry, carry, newCarry, gates)
  const { made, at } = outputs<[number, number]>(backend, gates.shape, carry.shape)
  backend.kernels.lstmCellGrad(...from, ...at, rows, units, isHardOf(attrs))
  return made
}

const gruGates: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, recurrent, h } = inputs as Inputs<'x' | 'recurrent' | 'h'>
  const [rows, units] = h.shape as [number, number]
  const from = pointers<[number, number, number]>(backend, x, recurrent, h)
  const { made, at } = outputs<[number, number, number, number]>(backend, h.shape, h.shape, h.shape, h.shape)
  backend.kernels.gruGates(...from, ...at, rows, units, isHardOf(attrs))
  return made
}

const gruGatesGrad: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dUpdate, dKept, dCandidate, h, update, reset } = inputs as Inputs<
    'dUpdate' | 'dKept' | 'dCandidate' | 'h' | 'update' | 'reset'
  >
  const [rows, units] = h.shape as [number, number]
  const from = pointers<[number, number, number, number, number, number]>(
    backend,
    ...[dUpdate, dKept, dCandidate, h, update, reset],
  )
  const { made, at } = outputs<[number, number, number]>(backend, [rows, 3 * units], [rows, 2 * units], h.shape)
  backend.kernels.gruGatesGrad(...from, ...at, rows, units, isHardOf(attrs))
  return made
}

const gruState: BackendKernel = ({ inputs, backend }) => {
  const { candidate, recurrent, update, h } = inputs as Inputs<'candidate' | 'recurrent' | 'update' | 'h'>
  const from = pointers<[number, number, number, number]>(backend, candidate, recurrent, update, h)
  const { made, at } = outputs<[number, number]>(backend, h.shape, h.shape)
  backend.kernels.gruState(...from, ...at, sizeOf(h.shape))
  return made
}

const gruStateGrad: BackendKernel = ({ inputs, backend }) => {
  const { dNewH, update, h, fresh } = inputs as Inputs<'dNewH' | 'update' | 'h' | 'fresh'>
  const from = pointers<[number, number, number, number]>(backend, dNewH, update, h, fresh)
  const { made, at } = outputs<[number, number, number]>(backend, h.shape, h.shape, h.shape)
  backend.kernels.gruStateGrad(...from, ...at, sizeOf(h.shape))
  return made
}

export const recurrentKernels = defineKernels({
  [lstmKernelNames.cell]: lstmCell,
  [lstmKernelNames.cellGrad]: lstmCellGrad,
  [gruKernelNames.gates]: gruGates,
  [gruKernelNames.gatesGrad]: gruGatesGrad,
  [gruKernelNames.state]: gruState,
  [gruKernelNames.stateGrad]: gruStateGrad,
})
