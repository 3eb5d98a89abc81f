/**
 * One GPU: its context, stream and memory, and the libraries that run on it.
 * @module
 */

import { BackendUnavailableError, betweenLooks, type Koffi, loadKoffi } from '../../core/index.js'
import { type ChosenDevice, chooseDevice } from './device-choice.js'
import { DeviceMemory } from './device-memory.js'
import { Cublas, type Product, type ProductPrecision, type TableProduct } from './ffi/cublas.js'
import { Driver, driverValues } from './ffi/driver.js'
import { loadLibrary } from './ffi/libraries.js'
import { textOf } from './ffi/native-calls.js'
import { Nccl } from './ffi/nccl.js'
import { Nvrtc } from './ffi/nvrtc.js'
import { thisMachine } from './ffi/places.js'
import { HostMemory, type HostRange } from './host-memory.js'
import type { CallForm, Grid, KernelModule } from './kernels/kernel-module.js'
import { Launcher } from './launcher.js'
import { ModuleCache } from './module-cache.js'
import { OperandCopies } from './operand-copies.js'
import { Uploads } from './uploads.js'

/** What cuBLAS asks for on an H100, and more than it needs on smaller GPUs. */
const WORKSPACE_BYTES = 32 * 2 ** 20

/** What is sent at once through pinned memory, which is scarce, at most: 256 MiB, the rows of a large batch. */
const MOST_SENT_BYTES = 2 ** 28
/** The same for what is fetched: 32 MiB. */
const MOST_FETCHED_BYTES = 2 ** 25

/** Work that was captured, to be started again as one. */
export interface CudaGraph {
  launch(): void
  dispose(): void
}

/** A second stream on a GPU. */
export interface SideStream {
  readonly handle: number
  /** Has what is started here from now on wait for all that was started on the first stream so far. */
  follow(): void
  /** Waits until what was started here is done; see `CudaDevice.finished`. */
  finished(look: () => void): Promise<void>
  close(): void
}

/** A GPU in use by this thread. */
export class CudaDevice {
  /** Such as 'NVIDIA H200'. */
  readonly name: string
  /** Compute capability times 10, such as 90. */
  readonly capability: number
  /** Streaming multiprocessors. */
  readonly processors: number
  readonly memoryBytes: number
  /** Which of the visible GPUs this is, and why. */
  readonly chosen: ChosenDevice
  /** 16 bytes that no other GPU has. */
  readonly id = new Uint8Array(16)
  /** Such as 'sm_90', 'CUDA 13.0', 'NVRTC 13.0', 'cuBLAS 13.0.2'. */
  readonly features: string[]
  readonly memory: DeviceMemory
  /** What products read in place of float32 operands. Who changes memory without a call of this class tells it. */
  readonly copies: OperandCopies
  readonly #koffi: Koffi
  readonly #driver: Driver
  readonly #handle: number
  readonly #host: HostMemory
  readonly #uploads: Uploads
  readonly #idleEvents: number[] = []
  readonly #stream: number
  readonly #modules: ModuleCache
  readonly #launcher: Launcher
  readonly #cublas: Cublas
  /** Addresses of what JavaScript sees. */
  readonly #shared = new WeakMap<ArrayBufferLike, number>()

