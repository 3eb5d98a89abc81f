/**
 * MPI of this process, which can be started and ended once.
 *
 * Owns: start, the frames of all groups, the end with the process.
 * Leaves: what a group does with a frame to its transport, waiting to `MpiTurns`.
 * @module
 */

import { availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import { CallQueue, ConfigError, type ProcessPlace, StateError } from '../../core/index.js'
import { Mpi, type MpiRequest } from './calls.js'
import { decodeFrame, encodeFrame, FRAME_BYTES, type Frame } from './frame.js'
import type { MpiLibrary } from './library.js'
import { MpiTurns } from './turns.js'

/** MPI's tag of frames. The long messages have those above. */
const FRAME_TAG = 0
/** MPI promises 2^15 tags. */
const LONG_TAGS = 32_000
/** How long mpirun is given to read the last words of a process, in milliseconds. */
const READING_MS = 200
/** MPI counts in 32 bits. */
const PIECE_BYTES = 2 ** 30

/** What a frame is given to. */
export interface FrameReader {
  accept(frame: Frame, bytes: Uint8Array): void
  /** Leaves the group, at the end of the process. */
  leave(): void
}

/** Started MPI. */
export class MpiProcess {
  readonly mpi: Mpi
  readonly turns: MpiTurns
  readonly rank: number
  readonly worldSize: number
  /** Of all ranks, for frames, long messages and the arrival of all. */
  readonly #communicator: number
  readonly #groups = new Map<number, FrameReader>()
  /** Frames of groups that this process has yet to join. */
  readonly #early: { frame: Frame; bytes: Uint8Array }[] = []
  readonly #joins = new CallQueue()
  readonly #frame = new Uint8Array(FRAME_BYTES)
  #listening: MpiRequest | undefined
  /** How many long messages went to each rank. */
  readonly #sequences: Int32Array
  #joinCount = 0
  /** Last words of groups, under way. MPI must be done with them before it ends: a rank in its end helps no other. */
  readonly #farewells = new Set<MpiRequest>()
  #departure: MpiRequest | undefined
  #isLeaving = false
  #isOver = false

  /** @throws {ConfigError} if MPI sees another world than the launcher made. */
  constructor(library: MpiLibrary, place: ProcessPlace) {
    this.mpi = new Mpi(library)
    this.mpi.init()
    const { world } = this.mpi.handles
    this.rank = this.mpi.number('Comm_rank', world)
    this.worldSize = this.mpi.number('Comm_size', world)
    if (this.rank !== place.rank || this.worldSize !== place.worldSize) {
      this.mpi.call('Finalize')
      throw new ConfigError('The MPI library and the launcher of this process do not belong together.', {
        expected: `rank ${place.rank} of ${place.worldSize}, as the environment says`,
        received: `rank ${this.rank} of ${this.worldSize} from ${library.version} (${library.file})`,
        remedy: 'Start with the mpirun of that library, or name the file of the other in DCML_MPI',
      })
    }
    this.#communicator = this.mpi.duplicate(world)
    this.#sequences = new Int32Array(this.worldSize)
    this.turns = new MpiTurns(this.mpi, {
      sharesCores: (place.localSize ?? this.worldSize) > availableParallelism(),
      look: () => this.look(),
    })
    this.#listen()
    this.#endWithProcess()
  }

  /** Takes part in the next group of all ranks, once all have come. Every rank must join them in the same order. */
  join<T extends FrameReader>(
    check: () => void,
    create: (place: { number: number; communicator: number }) => T,
  ): Promise<T> {
    return this.#joins.run(async () => {
      if (this.#isLeaving) throw new StateError('MPI has ended with the work of this process.')
      await this.turns.request(this.arrive(this.#communicator), check)
      const number = this.#joinCount++
      const group = create({ number, communicator: this.mpi.duplicate(this.#communicator) })
      this.#groups.set(number, group)
      for (const { frame, bytes } of this.#early.splice(0)) this.#deliver(frame, bytes)
      return group
    })
  }

  /** Forgets a group. What still comes for it is dropped. */
  remove(number: number): void {
    this.#groups.delete(number)
  }

  /** Tells all ranks that this one has come; done when all have. */
  arrive(communicator: number): MpiRequest {
    return this.mpi.start('Ibarrier', [communicator])
  }

  /** Sends a frame. */
  post(to: number, frame: Omit<Frame, 'from'>, bytes?: Uint8Array): MpiRequest {
    const encoded = encodeFrame({ ...frame, from: this.rank }, bytes)
    return this.#transfer('Isend', encoded, { peer: to, tag: FRAME_TAG })
  }

  /** Sends a frame whose way nobody waits for until the process ends. */
  bidFarewell(to: number, frame: Omit<Frame, 'from'>, bytes?: Uint8Array): void {
    const request = this.post(to, frame, bytes)
    if (!this.mpi.isDone(request)) this.#farewells.add(request)
  }

  /** Number of the next long message to a rank. */
  nextSequence(to: number): number {
    const sequence = this.#sequences[to]!
    this.#sequences[to] = (sequence + 1) & 0x7fff_ffff
    return sequence
  }

  /** Moves a long message, announced by a frame, in as many pieces as it takes. */
  moveLong(direction: 'Isend' | 'Irecv', peer: number, sequence: number, bytes: Uint8Array): MpiRequest[] {
    const requests: MpiRequest[] = []
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      const piece = bytes.subarray(start, start + PIECE_BYTES)
      requests.push(this.#transfer(direction, piece, { peer, tag: 1 + (sequence % LONG_TAGS) }))
    }
    return requests
  }

  /** Takes in the frames that have come. Tells whether there was one. */
  look(): boolean {
    let hasCome = false
    while (this.#listening && this.mpi.isDone(this.#listening)) {
      hasCome = true
      const { frame, bytes } = decodeFrame(this.#frame)
      this.#listen()
      this.#deliver(frame, bytes)
    }
    return hasCome
  }

  #deliver(frame: Frame, bytes: Uint8Array): void {
    if (frame.group >= this.#joinCount) this.#early.push({ frame, bytes })
    else this.#groups.get(frame.group)?.accept(frame, bytes)
  }

  #listen(): void {
    this.#listening = this.#transfer('Irecv', this.#frame, { peer: this.mpi.library.abi.anySource, tag: FRAME_TAG })
  }

  #transfer(direction: 'Isend' | 'Irecv', bytes: Uint8Array, { peer, tag }: { peer: number; tag: number }) {
    const { uint8 } = this.mpi.handles
    return this.mpi.start(direction, [bytes, bytes.length, uint8, peer, tag, this.#communicator], bytes)
  }

  /** The processes of a job end together: MPI is finalized when all have come to their end, or aborted by one. */
  #endWithProcess(): void {
    let thrown: { error: unknown } | undefined
    process.on('uncaughtExceptionMonitor', (error) => {
      thrown = { error }
    })
    process.once('beforeExit', () => {
      if (this.#isOver) return
      void this.#depart()
    })
    process.on('exit', (code) => {
      if (this.#isOver) return
      if (code === 0 && !this.mpi.isAside) {
        this.#departAtOnce()
        return
      }
      if (thrown) {
        // Node prints it after this, when MPI has ended the process already.
        console.error(inspect(thrown.error))
        // What mpirun has not read when the job is aborted is lost.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READING_MS)
      }
      this.mpi.call('Abort', this.mpi.handles.world, code || 1)
    })
  }

  /** Ends MPI when all ranks have come to their end. */
  async #depart(): Promise<void> {
    const forEver = () => {}
    for (const request of this.#leave()) await this.turns.request(request, forEver)
    this.#departure ??= this.arrive(this.#communicator)
    await this.turns.request(this.#departure, forEver)
    this.#finalize()
  }

  /** The same without the event loop, which has ended. */
  #departAtOnce(): void {
    for (const request of this.#leave()) this.#wait(request)
    this.#departure ??= this.arrive(this.#communicator)
    this.#wait(this.#departure)
    this.#finalize()
  }

  #leave(): ReadonlySet<MpiRequest> {
    if (!this.#isLeaving) for (const group of this.#groups.values()) group.leave()
    this.#isLeaving = true
    return this.#farewells
  }

  #wait({ handle }: MpiRequest): void {
    this.mpi.call('Wait', handle, this.mpi.library.abi.ignoredStatus)
  }

  #finalize(): void {
    // What others said as they left is here by now.
    this.look()
    this.#isOver = true
    this.mpi.call('Cancel', this.#listening!.handle)
    this.#wait(this.#listening!)
    this.#listening = undefined
    this.mpi.call('Finalize')
  }
}

let started: { process: MpiProcess } | { failure: unknown } | undefined

/** MPI of this process, started at the first call, whether that succeeds or not. */
export function mpiProcess(library: MpiLibrary, place: ProcessPlace): MpiProcess {
  started ??= start(library, place)
  if ('failure' in started) throw started.failure
  return started.process
}

function start(library: MpiLibrary, place: ProcessPlace): NonNullable<typeof started> {
  try {
    return { process: new MpiProcess(library, place) }
  } catch (failure) {
    return { failure }
  }
}
