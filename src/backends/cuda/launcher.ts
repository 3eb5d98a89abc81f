/**
 * Starts kernels, with one block of arguments that all launches use: the driver copies it at the call.
 * @module
 */

import type { Koffi, NativeFunction } from '../../core/index.js'
import type { Driver } from './ffi/driver.js'
import type { CallForm, Grid, KernelModule } from './kernels/kernel-module.js'
import type { ModuleCache } from './module-cache.js'

/** More than any kernel has; of chains, which have the most, those with many strides. */
const MAX_ARGUMENTS = 320
/** Room for the longest argument, 18 int32 by value. */
const SLOT_BYTES = 128
/** Ints of a slot. */
const SLOT_INTS = SLOT_BYTES / 4

/** A stream's way to start kernels. */
export class Launcher {
  readonly #driver: Driver
  readonly #modules: ModuleCache
  readonly #stream: number
  readonly #launch: NativeFunction
  /** First the addresses of the slots, then the slots. An ArrayBuffer of that length stays where it is. */
  readonly #block = new ArrayBuffer(MAX_ARGUMENTS * (8 + SLOT_BYTES))
  readonly #address: number
  readonly #pointers = new BigUint64Array(this.#block)
  readonly #floats = new Float32Array(this.#block)
  readonly #doubles = new Float64Array(this.#block)
  readonly #ints = new Int32Array(this.#block)
  /** Whether every launch is waited for. */
  readonly isDebug: boolean

  constructor(koffi: Koffi, driver: Driver, modules: ModuleCache, stream: number) {
    this.#driver = driver
    this.#modules = modules
    this.#stream = stream
    this.#launch = driver.calls.function('cuLaunchKernel')
    this.#address = Number(koffi.address(this.#ints))
    for (let i = 0; i < MAX_ARGUMENTS; i++) this.#pointers[i] = BigInt(this.#address + byteOf(i))
    this.isDebug = Boolean(process.env.DCML_CUDA_DEBUG)
  }

  /**
   * Starts a kernel; a grid without blocks starts nothing.
   *
   * @param values - The arguments, as `form` describes them; of an `i` argument its place in `info`, in bytes.
   * @throws {DcmlError} that names the kernel, if the driver refuses it; in debug mode also if it fails.
   */
  launch(module: KernelModule, name: string, form: CallForm, grid: Grid, values: readonly number[], info?: Int32Array) {
    const { blocks, threads } = grid
    if (blocks <= 0) return
    for (let i = 0; i < values.length; i++) this.#set(i, form.arguments[i]!, values[i]!, info, form.infoLength)
    const kernel = this.#modules.function(module, name)
    const code = this.#launch(kernel, blocks, 1, 1, threads, 1, 1, 0, this.#stream, this.#address, 0) as number
    if (code !== 0) throw this.#driver.error(`The launch of kernel ${name}`, code)
    if (this.isDebug) this.#await(name)
  }

  #set(index: number, kind: string, value: number, info: Int32Array | undefined, infoLength = 0): void {
    const byte = byteOf(index)
    if (kind === 'n') this.#ints[byte / 4] = value
    else if (kind === 'f') this.#floats[byte / 4] = value
    else if (kind === 'd') this.#doubles[byte / 8] = value
    else if (kind === 'i') this.#ints.set(info!.subarray(value / 4, value / 4 + infoLength), byte / 4)
    else {
      // An address in two halves: cheaper than a BigInt.
      this.#ints[byte / 4] = value
      this.#ints[byte / 4 + 1] = value / 2 ** 32
    }
  }

  #await(name: string): void {
    const code = this.#driver.calls.function('cuStreamSynchronize')(this.#stream) as number
    if (code !== 0) throw this.#driver.error(`The kernel ${name}`, code)
  }
}

const byteOf = (index: number) => MAX_ARGUMENTS * 8 + index * SLOT_INTS * 4
