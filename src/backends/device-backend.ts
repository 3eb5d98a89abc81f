/**
 * What dcml's own backends have in common: tensors are ranges of a memory, and kernels take pointers into it.
 *
 * Owns: which range each tensor's data is, how many tensors share it, what tfjs asks of a backend, recording a step.
 * Leaves: the memory and copying in and out to the backend itself, the kernels of tfjs to kernels/.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { ConfigError, describe, sizeOf } from '../core/index.js'
import { type ComplexParts, DataRecord } from './data-record.js'
import type { ProgramPlan, StepProgram } from './step-program.js'
import type { KernelExports } from './wasm/exports.js'
import type { MemoryListener } from './wasm/memory.js'
import type { CallName } from './wasm/program/call-table.js'
import { CallRecorder, type Recording } from './wasm/program/recorder.js'
import type { WorkerDevices } from './worker-devices.js'

/** What the kernels of tfjs are made of. All take pointers of the backend's memory, as wasm/exports.ts describes them. */
export type TensorKernels = Pick<KernelExports, Exclude<CallName, 'chain' | 'joined'>>

/** Update rules of optimizers, over ranges of floats. */
export type UpdateKernels = Pick<KernelExports, 'sgd' | 'adam' | 'rmsprop' | 'adagrad' | 'lamb' | 'sumOfSquares'>

/** Numbers as they lie in a device's memory. */
export type DeviceValues = Float32Array | Int32Array | Uint8Array

/** Values as a backend returns them: copies that stay valid. */
type Values = DeviceValues | Uint8Array[]

/** Hands out the memory. */
export interface DeviceHeap {
  /** Where kernels find shapes and strides; see `infoPointer`. */
  readonly ints: Int32Array
  listener: MemoryListener | undefined
  /** @param use - What it is for, and of which shape: for the error when there is no room. */
  allocate(sizeBytes: number, use: string, shape: readonly number[]): number
  release(pointer: number): void
}

/** Floats that kernels change in place, and JavaScript sees. */
export interface SharedFloats {
  readonly pointer: number
  /** The elements, with all that kernels made of them. A view that may go stale when the next kernel runs. */
  view(): Float32Array
  /** The elements `from` to `to`, not including it, to be read: such a view, or a copy that a GPU makes meanwhile. */
  read(from: number, to: number): Promise<Float32Array>
  /** Sets elements from `at` on, before any kernel that starts later. */
  write(values: Float32Array, at: number): void
  release(): void
}

/** How floats are read and written that lie in the host's memory. */
export const accessTo = (view: () => Float32Array): Pick<SharedFloats, 'read' | 'write'> => ({
  read: async (from, to) => view().subarray(from, to),
  write: (values, at) => view().set(values, at),
})

/** Where elements are written to. */
export interface WrittenRange {
  readonly pointer: number
  readonly dtype: 'float32' | 'int32' | 'uint8'
  /** Elements. */
  readonly length: number
}

const typeNames: Record<tf.DataType, string> = {
  float32: 'float32 tensor',
  int32: 'int32 tensor',
  bool: 'bool tensor',
  complex64: 'complex64 tensor',
  string: 'string tensor',
}

/** Kernels count elements in 32 bits. */
const MOST_ELEMENTS = 2 ** 31 - 1

/** Bytes that data takes. */
export const bytesOf = (length: number, dtype: tf.DataType): number => (dtype === 'bool' ? length : length * 4)

/** A `KernelBackend` over a memory of its own. */
export abstract class DeviceBackend extends tf.KernelBackend {
  /** Its name in dcml's words. */
  abstract readonly label: string
  abstract readonly heap: DeviceHeap
  abstract kernels: TensorKernels & UpdateKernels
  /** Int32 of an address that a kernel reads from memory. */
  abstract readonly addressWords: 1 | 2
  /** Bytes of its memory that columns of data may take now. */
  abstract readonly columnBytes: number
  /** Byte offset in `heap.ints` of 18 int32 in which a kernel finds shapes and strides. */
  abstract readonly infoPointer: number
  /** Devices of which workers have one each; undefined where they share the cores of their machine. */
  readonly devices: WorkerDevices | undefined
  /** Set while a step is recorded. */
  recorder: CallRecorder | undefined
  /** Data that another backend created and tfjs moved here: its id is not a record of ours. */
  readonly #foreign = new WeakMap<object, DataRecord>()
  #dataCount = 0

