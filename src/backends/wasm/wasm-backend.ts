/**
 * dcml's backend for tfjs over a WebAssembly memory.
 *
 * Owns: copying in and out, running with an assist.
 * Leaves: tensors to device-backend.ts, free memory to memory.ts, what it cannot compute to loan.ts.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { BlasAssist } from '../assist/blas-assist.js'
import type { DataRecord } from '../data-record.js'
import {
  accessTo,
  bytesOf,
  DeviceBackend,
  type DeviceValues,
  type SharedFloats,
  type WrittenRange,
} from '../device-backend.js'
import type { ProgramPlan } from '../step-program.js'
import type { KernelExports } from './exports.js'
import type { WasmMemory } from './memory.js'
import { WasmProgram } from './program/program.js'

/** Columns of more bytes than this stay where they are, and JavaScript gathers their rows: 256 MiB. */
const COLUMN_BYTES = 2 ** 28

/** A `KernelBackend` whose numbers live in one WebAssembly memory; pointers are byte offsets in it. */
export class DcmlWasmBackend extends DeviceBackend {
  override readonly label = 'wasm'
  override readonly joining = 'chain'
  override readonly addressWords = 1
  override readonly columnBytes = COLUMN_BYTES
  override readonly infoPointer: number
  /** The kernels; while a step is recorded, each of them notes its calls. */
  override kernels: KernelExports
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
    return { pointer, view, ...accessTo(view), release: () => this.heap.release(pointer) }
  }

  override place(pointer: number, values: DeviceValues): void {
    this.heap.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), pointer)
  }

  override writeInto({ pointer, dtype }: WrittenRange, write: (target: DeviceValues, start: number) => void): void {
    const { bytes, ints, floats } = this.heap
    if (dtype === 'uint8') write(bytes, pointer)
    else write(dtype === 'int32' ? ints : floats, pointer / 4)
  }

  override createProgram(plan: ProgramPlan): WasmProgram {
    return new WasmProgram(this, plan)
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
