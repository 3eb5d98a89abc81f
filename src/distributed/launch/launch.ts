/**
 * Starts the processes of a training, on this machine or on several.
 *
 * Owns: who gets which rank, what happens when one ends, restarts, the output of all.
 * Leaves: processes to an agent on each host; what they say to each other to the transport.
 * @module
 */

import { randomBytes } from 'node:crypto'
import { constants, hostname } from 'node:os'
import { resolve } from 'node:path'
import { type Deferred, deferred, withDefaults } from '../../core/index.js'
import { Agent } from './agent.js'
import type { Rendezvous } from './agent-protocol.js'
import { type HostRanks, placeRanks } from './hosts.js'
import { LineWriter } from './line-writer.js'

/** Options of `launch`. */
export interface LaunchOptions {
  /** Number of processes. @default as many as the hosts have slots */
  processes?: number
  /** Hosts and how many processes each may run: `a:2,b:2`. @default this machine */
  hosts?: string
  /** How many times processes that failed are started again, in all. @default 0 */
  restarts?: number
  /**
   * The training goes on without a process that failed: a restart is of that one alone, unless it is rank 0. For
   * scripts with the option `elastic` of their strategy.
   * @default false
   */
  elastic?: boolean
  /** Command that runs a command line on a host. @default ssh, which notices within 15 seconds that a host is gone */
  remoteShell?: string
  /**
   * Where the others find rank 0, and it listens.
   * @default 127.0.0.1 on this machine alone, else the name of its host; its address on the way to the next host where
   * that name leads back to itself there
   */
  masterAddress?: string
  /** @default a free one */
  masterPort?: number
  /** Time that a process has between SIGTERM and SIGKILL, in milliseconds. @default 10,000 */
  graceMs?: number
  /** Takes lines of output, with their rank in front. @default the streams of this process */
  write?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Its abort reason, a signal's name, is passed on to all processes: 'SIGINT', 'SIGTERM'. */
  signal?: AbortSignal
}

/**
 * Runs a script in several processes, each with its place in the environment: RANK, WORLD_SIZE, LOCAL_RANK,
 * LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, DCML_SECRET and DCML_GENERATION.
 *
 * When one fails the others are ended. No process outlives the launcher, even if that is killed.
 *
 * @returns 0, or the exit code of the first that failed: 128 and the number of the signal, if it was one.
 * @throws {ConfigError} if hosts or numbers make no sense. @throws {TransportError} if a host cannot be reached.
 * @example
 * process.exitCode = await launch('train.mjs', ['--epochs', '5'], { processes: 4 })
 */
export async function launch(script: string, args: readonly string[], options: LaunchOptions = {}): Promise<number> {
  const complete = withDefaults('launch', options, {
    processes: undefined,
    hosts: undefined,
    restarts: 0,
    elastic: false,
    remoteShell: DEFAULT_SHELL,
    masterAddress: undefined,
    masterPort: undefined,
    graceMs: 10_000,
    write: undefined,
    signal: undefined,
  })
  return new Launcher([process.execPath, resolve(script), ...args], complete).run()
}

/** Asks no questions, and ends when the host does not answer within 15 seconds, or is silent for so long. */
const DEFAULT_SHELL = 'ssh -T -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=5 -o ServerAliveCountMax=3'

/** How long after one process others may be heard of that ended for the same reason, in milliseconds. */
const SETTLING_MS = 1000

/** The options, complete. */
type LaunchSettings = LaunchOptions & Required<Pick<LaunchOptions, 'restarts' | 'elastic' | 'remoteShell' | 'graceMs'>>

class Launcher {
  readonly #command: string[]
  readonly #options: LaunchSettings
  readonly #hosts: HostRanks[]
  readonly #agents: Agent[]
  readonly #output: LineWriter
  readonly #secret = process.env.DCML_SECRET || randomBytes(32).toString('hex')
  readonly #size: number
  #address = ''
  #port = 0
  #restartsLeft: number
  #generation = 0
  #running = new Set<number>()
  /** What the first failure, or the end of all, makes of this generation. */
  #verdict: Deferred<number> = deferred()
  #allEnded: Deferred<void> = deferred()
  #isEnding = false

  constructor(command: string[], options: LaunchSettings) {
    const { processes, hosts, restarts } = options
    this.#command = command
    this.#options = options
    this.#hosts = placeRanks(processes, hosts)
    this.#size = this.#hosts.reduce((sum, { count }) => sum + count, 0)
    this.#restartsLeft = restarts
    this.#output = new LineWriter(options.write ?? ((line, stream) => void process[stream].write(`${line}\n`)))
    this.#agents = this.#hosts.map(({ host }) => this.#newAgent(host))
  }

  async run(): Promise<number> {
    const { signal, masterAddress, masterPort } = this.#options
    const passOn = () => this.#passOn(signal!.reason as NodeJS.Signals)
    try {
      const found = await this.#findRendezvous()
      this.#address = masterAddress ?? found.host
      this.#port = masterPort ?? found.port
      if (signal?.aborted) return 128 + constants.signals[signal.reason as NodeJS.Signals]
      signal?.addEventListener('abort', passOn)
      for (;;) {
        const code = await this.#runGeneration()
        if (code === 0 || this.#restartsLeft === 0 || signal?.aborted) return code
        this.#restartsLeft--
        this.#generation++
        this.#replaceLostAgents()
        this.#say(`starting all ${this.#size} processes again`)
      }
    } finally {
      signal?.removeEventListener('abort', passOn)
      await Promise.all(this.#agents.map((agent) => agent.close()))
      this.#output.flush()
    }
  }

  #newAgent(host: string | undefined): Agent {
    const { remoteShell } = this.#options
    return new Agent(host, remoteShell.split(/\s+/).filter(Boolean), {
      output: (rank, stream, text) => this.#output.take(rank, stream, text),
      exit: (rank, code, why) => this.#onExit(rank, code, why),
    })
  }

  /** A host that was cut off for a while can be reached again. */
  #replaceLostAgents(): void {
    for (const [at, agent] of this.#agents.entries())
      if (agent.isLost) this.#agents[at] = this.#newAgent(this.#hosts[at]!.host)
  }

  #findRendezvous(): Promise<Rendezvous> {
    const [first, second] = this.#hosts as [HostRanks, HostRanks?]
    if (!second) return this.#agents[0]!.findRendezvous(first.host ?? '127.0.0.1', undefined)
    return this.#agents[0]!.findRendezvous(first.host ?? hostname(), second.host ?? hostname())
  }

  /** All processes, from their start to the end of the last. */
  async #runGeneration(): Promise<number> {
    this.#verdict = deferred()
    this.#allEnded = deferred()
    for (let rank = 0; rank < this.#size; rank++) this.#start(rank)
    const code = await this.#verdict.promise
    await this.#end()
    return code
  }

  #start(rank: number): void {
    this.#running.add(rank)
    const at = this.#hosts.findIndex(({ first, count }) => rank < first + count)
    const { first, count } = this.#hosts[at]!
    this.#agents[at]!.start({
      rank,
      command: this.#command,
      cwd: process.cwd(),
      environment: {
        ...(Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DCML_'))) as Record<
          string,
          string
        >),
        RANK: String(rank),
        WORLD_SIZE: String(this.#size),
        LOCAL_RANK: String(rank - first),
        LOCAL_WORLD_SIZE: String(count),
        MASTER_ADDR: this.#address,
        MASTER_PORT: String(this.#port),
        DCML_SECRET: this.#secret,
        DCML_GENERATION: String(this.#generation),
      },
    })
  }

  #onExit(rank: number, code: number, why: string): void {
    this.#running.delete(rank)
    const { elastic, signal } = this.#options
    // Those that are ended for the failure of another, or by the signal that was passed on, have not failed.
    const isTold = this.#isEnding || why === signal?.reason
    if (code !== 0 && !isTold) this.#say(`rank ${rank} failed: ${why}`)
    if (elastic && rank > 0) {
      // The others go on without it, and take it back when it returns.
      if (code !== 0) this.#bringBack(rank)
    } else if (code !== 0) this.#verdict.resolve(code)
    else if (elastic || this.#running.size === 0) this.#verdict.resolve(0)
    if (this.#running.size === 0) this.#allEnded.resolve()
  }

  /** Starts one rank again, unless rank 0 turns out to have failed: those that it takes along may be heard of first. */
  #bringBack(rank: number): void {
    const generation = this.#generation
    const again = () => {
      const isWanted = this.#running.has(0) && !this.#isEnding && generation === this.#generation
      if (!isWanted || this.#options.signal?.aborted || this.#restartsLeft === 0) return
      this.#restartsLeft--
      this.#say(`starting rank ${rank} again`)
      this.#replaceLostAgents()
      this.#start(rank)
    }
    setTimeout(again, SETTLING_MS).unref()
  }

  /** Ends those that still run: asks first, and forces those that do not listen. */
  async #end(): Promise<void> {
    if (this.#running.size === 0) return
    this.#isEnding = true
    const { graceMs } = this.#options
    this.#signalAll('SIGTERM')
    const timer = setTimeout(() => this.#signalAll('SIGKILL'), graceMs)
    await this.#allEnded.promise
    clearTimeout(timer)
    this.#isEnding = false
  }

  #passOn(signal: NodeJS.Signals): void {
    this.#signalAll(signal)
    const { graceMs } = this.#options
    const timer = setTimeout(() => this.#signalAll('SIGKILL'), graceMs)
    this.#allEnded.promise.then(() => clearTimeout(timer))
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const agent of this.#agents) agent.signal(signal)
  }

  #say(text: string): void {
    this.#output.line(`dcml launch: ${text}`, 'stderr')
  }
}