  /** Takes a range of floats that JavaScript sees too; its elements are not set. */
  abstract shareFloats(length: number): SharedFloats
  /** Copies elements to a range, once and for long: no memory of the host is kept for it. */
  abstract place(pointer: number, values: DeviceValues): void
  /** Lets a function write elements to a range: it is given an array, and the index of the range's first element. */
  abstract writeInto(range: WrittenRange, write: (target: DeviceValues, start: number) => void): void
  /** Puts planned calls into the backend's memory. */
  abstract createProgram(plan: ProgramPlan): StepProgram
  /** How its programs have several kernels over the same elements as one call: `chain`, or `joined`. */
  abstract readonly joining: 'chain' | 'joined'
  /** Copies values into the range of a new record. */
  protected abstract store(record: DataRecord, values: tf.TypedArray): void
  /** A copy of the elements `from` to `to`, not including it. */
  protected abstract load(record: DataRecord, from: number, to: number): DeviceValues

  /** Runs a function and returns the calls of kernels that it made, besides its result. */
  recordCalls<T>(run: () => T): { result: T; recording: Recording } {
    const { kernels } = this
    const recorder = new CallRecorder()
    this.kernels = recorder.wrap(kernels, () => this.heap.ints)
    this.recorder = recorder
    this.heap.listener = recorder
    try {
      const result = run()
      return { result, recording: recorder.finish() }
    } finally {
      this.kernels = kernels
      this.recorder = undefined
      this.heap.listener = undefined
    }
  }

  /** The record of a tensor's data; data that another backend holds is fetched first. */
  record(dataId: object): DataRecord {
    const record = this.#find(dataId)
    this.recorder?.touched(record)
    return record
  }

  /** Where a tensor's first element is. */
  pointer(info: tf.TensorInfo): number {
    return this.record(info.dataId).pointer
  }

  /** A new tensor whose elements are not set yet. */
  output(shape: number[], dtype: tf.DataType): tf.TensorInfo {
    return { dataId: this.#allocate(shape, dtype), shape, dtype }
  }

  /** The same data under another shape. */
  share(info: tf.TensorInfo, shape: number[]): tf.TensorInfo {
    this.record(info.dataId).refCount++
    return { dataId: info.dataId, shape, dtype: info.dtype }
  }

  /** A tensor over a range that someone else owns; the range must outlive it. */
  alias(pointer: number, shape: number[], dtype: tf.DataType): tf.TensorInfo {
    this.#dataCount++
    return { dataId: new DataRecord(pointer, sizeOf(shape), dtype, false), shape, dtype }
  }

  /** A complex tensor over two float32 tensors, which it shares. */
  makeComplex({ real, imag }: ComplexParts): tf.TensorInfo {
    const record = new DataRecord(0, sizeOf(real.shape), 'complex64', false)
    record.complex = { real: this.share(real, real.shape), imag: this.share(imag, imag.shape) }
    this.#dataCount++
    return { dataId: record, shape: real.shape, dtype: 'complex64' }
  }

  /** A new tensor with values, by the convention of tfjs' own backends. */
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.BackendValues | string[]): tf.TensorInfo {
    const encoded =
      dtype === 'string' && typeof values[0] === 'string'
        ? (values as string[]).map((text) => tf.util.encodeString(text))
        : (values as tf.BackendValues)
    return { dataId: this.write(encoded, shape, dtype), shape, dtype }
  }

