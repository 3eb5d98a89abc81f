/**
 * dcml's backend for tfjs on an NVIDIA GPU.
 *
 * Owns: copying in and out.
 * Leaves: tensors to device-backend.ts, the GPU to cuda-device.ts, the computing to kernels/, what it cannot compute to
 * loan.ts.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DataRecord } from '../data-record.js'
import {
  DeviceBackend,
  type DeviceValues,
  type SharedFloats,
  type TensorKernels,
  type UpdateKernels,
  type WrittenRange,
} from '../device-backend.js'
import type { ProgramPlan } from '../step-program.js'
import type { WorkerDevices } from '../worker-devices.js'
import { ChainKernels } from './chain-kernels.js'
import type { CudaDevice } from './cuda-device.js'
import { CudaProgram } from './cuda-program.js'
import type { DeviceMemory } from './device-memory.js'
import { cudaKernels } from './kernels/index.js'
import type { Launch } from './kernels/kernel-module.js'
import { type LateKernels, lateKernels } from './kernels/late.js'
import { NcclLink } from './nccl-group.js'

/** Sums of a step and their like, which are written without waiting; weights and slots are written once. */
const FEW_BYTES = 2 ** 16
/** Of the free memory, what columns may take. */
const COLUMN_SHARE = 0.25

/** A `KernelBackend` whose numbers live on a GPU; pointers are addresses there. */
export class CudaBackend extends DeviceBackend {
  override readonly label = 'cuda'
  override readonly joining = 'joined'
  override readonly heap: DeviceMemory
  /** The kernels; while a step is recorded, each of them notes its calls. */
  override kernels: TensorKernels & UpdateKernels
  /** In host memory: kernels get what stands there by value. */
  override readonly infoPointer = 0
  override readonly devices: WorkerDevices
  override readonly addressWords = 2
  /** The kernels that find some of their arguments in memory. */
  readonly lateKernels: LateKernels
  /** The kernels that programs bring along. */
  readonly chains: ChainKernels

  constructor(readonly device: CudaDevice) {
    super()
    this.heap = device.memory
    this.devices = {
      count: device.chosen.isNamed ? 1 : device.chosen.count,
      id: device.id,
      holds: (values) => device.addressOf(values) !== undefined,
      openLink: () => new NcclLink(device, device.loadNccl()),
      close: () => device.close(),
    }
    // Not for anyone else: what no kernel of the table starts is in no recording.
    const launch: Launch = (...values) => device.launch(...values)
    this.kernels = cudaKernels(device, launch)
    this.lateKernels = lateKernels(launch)
    this.chains = new ChainKernels(launch)
  }

  /** A share of what is free, for the steps need room too. */
  override get columnBytes(): number {
    return this.heap.freeBytes() * COLUMN_SHARE
  }

  override async read(dataId: object): Promise<DeviceValues | Uint8Array[]> {
    const { pointer, length, dtype } = this.record(dataId)
    // What is refused while a step is recorded, and what has no numbers in the GPU's memory.
    if (this.recorder || !(dtype in arrayClasses)) return this.readSync(dataId)
    const Class = arrayClasses[dtype as keyof typeof arrayClasses]
    return new Class(await this.device.fetch(pointer, length * Class.BYTES_PER_ELEMENT))
  }

  override memory(): { unreliable: boolean; numBytesInGPU: number; numBytesInGPUReserved: number } {
    const { bytesInUse, bytesReserved } = this.heap
    return { unreliable: false, numBytesInGPU: bytesInUse, numBytesInGPUReserved: bytesReserved }
  }

  /** From start to end on the GPU: started before and still running is waited for first. */
  override async time(run: () => void): Promise<tf.BackendTimingInfo> {
    this.device.finish()
    return super.time(() => {
      run()
      this.device.finish()
    })
  }

  /** Copies a tensor's numbers over those of another of its size, by the driver: what a bandwidth is compared with. */
  copy(from: tf.TensorInfo, to: tf.TensorInfo): void {
    const { pointer, length, dtype } = this.record(from.dataId)
    const { BYTES_PER_ELEMENT } = arrayClasses[dtype as keyof typeof arrayClasses]
    this.device.copy(this.pointer(to), pointer, length * BYTES_PER_ELEMENT)
  }

  override shareFloats(length: number): SharedFloats {
    const { pointer, bytes, release } = this.device.share(length * 4)
    const floats = new Float32Array(bytes, 0, length)
    const view = () => {
      this.device.finish()
      return floats
    }
    // Copies by the driver, which move no pages to the host.
    const read = async (from: number, to: number) =>
      new Float32Array(await this.device.fetch(pointer + from * 4, (to - from) * 4))
    const write = (values: Float32Array, at: number) => {
      const place = pointer + at * 4
      if (values.byteLength > FEW_BYTES) this.device.upload(place, values)
      else this.device.send(place, values.byteLength, (bytes) => new Float32Array(bytes).set(values))
    }
    return { pointer, view, read, write, release }
  }

  override place(pointer: number, values: DeviceValues): void {
    this.device.upload(pointer, values)
  }

  override writeInto(range: WrittenRange, write: (target: DeviceValues, start: number) => void): void {
    const Class = writtenClasses[range.dtype]
    const sizeBytes = range.length * Class.BYTES_PER_ELEMENT
    this.device.send(range.pointer, sizeBytes, (bytes) => write(new Class(bytes, 0, range.length), 0))
  }

  override createProgram(plan: ProgramPlan): CudaProgram {
    return new CudaProgram(this, plan)
  }

  protected override store({ pointer, dtype }: DataRecord, values: tf.TypedArray): void {
    const Class = arrayClasses[dtype as keyof typeof arrayClasses]
    const elements = values.constructor === Class ? values : Class.from(values)
    this.device.upload(pointer, elements)
    this.recorder?.written(pointer, new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))
  }

  protected override load({ pointer, dtype }: DataRecord, from: number, to: number): DeviceValues {
    const values = new arrayClasses[dtype as keyof typeof arrayClasses](Math.max(0, to - from))
    this.device.download(pointer + from * values.BYTES_PER_ELEMENT, values)
    return values
  }
}

/** How elements lie in memory, by the types that have numbers. */
const arrayClasses = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }
const writtenClasses = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }
