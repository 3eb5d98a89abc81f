/** Records what a function computes, plans it as the engine does, and runs the program. */

import type * as tf from '@tensorflow/tfjs-core'
import { createProgram, pointerOf, type RecordedCall, recordCalls } from '../../src/backends/index.js'
import { planStep } from '../../src/engine/plan/index.js'

/** A program that ran. */
export interface Planned {
  readonly calls: readonly RecordedCall[]
  /** Its results, float32. */
  readonly values: Float32Array[]
  /** The same, as tfjs computed them. */
  readonly expected: Float32Array[]
  dispose(): void
}

/** @param compute - Returns float32 tensors; they and what they are made of stay with the caller. */
export async function planRecorded(compute: () => tf.Tensor[]): Promise<Planned> {
  const { result: tensors, recording } = recordCalls(compute)
  if (recording.refusal) throw new Error(recording.refusal)
  const places = tensors.map((tensor) => recording.placeOf(pointerOf(tensor)))
  const constants = new Map<number, Uint8Array>()
  recording.buffers.forEach(({ content }, i) => {
    if (content && 'constant' in content) constants.set(i, content.constant)
  })
  const step = {
    calls: recording.calls,
    sizes: recording.buffers.map(({ bytes }) => bytes),
    given: new Set(constants.keys()),
    results: new Set(places.map(({ buffer }) => buffer)),
  }
  const program = createProgram(planStep({ ...step, calls: [...step.calls] }, constants))
  program.run({ step: 0, firstRow: 0 })
  const values = await program.read(tensors.map(({ size }, i) => ({ place: places[i]!, length: size })))
  const expected = await Promise.all(tensors.map(async (tensor) => (await tensor.data()) as Float32Array))
  return { calls: program.calls, values, expected, dispose: () => program.dispose() }
}
