/**
 * dcml's backend for tfjs over a WebAssembly memory.
 *
 * Owns: where each tensor's data lies, how many tensors share it, copying in and out.
 * Leaves: the computing to kernels/, free memory to memory.ts, what it cannot compute to loan.ts.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { BlasAssist } from '../assist/blas-assist.js'
import { type ComplexParts, DataRecord } from './data-record.js'
import type { KernelExports } from './exports.js'
import type { WasmMemory } from './memory.js'
import { CallRecorder, type Recording } from './program/recorder.js'

/** Values as the backend returns them: copies that stay valid. */
type Values = Float32Array | Int32Array | Uint8Array | Uint8Array[]

const typeNames: Record<tf.DataType, string> = {
  float32: 'float32 tensor',
  int32: 'int32 tensor',
  bool: 'bool tensor',
  complex64: 'complex64 tensor',
  string: 'string tensor',
}

/** A `KernelBackend` whose numbers live in one WebAssembly memory. */
export class DcmlWasmBackend extends tf.KernelBackend {
  /** Data that another backend created and tfjs moved here: its id is not a record of ours. */
  readonly #foreign = new WeakMap<object, DataRecord>()
  #dataCount = 0
  /** Byte offset of 18 int32 in which a kernel finds shapes and strides. */
  readonly infoPointer: number
  /** The kernels; while a step is recorded, each of them notes its calls. */
  wasm: KernelExports
  /** Set while a step is recorded. */
  recorder: CallRecorder | undefined
  /** Set while large products run in a native library. */
  assist: BlasAssist | undefined

  /**
   * @param wasm - The exports of the kernel module.
   * @param heap - The allocator over the memory of that module.
   */
  constructor(
    wasm: KernelExports,
    readonly heap: WasmMemory,
  ) {
    super()
    this.wasm = wasm
    this.infoPointer = heap.allocate(128, 'kernel argument', [18])
  }

  /** Runs a function and returns the calls of kernels that it made, besides its result. */
  recordCalls<T>(run: () => T): { result: T; recording: Recording } {
    const kernels = this.wasm
    const recorder = new CallRecorder()
    this.wasm = recorder.wrap(kernels, () => this.heap.ints)
    this.recorder = recorder
    this.heap.listener = recorder
    try {
      const result = run()
      return { result, recording: recorder.finish() }
    } finally {
      this.wasm = kernels
      this.recorder = undefined
      this.heap.listener = undefined
    }
  }

  /** Runs a function, and the large products in it in a native library. */
  assisted<T>(assist: BlasAssist, run: () => T): T {
    const { wasm, assist: before } = this
    this.wasm = assist.kernels
    this.assist = assist
    try {
      return run()
    } finally {
      this.wasm = wasm
      this.assist = before
    }
  }

  /** The record of a tensor's data; data that another backend holds is fetched first. */
  record(dataId: object): DataRecord {
    const record = this.#find(dataId)
    this.recorder?.touched(record)
    return record
  }

  /** Byte offset of a tensor's first element. */
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
    this.#fill(record, values as tf.TypedArray)
    if (this.recorder) {
      const { pointer, length } = record
      const end = pointer + (dtype === 'bool' ? length : length * 4)
      this.recorder.written(pointer, this.heap.bytes.subarray(pointer, end))
    }
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
    const { pointer, length, dtype, strings, complex } = this.record(dataId)
    if (strings !== undefined) return strings.slice(start, end)
    if (complex !== undefined)
      return tf.backend_util.mergeRealAndImagArrays(
        this.readSync(complex.real.dataId, start, end) as Float32Array,
        this.readSync(complex.imag.dataId, start, end) as Float32Array,
      )
    const from = start ?? 0
    const to = end ?? length
    if (dtype === 'bool') return this.heap.bytes.slice(pointer + from, pointer + to)
    const index = pointer / 4
    return (dtype === 'int32' ? this.heap.ints : this.heap.floats).slice(index + from, index + to)
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

  override memory(): { unreliable: boolean; numBytesInWasm: number; wasmCapacityBytes: number } {
    return {
      unreliable: false,
      numBytesInWasm: this.heap.bytesInUse,
      wasmCapacityBytes: this.heap.capacityBytes,
    }
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
    const pointer = this.heap.allocate(dtype === 'bool' ? length : length * 4, typeNames[dtype], shape)
    this.#dataCount++
    return new DataRecord(pointer, length, dtype, true)
  }

  #fill({ pointer, dtype }: DataRecord, values: tf.TypedArray): void {
    if (dtype === 'bool') this.heap.bytes.set(values, pointer)
    else if (dtype === 'int32') this.heap.ints.set(values, pointer / 4)
    else this.heap.floats.set(values, pointer / 4)
  }
}
