/**
 * Recording the kernels of a step, and running them again without tfjs: on dcml's own backends.
 * @module
 */

import { StateError } from '../core/index.js'
import type { DataRecord } from './data-record.js'
import { activeDeviceBackend, type DeviceBackend } from './device-backend.js'
import { gatherInto, type RowSelection } from './row-tensor.js'
import type { ProgramPlan, StepProgram } from './step-program.js'
import type { Recording, RowsContent } from './wasm/program/recorder.js'

/** Whether the current backend can record. */
export const canRecord = (): boolean => activeDeviceBackend() !== undefined

/** Runs a function and tells which kernels it called, on what memory. */
export const recordCalls = <T>(run: () => T): { result: T; recording: Recording } => deviceBackend().recordCalls(run)

/** Says, while a step is recorded, that a replay would not follow it. Without a recording it does nothing. */
export const refuseRecording = (reason: string): void => activeDeviceBackend()?.recorder?.refuse(reason)

/** Puts planned calls into the memory of the backend. */
export const createProgram = (plan: ProgramPlan): StepProgram => deviceBackend().createProgram(plan)

/** How a program of the current backend has several kernels over the same elements as one call. */
export const joiningOf = (): DeviceBackend['joining'] => deviceBackend().joining

/** Gathers rows to a place in the memory of the backend. */
export const fillRows = (pointer: number, content: RowsContent, selection: RowSelection): void =>
  gatherInto(deviceBackend(), pointer, content, selection)

/** Keeps data alive, although its tensors may be disposed, until the returned function is called. */
export function hold(records: Iterable<DataRecord>): () => void {
  const backend = deviceBackend()
  const held = [...records]
  for (const record of held) record.refCount++
  return () => {
    for (const record of held.splice(0)) backend.disposeData(record)
  }
}

function deviceBackend(): DeviceBackend {
  const backend = activeDeviceBackend()
  if (!backend) throw new StateError('Steps are recorded on the backends wasm and cuda alone.')
  return backend
}