  /** Gives up one reference to the data, by the convention of tfjs' own backends. */
  disposeIntermediateTensorInfo(info: tf.TensorInfo): void {
    this.disposeData(info.dataId)
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (dtype === 'complex64') throw new Error('Cannot write to a complex64 dtype. Please use tf.complex(real, imag).')
    if (dtype === 'string') {
      this.recorder?.refuse('A tensor of strings is made during the step.')
      const record = new DataRecord(0, sizeOf(shape), dtype, false)
      record.strings = values as Uint8Array[]
      this.#dataCount++
      return record
    }
    const record = this.#allocate(shape, dtype)
    this.store(record, values as tf.TypedArray)
    return record
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void {
    const source = this.write(values, shape, dtype) as DataRecord
    let record = source
    if (dataId instanceof DataRecord) {
      // A record of ours that went to another backend and comes back.
      record = dataId
      record.pointer = source.pointer
      record.strings = source.strings
    } else this.#foreign.set(dataId, record)
    record.refCount = refCount
  }

  override readSync(dataId: object, start?: number, end?: number): Values {
    this.recorder?.refuse('Values of a tensor are read in JavaScript during the step.')
    const record = this.record(dataId)
    const { length, strings, complex } = record
    if (strings !== undefined) return strings.slice(start, end)
    if (complex !== undefined)
      return tf.backend_util.mergeRealAndImagArrays(
        this.readSync(complex.real.dataId, start, end) as Float32Array,
        this.readSync(complex.imag.dataId, start, end) as Float32Array,
      )
    return this.load(record, start ?? 0, end ?? length)
  }

  override async read(dataId: object): Promise<Values> {
    return this.readSync(dataId)
  }

  /** The values as a tfjs buffer, by the convention of tfjs' own backends. */
  bufferSync(info: tf.TensorInfo): tf.TensorBuffer<tf.Rank> {
    const values = this.readSync(info.dataId)
    const decoded =
      info.dtype === 'string' ? (values as Uint8Array[]).map((bytes) => tf.util.decodeString(bytes)) : values
    return tf.buffer(info.shape as [number], info.dtype as 'float32', decoded as Float32Array)
  }

  override numDataIds(): number {
    return this.#dataCount
  }

  override refCount(dataId: object): number {
    return this.#known(dataId)?.refCount ?? 0
  }

  override incRef(dataId: object): void {
    this.record(dataId).refCount++
  }

  decRef(dataId: object): void {
    const record = this.#known(dataId)
    if (record !== undefined) record.refCount--
  }

  override disposeData(dataId: object, force = false): boolean {
    const record = this.#known(dataId)
    if (record === undefined || record.refCount <= 0) return true
    record.refCount = force ? 0 : record.refCount - 1
    if (record.refCount > 0) return false
    if (record.complex !== undefined) {
      this.disposeData(record.complex.real.dataId)
      this.disposeData(record.complex.imag.dataId)
      record.complex = undefined
    }
    if (record.owned) this.heap.release(record.pointer)
    record.pointer = 0
    record.strings = undefined
    if (record !== dataId) this.#foreign.delete(dataId)
    this.#dataCount--
    return true
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override async time(run: () => void): Promise<tf.BackendTimingInfo> {
    const start = tf.util.now()
    run()
    return { kernelMs: tf.util.now() - start }
  }

  override dispose(): void {}

  #find(dataId: object): DataRecord {
    if (dataId instanceof DataRecord && dataId.refCount > 0) return dataId
    const foreign = this.#foreign.get(dataId)
    if (foreign !== undefined) return foreign
    const engine = tf.engine() as unknown as { moveData(backend: tf.KernelBackend, dataId: object): void }
    engine.moveData(this, dataId)
    return dataId instanceof DataRecord ? dataId : this.#foreign.get(dataId)!
  }

  #known(dataId: object): DataRecord | undefined {
    return dataId instanceof DataRecord ? dataId : this.#foreign.get(dataId)
  }

  #allocate(shape: number[], dtype: tf.DataType): DataRecord {
    const length = sizeOf(shape)
    if (length > MOST_ELEMENTS)
      throw new ConfigError(`A ${typeNames[dtype]} of shape ${describe(shape)} has too many elements.`, {
        expected: `at most ${MOST_ELEMENTS}`,
        received: length,
        remedy: 'Use a smaller batchSize, or divide the tensor',
      })
    const pointer = this.heap.allocate(bytesOf(length, dtype), typeNames[dtype], shape)
    this.#dataCount++
    return new DataRecord(pointer, length, dtype, true)
  }
}

/** The backend in use, if it is one of dcml's own. */
export function activeDeviceBackend(): DeviceBackend | undefined {
  const engine = tf.engine()
  // Without a name nobody chose one yet, and asking for it would choose one.
  if (!engine.backendName) return undefined
  const { backend } = engine
  return backend instanceof DeviceBackend ? backend : undefined
}
