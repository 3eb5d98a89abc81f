/**
 * The gates of recurrent cells as one kernel each way, where the backend has them: dcml-wasm.
 *
 * Products stay products of their own: they are what a BLAS or a GPU is good at.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { runNatives } from '../native-kernels.js'

/** Names in tfjs. */
export const lstmKernelNames = { cell: 'DcmlLstmCell', cellGrad: 'DcmlLstmCellGrad' } as const
export const gruKernelNames = {
  gates: 'DcmlGruGates',
  gatesGrad: 'DcmlGruGatesGrad',
  state: 'DcmlGruState',
  stateGrad: 'DcmlGruStateGrad',
} as const

type One = tf.Tensor
type Two = [One, One]
type Three = [One, One, One]
type Four = [One, One, One, One]

/**
 * i, f, g, o = the four parts of x + recurrent; c' = f c + i g; h = o tanh(c').
 *
 * @param x - `[rows, 4 * units]`, as is `recurrent`; carry is `[rows, units]`.
 * @param isHard - Whether gates are hard sigmoids.
 * @returns h and c', `[rows, units]`.
 */
export function lstmGates([x, recurrent, carry]: Three, isHard: boolean): Two {
  const [h, newCarry] = runNatives<Three>(lstmKernelNames.cell, { x, recurrent, carry }, { isHard })
  return [h, newCarry]
}

const lstmGradient: tf.GradConfig = {
  kernelName: lstmKernelNames.cell,
  inputsToSave: ['carry'],
  outputsToSave: [false, true, true],
  gradFunc: (dy, saved, attrs) => {
    const [dh, dNewCarry] = dy as Two
    const [carry, newCarry, gates] = saved as Three
    const inputs = { dh, dNewCarry, carry, newCarry, gates }
    const [dx, dCarry] = runNatives<Two>(lstmKernelNames.cellGrad, inputs, attrs)
    return { x: () => dx, recurrent: () => dx, carry: () => dCarry }
  },
}

/**
 * z, r = gates of the first two parts of x + recurrent.
 *
 * @param x - `[rows, 3 * units]`; recurrent is `[rows, 2 * units]`, h `[rows, units]`.
 * @returns z, r h, and the third part of x, `[rows, units]` each.
 */
export function gruGates([x, recurrent, h]: Three, isHard: boolean): Three {
  const [update, , kept, candidate] = runNatives<Four>(gruKernelNames.gates, { x, recurrent, h }, { isHard })
  return [update, kept, candidate]
}

const gruGatesGradient: tf.GradConfig = {
  kernelName: gruKernelNames.gates,
  inputsToSave: ['h'],
  outputsToSave: [true, true, false, false],
  gradFunc: (dy, saved, attrs) => {
    const [dUpdate, , dKept, dCandidate] = dy as Four
    const [h, update, reset] = saved as Three
    const inputs = { dUpdate, dKept, dCandidate, h, update, reset }
    const [dx, dRecurrent, dh] = runNatives<Three>(gruKernelNames.gatesGrad, inputs, attrs)
    return { x: () => dx, recurrent: () => dRecurrent, h: () => dh }
  },
}

/** h' = z h + (1 - z) tanh(candidate + recurrent), all `[rows, units]`. */
export function gruState([candidate, recurrent, update, h]: Four): tf.Tensor {
  return runNatives<Two>(gruKernelNames.state, { candidate, recurrent, update, h })[0]
}

const gruStateGradient: tf.GradConfig = {
  kernelName: gruKernelNames.state,
  inputsToSave: ['update', 'h'],
  outputsToSave: [false, true],
  gradFunc: (dy, saved) => {
    const [update, h, fresh] = saved as Three
    const inputs = { dNewH: (dy as Two)[0], update, h, fresh }
    const [dCandidate, dUpdate, dh] = runNatives<Three>(gruKernelNames.stateGrad, inputs)
    return { candidate: () => dCandidate, recurrent: () => dCandidate, update: () => dUpdate, h: () => dh }
  },
}

export const recurrentGradients: readonly tf.GradConfig[] = [lstmGradient, gruGatesGradient, gruStateGradient]
