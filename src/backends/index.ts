/**
 * Backends: what hardware there is, which to use, its memory, dcml's own kernels.
 * @module
 */

export type { BlasAssist } from './assist/blas-assist.js'
export { type AssistName, loadAssist, withAssist } from './assist/load-assist.js'
export { type AttentionOptions, attention } from './attention.js'
export type { BackendName, BackendReport } from './backend-report.js'
export { useWorkerIndex } from './cuda/device-choice.js'
export { type DeviceArray, DeviceArrays } from './device-arrays.js'
export {
  aliasDeviceFloats,
  copyInto,
  createDeviceAddresses,
  createDeviceFloats,
  type DeviceAddresses,
  type DeviceFloats,
  deviceFloats,
  fillPart,
  pointerOf,
  updateKernels,
  wasmExports,
} from './device-floats.js'
export {
  type ElementwiseForm,
  elementwiseOf,
  isFull,
  MAX_READS,
  MAX_WRITES,
  placeKey,
  readsOfJoined,
  sizeOfOperand,
  writesOfJoined,
} from './elementwise-calls.js'
export { type GeluOptions, gelu } from './gelu.js'
export { endMeetings, type Meeting, meet, meetingError } from './meeting.js'
export { canRecord, createProgram, fillRows, hold, joiningOf, recordCalls, refuseRecording } from './programs.js'
export { type RandomTensorOptions, randomTensor, randomValues } from './random-tensor.js'
export { deviceType, type RowSelection, rowTensor } from './row-tensor.js'
export {
  currentBackend,
  ensureBackend,
  listBackends,
  type SelectBackendOptions,
  selectBackend,
} from './select-backend.js'
export { softmaxCrossEntropy } from './softmax-cross-entropy.js'
export type { ProgramInputs, ProgramLoop, ProgramPlan, StepProgram } from './step-program.js'
export {
  activationCodes,
  binaryCodes,
  classifyCodes,
  compareCodes,
  dtypeCodes,
  type KernelExports,
  randomCodes,
  reduceCodes,
  unaryCodes,
} from './wasm/exports.js'
export { type CallName, kindsOf, type ProgramCallName } from './wasm/program/call-table.js'
export { chainHead, chainLink, linkArgument, MAX_LINKS } from './wasm/program/chain-form.js'
export type { Place, ProgramCall, RecordedCall, Recording, RowsContent } from './wasm/program/recorder.js'
export { createKernelMemory, type KernelMemory, MEETING_POINTER, useKernelMemory } from './wasm/register.js'
export { type DeviceGroup, type DeviceLink, type WorkerDevices, workerDevices } from './worker-devices.js'