  private constructor(koffi: Koffi, driver: Driver, chosen: ChosenDevice) {
    this.#koffi = koffi
    this.#driver = driver
    this.chosen = chosen
    const { calls } = driver
    const device = calls.int('cuDeviceGet', chosen.index)
    this.#handle = device
    const name = new Uint8Array(256)
    calls.call('cuDeviceGetName', name, name.length, device)
    this.name = textOf(name)
    calls.call('cuDeviceGetUuid', this.id, device)
    const attribute = (code: number) => calls.int('cuDeviceGetAttribute', code, device)
    this.capability =
      attribute(driverValues.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
      attribute(driverValues.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
    this.processors = attribute(driverValues.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
    this.memoryBytes = calls.handle('cuDeviceTotalMem_v2', device)

    // All libraries before the context, which takes memory.
    const machine = thisMachine()
    const version = driver.version()
    const nvrtc = new Nvrtc(loadLibrary(koffi, 'nvrtc', machine, version.major).library)
    const target = nvrtc.targetFor(this.capability)
    const blasLibrary = loadLibrary(koffi, 'cublas', machine, version.major).library

    calls.call('cuCtxSetCurrent', calls.handle('cuDevicePrimaryCtxRetain', device))
    this.#stream = calls.handle('cuStreamCreate', driverValues.CU_STREAM_NON_BLOCKING)
    this.#host = new HostMemory(koffi, driver)
    this.#uploads = new Uploads(driver, this.#host, this.#stream)
    this.#modules = new ModuleCache(driver, nvrtc, target)
    this.#launcher = new Launcher(koffi, driver, this.#modules, this.#stream)
    this.memory = new DeviceMemory(driver, this.isDebug)
    this.copies = new OperandCopies(this)
    this.memory.dependents = this.copies
    const pointer = this.memory.allocate(WORKSPACE_BYTES, 'workspace of cuBLAS', [WORKSPACE_BYTES])
    this.#cublas = new Cublas(blasLibrary, this.#stream, { pointer, bytes: WORKSPACE_BYTES })
    const libraries = [`NVRTC ${nvrtc.version}`, `cuBLAS ${this.#cublas.version}`]
    this.features = [`sm_${this.capability}`, `CUDA ${version.major}.${version.minor}`, ...libraries]
  }

  /**
   * Opens a GPU for the calling thread, among those that this process may see (CUDA_VISIBLE_DEVICES): see
   * `chooseDevice`.
   *
   * @throws {BackendUnavailableError} if something is missing; it says what, and how to get it.
   */
  static async open(): Promise<CudaDevice> {
    if (process.platform !== 'linux')
      throw new BackendUnavailableError('The CUDA backend runs on Linux, that of WSL included.')
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new BackendUnavailableError(loaded.reason)
    const driver = new Driver(loadLibrary(loaded.koffi, 'driver', thisMachine()).library)
    driver.calls.call('cuInit', 0)
    const count = driver.calls.int('cuDeviceGetCount')
    if (count === 0) throw driver.error('cuDeviceGetCount', driverValues.CUDA_ERROR_NO_DEVICE)
    return new CudaDevice(loaded.koffi, driver, chooseDevice(count, process.env))
  }

  /** Whether every launch is waited for, and ranges have their exact size: DCML_CUDA_DEBUG. */
  get isDebug(): boolean {
    return this.#launcher.isDebug
  }

  /** Starts a kernel; see `Launcher.launch`. */
  launch(module: KernelModule, name: string, form: CallForm, grid: Grid, values: readonly number[]): void {
    this.#launcher.launch(module, name, form, grid, values, this.memory.ints)
    if (this.copies.isEmpty) return
    for (let i = 0; i < values.length; i++)
      if (form.arguments[i] === 'w' || form.arguments[i] === 'u') this.copies.written(values[i]!)
  }

  /** Starts products of matrices. */
  multiply(product: Product, precision: ProductPrecision): void {
    this.#cublas.multiply(product, precision)
    this.copies.written(product.out)
  }

  /** Starts products of matrices, whose addresses stand in tables. */
  multiplyByTables(product: TableProduct, precision: ProductPrecision): void {
    this.#cublas.multiplyByTables(product, precision)
    this.copies.written(product.out)
  }

  /** Copies to the GPU, in the order of the stream. The values may change after the call. */
  upload(pointer: number, values: ArrayBufferView): void {
    if (values.byteLength === 0) return
    this.#driver.calls.call('cuMemcpyHtoDAsync_v2', pointer, values, values.byteLength, this.#stream)
    this.copies.written(pointer)
  }

  /** The same for what a function writes to an array of so many bytes, without waiting for anything. */
  send(pointer: number, sizeBytes: number, write: (bytes: ArrayBuffer) => void): void {
    if (sizeBytes <= MOST_SENT_BYTES) {
      this.#uploads.send(pointer, sizeBytes, write)
      this.copies.written(pointer)
      return
    }
    const bytes = new ArrayBuffer(sizeBytes)
    write(bytes)
    this.upload(pointer, new Uint8Array(bytes))
  }

  /** Copies from the GPU; waits until all work before is done. */
  download(pointer: number, into: ArrayBufferView): void {
    if (into.byteLength === 0) return
    this.#driver.calls.call('cuMemcpyDtoHAsync_v2', into, pointer, into.byteLength, this.#stream)
    this.finish()
  }

  /** Copies inside the GPU, in the order of the stream. */
  copy(to: number, from: number, sizeBytes: number): void {
    this.#driver.calls.call('cuMemcpyDtoDAsync_v2', to, from, sizeBytes, this.#stream)
    this.copies.written(to)
  }

  /** Waits until all work that was started is done. */
  finish(): void {
    this.#driver.calls.call('cuStreamSynchronize', this.#stream)
  }

  /**
   * Memory that kernels and JavaScript both use: pages move to whoever touches them. After kernels changed it, `finish`
   * comes before the next look.
   */
  share(sizeBytes: number): HostRange & { release(): void } {
    const { memory } = this
    const bytes = Math.max(4, sizeBytes)
    const pointer = memory.allocateShared(bytes, 'float32 range', [sizeBytes / 4])
    const view = this.#koffi.view(BigInt(pointer), bytes)
    this.#shared.set(view, pointer)
    return { pointer, bytes: view, release: () => memory.releaseShared(pointer) }
  }

  /** Where values of memory that `share` gave begin; undefined for all others. */
  addressOf({ buffer, byteOffset }: Float32Array): number | undefined {
    const start = this.#shared.get(buffer)
    return start === undefined ? undefined : start + byteOffset
  }

  /**
   * Gives back all that this thread holds of the GPU, which the driver would do at the end of the process alone. Nothing
   * of it can be used afterwards.
   */
  close(): void {
    const { calls } = this.#driver
    this.finish()
    for (const part of [this.memory, this.#uploads, this.#host, this.#modules, this.#cublas]) part.close()
    for (const event of this.#idleEvents.splice(0)) calls.call('cuEventDestroy_v2', event)
    calls.call('cuStreamDestroy_v2', this.#stream)
    calls.call('cuDevicePrimaryCtxRelease_v2', this.#handle)
  }

  /** Loads NCCL. @throws {BackendUnavailableError} if it is not there; it says how to get it. */
  loadNccl(): Nccl {
    return new Nccl(this.#koffi, loadLibrary(this.#koffi, 'nccl', thisMachine(), this.#driver.version().major).library)
  }

  /**
   * Copies from the GPU, while the event loop goes on unless there is much; the range may be released at once.
   *
   * @returns The bytes.
   */
  async fetch(pointer: number, sizeBytes: number): Promise<ArrayBuffer> {
    if (sizeBytes > MOST_FETCHED_BYTES) {
      const bytes = new Uint8Array(sizeBytes)
      this.download(pointer, bytes)
      return bytes.buffer
    }
    if (sizeBytes === 0) return new ArrayBuffer(0)
    const range = this.#host.take(sizeBytes)
    try {
      const { calls } = this.#driver
      calls.call('cuMemcpyDtoHAsync_v2', BigInt(range.pointer), pointer, sizeBytes, this.#stream)
      await this.finished()
      return range.bytes.slice(0, sizeBytes)
    } finally {
      this.#host.release(range)
    }
  }

  /** Captures what a function starts, instead of starting it. Nothing in it may wait for the GPU. */
  capture(run: () => void): CudaGraph {
    const { calls } = this.#driver
    const out = new BigUint64Array(1)
    // Those from before belong to nobody's graph.
    this.copies.clear()
    calls.call('cuStreamBeginCapture_v2', this.#stream, driverValues.CU_STREAM_CAPTURE_MODE_RELAXED)
    let releaseScratch: () => void
    try {
      releaseScratch = this.memory.keepScratch(() => this.copies.apart(run))
    } catch (error) {
      // What failed may have ended the capture: then there is no graph, and the code says less than the error.
      calls.function('cuStreamEndCapture')(this.#stream, out)
      if (out[0] !== 0n) calls.call('cuGraphDestroy', Number(out[0]))
      throw error
    }
    let executable: number
    try {
      calls.call('cuStreamEndCapture', this.#stream, out)
      executable = calls.handle('cuGraphInstantiateWithFlags', Number(out[0]), 0)
    } catch (error) {
      releaseScratch()
      throw error
    } finally {
      if (out[0] !== 0n) calls.call('cuGraphDestroy', Number(out[0]))
    }
    return {
      launch: () => {
        // Nobody knows what it writes.
        this.copies.clear()
        calls.call('cuGraphLaunch', executable, this.#stream)
      },
      dispose: () => {
        calls.call('cuGraphExecDestroy', executable)
        releaseScratch()
      },
    }
  }

  /** Opens a stream beside the one of all other work, so that who waits for that does not wait for this. */
  openStream(): SideStream {
    const { calls } = this.#driver
    const handle = calls.handle('cuStreamCreate', driverValues.CU_STREAM_NON_BLOCKING)
    const close = () => calls.call('cuStreamDestroy_v2', handle)
    const follow = () => {
      const event = this.#takeEvent()
      calls.call('cuEventRecord', event, this.#stream)
      calls.call('cuStreamWaitEvent', handle, event, 0)
      this.#idleEvents.push(event)
    }
    return { handle, follow, finished: (look) => this.finished(look, handle), close }
  }

  /**
   * Waits until the work that was started so far is done, while the event loop goes on.
   *
   * @param look - Called at every look; what it throws ends the waiting.
   */
  async finished(look: () => void = () => {}, stream = this.#stream): Promise<void> {
    const { calls } = this.#driver
    const event = this.#takeEvent()
    try {
      calls.call('cuEventRecord', event, stream)
      const query = calls.function('cuEventQuery')
      const pause = betweenLooks()
      let code = query(event) as number
      while (code === driverValues.CUDA_ERROR_NOT_READY) {
        look()
        await pause()
        code = query(event) as number
      }
      if (code !== 0) throw this.#driver.error('A kernel before cuEventQuery', code)
    } finally {
      this.#idleEvents.push(event)
    }
  }

  #takeEvent(): number {
    return this.#idleEvents.pop() ?? this.#driver.calls.handle('cuEventCreate', driverValues.CU_EVENT_DISABLE_TIMING)
  }
}
