/** GPUs that combine arrays by NCCL. @module */

import { betweenLooks, type TransportError } from '../../core/index.js'
import type { DeviceGroup, DeviceLink, DevicePlace, DeviceReduceOperation } from '../worker-devices.js'
import type { CudaDevice, SideStream } from './cuda-device.js'
import type { Nccl } from './ffi/nccl.js'

/** NCCL as a link between the GPUs of workers. */
export class NcclLink implements DeviceLink {
  readonly version: number
  readonly #device: CudaDevice
  readonly #nccl: Nccl

  constructor(device: CudaDevice, nccl: Nccl) {
    this.version = nccl.versionCode
    this.#device = device
    this.#nccl = nccl
  }

  createGroupId(): Uint8Array {
    return this.#nccl.createId()
  }

  join(place: DevicePlace): NcclGroup {
    return new NcclGroup(this.#device, this.#nccl, place)
  }
}

/** This GPU's place among those of a group. */
class NcclGroup implements DeviceGroup {
  readonly ready: Promise<void>
  readonly #device: CudaDevice
  readonly #nccl: Nccl
  /** Of its own: a thread that waits for its kernels must not hang on a member that is lost. */
  readonly #stream: SideStream
  readonly #communicator = new BigUint64Array(1)
  #end: TransportError | undefined

  constructor(device: CudaDevice, nccl: Nccl, place: DevicePlace) {
    this.#device = device
    this.#nccl = nccl
    this.#stream = device.openStream()
    try {
      nccl.begin(this.#communicator, place)
    } catch (error) {
      this.#stream.close()
      throw error
    }
    this.ready = this.#settled()
  }

  async allReduce(values: Float32Array, operation: DeviceReduceOperation): Promise<void> {
    if (this.#end) throw this.#end
    if (values.length === 0) return
    const pointer = this.#device.addressOf(values)!
    this.#stream.follow()
    this.#nccl.allReduce(this.#handle, { pointer, length: values.length, operation }, this.#stream.handle)
    await this.#settled()
  }

  abort(reason: TransportError): void {
    if (this.#end) return
    this.#end = reason
    this.#nccl.abort(this.#handle)
    this.#stream.close()
  }

  get #handle(): number {
    return Number(this.#communicator[0])
  }

  /** Until what was started is done. NCCL first: a call that has not got going has put nothing on the stream yet. */
  async #settled(): Promise<void> {
    const pause = betweenLooks()
    while (this.#state() === 'working') await pause()
    await this.#stream.finished(() => void this.#state())
    // What was given up is done, too.
    this.#state()
  }

  #state(): 'done' | 'working' {
    if (this.#end) throw this.#end
    return this.#nccl.state(this.#handle)
  }
}
