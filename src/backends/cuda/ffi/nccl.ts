/**
 * NCCL: combines arrays that lie on several GPUs, without the host.
 *
 * @see https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/
 * @module
 */

import { type Koffi, type NativeLibrary, TransportError } from '../../../core/index.js'
import { NativeCalls } from './native-calls.js'

/** C types of parameters. */
export const ncclPrototypes = {
  ncclGetVersion: 'void *version',
  ncclGetUniqueId: 'void *id',
  ncclCommInitRankConfig: 'void *communicator, int size, ncclUniqueId id, int rank, void *config',
  ncclCommGetAsyncError: 'uintptr_t communicator, void *state',
  ncclCommAbort: 'uintptr_t communicator',
  ncclAllReduce:
    'uintptr_t from, uintptr_t to, size_t count, int dtype, int operation, uintptr_t communicator, uintptr_t stream',
} as const

/** Values of `nccl.h`, by their names there. */
export const ncclValues = {
  NCCL_UNIQUE_ID_BYTES: 128,
  NCCL_API_MAGIC: 0xcafebeef,
  ncclSuccess: 0,
  ncclInProgress: 7,
  ncclFloat32: 7,
  ncclSum: 0,
  ncclMax: 2,
  ncclMin: 3,
  ncclAvg: 4,
} as const

/** Codes of `ncclRedOp_t`. */
const operationCodes = {
  sum: ncclValues.ncclSum,
  mean: ncclValues.ncclAvg,
  max: ncclValues.ncclMax,
  min: ncclValues.ncclMin,
} as const

/** How values are combined. */
export type NcclOperation = keyof typeof operationCodes

/** Of ncclConfig_t the fields that NCCL 2.14, the first that has it, knows: a later one takes its defaults for the rest. */
const CONFIG_BYTES = 24
const CONFIG_VERSION = 21_400

/** What a call says that only started its work. */
export type NcclState = 'done' | 'working'

/** NCCL of this process. No call waits for other ranks: `state` tells when what was started has got going. */
export class Nccl {
  /** Such as '2.30.7'. */
  readonly version: string
  /** Such as 23007. Ranks of a group need the same. */
  readonly versionCode: number
  readonly #library: NativeLibrary
  readonly #calls: NativeCalls<keyof typeof ncclPrototypes>

  constructor(koffi: Koffi, library: NativeLibrary) {
    this.#library = library
    this.#calls = new NativeCalls(library, ncclPrototypes, (name, code) => this.#error(name, code))
    declareId(koffi)
    const version = this.#calls.int('ncclGetVersion')
    this.versionCode = version
    this.version = `${Math.floor(version / 10_000)}.${Math.floor((version % 10_000) / 100)}.${version % 100}`
  }

  /** 128 bytes that all ranks of a new group need; made by one of them. */
  createId(): Uint8Array {
    const id = new Uint8Array(ncclValues.NCCL_UNIQUE_ID_BYTES)
    this.#calls.call('ncclGetUniqueId', id)
    return id
  }

  /**
   * Starts to bring this rank into a group, with the GPU whose context is current.
   *
   * @param communicator - Receives the handle; NCCL writes to it until it is done, so it must live that long.
   */
  begin(
    communicator: BigUint64Array,
    { id, rank, worldSize }: { id: Uint8Array; rank: number; worldSize: number },
  ): void {
    const config = new DataView(new ArrayBuffer(CONFIG_BYTES))
    config.setBigUint64(0, BigInt(CONFIG_BYTES), true)
    config.setUint32(8, ncclValues.NCCL_API_MAGIC, true)
    config.setUint32(12, CONFIG_VERSION, true)
    // Not blocking: a rank that never comes would hold this thread, and with it the transport, for ever.
    config.setInt32(16, 0, true)
    this.#start('ncclCommInitRankConfig', communicator, worldSize, { bytes: id }, rank, new Uint8Array(config.buffer))
  }

  /** Starts to combine the arrays of all ranks, in place, on the stream. */
  allReduce(
    communicator: number,
    { pointer, length, operation }: { pointer: number; length: number; operation: NcclOperation },
    stream: number,
  ): void {
    const code = operationCodes[operation]
    this.#start('ncclAllReduce', pointer, pointer, length, ncclValues.ncclFloat32, code, communicator, stream)
  }

  /** How the last call went on. @throws {TransportError} if it failed, or the link to another rank did. */
  state(communicator: number): NcclState {
    const state = new Int32Array(1)
    this.#calls.call('ncclCommGetAsyncError', communicator, state)
    if (state[0] === ncclValues.ncclInProgress) return 'working'
    if (state[0] === ncclValues.ncclSuccess) return 'done'
    throw this.#error('NCCL', state[0]!)
  }

  /** Ends a rank's part, whatever is under way on its GPU. The handle means nothing afterwards. */
  abort(communicator: number): void {
    // What it returns is of no use: there is nothing left to mend.
    this.#calls.function('ncclCommAbort')(communicator)
  }

  #start(name: keyof typeof ncclPrototypes, ...values: unknown[]): void {
    const code = this.#calls.function(name)(...values) as number
    if (code !== ncclValues.ncclSuccess && code !== ncclValues.ncclInProgress) throw this.#error(name, code)
  }

  #error(what: string, code: number): TransportError {
    const text = this.#library.func('const char *ncclGetErrorString(int code)')(code) as string
    const last = this.#library.func('const char *ncclGetLastError(uintptr_t communicator)')(0) as string
    return new TransportError(`${what} failed: ${[text, last].filter(Boolean).join('; ')}`, {
      remedy: 'Look at the first error of the workers; NCCL_DEBUG=INFO shows what NCCL does',
    })
  }
}

const declaredFor = new WeakSet<Koffi>()

/** Tells koffi, which keeps names of types, of the id that goes by value. */
function declareId(koffi: Koffi): void {
  if (declaredFor.has(koffi)) return
  declaredFor.add(koffi)
  koffi.struct('ncclUniqueId', { bytes: koffi.array('uint8_t', ncclValues.NCCL_UNIQUE_ID_BYTES) })
}
