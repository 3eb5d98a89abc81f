/** The functions of MPI as JavaScript sees them: bound once, checked at every call. @module */

import { type NativeFunction, TransportError } from '../../core/index.js'
import type { Handles } from './abi.js'
import type { MpiLibrary } from './library.js'

/** C types of parameters; `handle` is a communicator, data type, operation or error handler. */
const prototypes = {
  Init_thread: 'void *, void *, int, void *',
  Finalize: '',
  Abort: 'handle, int',
  Error_string: 'int, void *, void *',
  Comm_rank: 'handle, void *',
  Comm_size: 'handle, void *',
  Comm_dup: 'handle, void *',
  Comm_free: 'void *',
  Comm_set_errhandler: 'handle, handle',
  Isend: 'void *, int, handle, int, int, handle, void *',
  Irecv: 'void *, int, handle, int, int, handle, void *',
  Ibarrier: 'handle, void *',
  Test: 'void *, void *, uintptr_t',
  Wait: 'void *, uintptr_t',
  Cancel: 'void *',
  Allreduce: 'void *, void *, int, handle, handle, handle',
  Reduce_scatter: 'void *, void *, void *, handle, handle, handle',
  Allgatherv: 'void *, int, handle, void *, void *, void *, handle, handle',
  Alltoall: 'void *, int, handle, void *, int, handle, handle',
  Alltoallv: 'void *, void *, void *, handle, void *, void *, void *, handle, handle',
  Bcast: 'void *, int, handle, int, handle',
} as const

/** Name of a function, without `MPI_`. */
export type MpiFunction = keyof typeof prototypes

/** An operation under way. It holds on to its memory, which MPI reads or writes meanwhile. */
export interface MpiRequest {
  readonly handle: BigUint64Array
  readonly memory: Uint8Array | undefined
}

const THREAD_MULTIPLE = 3

/** MPI of this process. */
export class Mpi {
  readonly handles: Handles
  readonly library: MpiLibrary
  readonly #functions = new Map<MpiFunction, NativeFunction>()
  readonly #number = new Int32Array(1)
  readonly #handle = new BigUint64Array(1)
  readonly #test: NativeFunction
  #mayRunAside = false
  #asideCount = 0

  constructor(library: MpiLibrary) {
    this.library = library
    this.handles = library.abi.handles(library.addressOf)
    this.#test = this.#function('Test')
  }

  /** Whether a function runs on another thread just now. */
  get isAside(): boolean {
    return this.#asideCount > 0
  }

  /** Whether `callAside` may be used. */
  get mayRunAside(): boolean {
    return this.#mayRunAside
  }

  /** Starts MPI. Takes some 20 to 300 milliseconds. */
  init(): void {
    this.call('Init_thread', null, null, THREAD_MULTIPLE, this.#number)
    this.#mayRunAside = this.#number[0] === THREAD_MULTIPLE && this.library.mayRunAside
    // Else MPI ends the process at the first error.
    this.call('Comm_set_errhandler', this.handles.world, this.handles.errorsReturn)
  }

  /** @throws {TransportError} if MPI reports an error. */
  call(name: MpiFunction, ...values: unknown[]): void {
    this.#check(name, this.#function(name)(...values) as number)
  }

  /**
   * Calls a function on another thread, so that the event loop goes on.
   *
   * @param memory - What it reads and writes, kept until it is done.
   */
  callAside(name: MpiFunction, values: unknown[], memory: unknown): Promise<void> {
    this.#asideCount++
    return new Promise((resolve, reject) => {
      this.#function(name).async(...values, (error: Error | null, code: number) => {
        this.#asideCount--
        try {
          if (error) throw error
          this.#check(name, code)
          resolve(void memory)
        } catch (failure) {
          reject(failure)
        }
      })
    })
  }

  /** Calls a function whose last parameter receives a number. */
  number(name: 'Comm_rank' | 'Comm_size', communicator: number): number {
    this.call(name, communicator, this.#number)
    return this.#number[0]!
  }

  /** A communicator of the same ranks, whose messages are apart from all others. Every rank must call it. */
  duplicate(communicator: number): number {
    this.#handle.fill(0n)
    this.call('Comm_dup', communicator, this.#handle)
    const isNumber = this.library.abi.handle === 'int'
    const copy = isNumber ? new Int32Array(this.#handle.buffer)[0]! : Number(this.#handle[0])
    this.call('Comm_set_errhandler', copy, this.handles.errorsReturn)
    return copy
  }

  /** Gives a communicator of `duplicate` back. */
  free(communicator: number): void {
    const isNumber = this.library.abi.handle === 'int'
    this.call('Comm_free', isNumber ? Int32Array.of(communicator) : BigUint64Array.of(BigInt(communicator)))
  }

  /** Starts a function whose last parameter is its request. */
  start(name: 'Isend' | 'Irecv' | 'Ibarrier', values: unknown[], memory?: Uint8Array): MpiRequest {
    const request = { handle: new BigUint64Array(1), memory }
    this.call(name, ...values, request.handle)
    return request
  }

  /** Whether a request is done. MPI makes progress in such calls alone. */
  isDone(request: MpiRequest): boolean {
    this.#check('Test', this.#test(request.handle, this.#number, this.library.abi.ignoredStatus) as number)
    return this.#number[0] !== 0
  }

  #function(name: MpiFunction): NativeFunction {
    let bound = this.#functions.get(name)
    if (!bound) {
      const { functions, abi } = this.library
      bound = functions.func(`int MPI_${name}(${prototypes[name].replaceAll('handle', abi.handle)})`)
      this.#functions.set(name, bound)
    }
    return bound
  }

  #check(name: MpiFunction, code: number): void {
    if (code === 0) return
    const text = Buffer.alloc(1024)
    this.#function('Error_string')(code, text, new Int32Array(1))
    throw new TransportError(`MPI_${name} failed: ${text.toString('latin1', 0, text.indexOf(0))}`)
  }
}
