/**
 * dcml's backend for tfjs over a WebAssembly memory.
 *
 * Owns: copying in and out, recording a step, running with an assist.
 * Leaves: tensors to device-backend.ts, free memory to memory.ts, what it cannot compute to loan.ts.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { BlasAssist } from '../assist/blas-assist.js'
import type { DataRecord } from '../data-record.js'
import { bytesOf, DeviceBackend, type DeviceValues, type SharedFloats } from '../device-backend.js'
import type { KernelExports } from './exports.js'
import type { WasmMemory } from './memory.js'
import { CallRecorder, type Recording } from './program/recorder.js'

/** A `KernelBackend` whose numbers live in one WebAssembly memory; pointers are byte offsets in it. */
export class DcmlWasmBackend extends DeviceBackend {
  override readonly label = 'wasm'
  override readonly infoPointer: number
  /** The kernels; while a step is recorded, each of them notes its calls. */
  override kernels: KernelExports
  override recorder: CallRecorder | undefined = undefined
  /** Set while large products run in a native library. */
  assist: BlasAssist | undefined

  /**
   * @param kernels - The exports of the kernel module.
   * @param heap - The allocator over the memory of that module.
   */
  constructor(
    kernels: KernelExports,
    override readonly heap: WasmMemory,
  ) {
    super()
    this.kernels = kernels
    this.infoPointer = heap.allocate(128, 'kernel argument', [18])
  }

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

  /** Runs a function, and the large products in it in a native library. */
  assisted<T>(assist: BlasAssist, run: () => T): T {
    const { kernels, assist: before } = this
    this.kernels = assist.kernels
    this.assist = assist
    try {
      return run()
    } finally {
      this.kernels = kernels
      this.assist = before
    }
  }

  override memory(): { unreliable: boolean; numBytesInWasm: number; wasmCapacityBytes: number } {
    return {
      unreliable: false,
      numBytesInWasm: this.heap.bytesInUse,
      wasmCapacityBytes: this.heap.capacityBytes,
    }
  }

  override shareFloats(length: number): SharedFloats {
    const pointer = this.heap.allocate(length * 4, 'float32 range', [length])
    const view = () => this.heap.floats.subarray(pointer / 4, pointer / 4 + length)
    return { pointer, view, release: () => this.heap.release(pointer) }
  }

  protected override store({ pointer, length, dtype }: DataRecord, values: tf.TypedArray): void {
    if (dtype === 'bool') this.heap.bytes.set(values, pointer)
    else if (dtype === 'int32') this.heap.ints.set(values, pointer / 4)
    else this.heap.floats.set(values, pointer / 4)
    if (!this.recorder) return
    this.recorder.written(pointer, this.heap.bytes.subarray(pointer, pointer + bytesOf(length, dtype)))
  }

  protected override load({ pointer, dtype }: DataRecord, from: number, to: number): DeviceValues {
    if (dtype === 'bool') return this.heap.bytes.slice(pointer + from, pointer + to)
    const index = pointer / 4
    return (dtype === 'int32' ? this.heap.ints : this.heap.floats).slice(index + from, index + to)
  }
}
