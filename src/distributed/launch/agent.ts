/** The launcher's side of an agent. @module */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { deferred, TransportError } from '../../core/index.js'
import { hear, type Notice, type Order, type Rendezvous, say, signalGroup } from './agent-protocol.js'

/** Whom an agent tells what happens. */
export interface AgentEvents {
  output(rank: number, stream: 'stdout' | 'stderr', text: string): void
  exit(rank: number, code: number, why: string): void
}

/** Starts an agent, here or through a remote shell. The build puts its program beside this file. */
export class Agent {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #isLocal: boolean
  readonly #events: AgentEvents
  readonly #rendezvous = deferred<Rendezvous>()
  /** Ranks that run, and their processes on that host. */
  readonly #running = new Map<number, number | undefined>()
  readonly #ended: Promise<void>
  /** Why it is gone, once it is. */
  #lost: string | undefined

  /** @param host - Undefined for this machine. @param remoteShell - The command that is given host and command line. */
  constructor(host: string | undefined, remoteShell: readonly string[], events: AgentEvents) {
    this.#events = events
    this.#isLocal = host === undefined
    this.#name = host ?? 'this machine'
    const command = [process.execPath, fileURLToPath(new URL('./launch-agent.js', import.meta.url))]
    const [program, ...args] =
      host === undefined ? command : [...remoteShell, host, `exec ${command.map(quote).join(' ')}`]
    // Detached: a Ctrl-C in the terminal is for the launcher, which passes it on once.
    this.#process = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    this.#process.stdin!.on('error', () => {})
    this.#rendezvous.promise.catch(() => {})
    const failed = new Promise<void>((resolve) => {
      this.#process.once('error', (error) => {
        this.#lose(error.message)
        resolve()
      })
    })
    const heard = hear<Notice>(this.#process.stdout!, (notice) => this.#take(notice))
    this.#ended = Promise.race([failed, heard.then(() => this.#lose('its connection ended'))])
  }

  /** Whether it ended by itself: nothing can be started through it any more. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /**
   * Where others can meet a rank of that host.
   *
   * @param name - What they know it by. @param towards - One of them, undefined if all are on that host.
   * @throws {TransportError} if there is no agent.
   */
  findRendezvous(name: string, towards: string | undefined): Promise<Rendezvous> {
    this.#say({ kind: 'findRendezvous', name, towards })
    return this.#rendezvous.promise
  }

  start(order: Omit<Order & { kind: 'start' }, 'kind'>): void {
    if (this.#lost !== undefined) {
      const why = this.#lost
      queueMicrotask(() => this.#events.exit(order.rank, 1, why))
      return
    }
    this.#running.set(order.rank, undefined)
    this.#say({ kind: 'start', ...order })
  }

  signal(signal: NodeJS.Signals, rank?: number): void {
    this.#say({ kind: 'signal', signal, ...(rank === undefined ? {} : { rank }) })
  }

  /** Ends the ranks that still run, and the agent. */
  async close(): Promise<void> {
    this.#process.stdin!.end()
    await this.#ended
  }

  #say(order: Order): void {
    say(this.#process.stdin!, order)
  }

  #take(notice: Notice): void {
    switch (notice.kind) {
      case 'rendezvous':
        this.#rendezvous.resolve(notice)
        break
      case 'started':
        this.#running.set(notice.rank, notice.pid)
        break
      case 'output':
        this.#events.output(notice.rank, notice.stream, notice.text)
        break
      case 'exit':
        this.#running.delete(notice.rank)
        this.#events.exit(notice.rank, notice.code, notice.why)
        break
      default:
        notice satisfies never
    }
  }

  /** Without its agent no rank may go on; those of this machine can be reached even so. */
  #lose(why: string): void {
    this.#lost ??= `the agent on ${this.#name} is gone: ${why}`
    this.#rendezvous.reject(new TransportError(`There is no rendezvous: ${this.#lost}.`))
    for (const [rank, pid] of this.#running) {
      if (this.#isLocal && pid !== undefined) signalGroup(pid, 'SIGKILL')
      this.#events.exit(rank, 1, this.#lost)
    }
    this.#running.clear()
  }
}

/** One word for a POSIX shell. */
const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
