/**
 * Recording the kernels of a step, and running them again without tfjs: on dcml-wasm.
 * @module
 */

import { StateError } from '../core/index.js'
import type { DataRecord } from './data-record.js'
import { gatherInto, type RowSelection } from './row-tensor.js'
import { type ProgramPlan, WasmProgram } from './wasm/program/program.js'
import type { Recording, RowsContent } from './wasm/program/recorder.js'
import { activeWasmBackend } from './wasm/register.js'
import type { DcmlWasmBackend } from './wasm/wasm-backend.js'

/** Whether the current backend can record. */
export const canRecord = (): boolean => activeWasmBackend() !== undefined

/** Runs a function and tells which kernels it called, on what memory. */
export const recordCalls = <T>(run: () => T): { result: T; recording: Recording } => wasmBackend().recordCalls(run)

/** Says, while a step is recorded, that a replay would not follow it. Without a recording it does nothing. */
export const refuseRecording = (reason: string): void => activeWasmBackend()?.recorder?.refuse(reason)

/** Puts planned calls into the memory of the backend. */
export const createProgram = (plan: ProgramPlan): WasmProgram => new WasmProgram(wasmBackend(), plan)

/** Gathers rows to a byte offset in the memory of the backend. */
export const fillRows = (pointer: number, content: RowsContent, selection: RowSelection): void =>
  gatherInto(wasmBackend(), pointer, content, selection)

/** Keeps data alive, although its tensors may be disposed, until the returned function is called. */
export function hold(records: Iterable<DataRecord>): () => void {
  const backend = wasmBackend()
  const held = [...records]
  for (const record of held) record.refCount++
  return () => {
    for (const record of held.splice(0)) backend.disposeData(record)
  }
}

function wasmBackend(): DcmlWasmBackend {
  const backend = activeWasmBackend()
  if (!backend) throw new StateError('Steps are recorded on the wasm backend alone.')
  return backend
}
