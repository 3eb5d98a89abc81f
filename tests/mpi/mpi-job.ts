/** Jobs of several processes under a real mpirun. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Transport, TransportError, type TransportOptions } from 'dcml'

/** An mpirun of this machine. */
export interface Launcher {
  name: string
  command: string
  options: string[]
  /** Why it cannot be used. */
  missing?: string
}

/** How a job of `runJob` runs. */
export interface JobOptions {
  launcher: Launcher
  worldSize: number
  environment?: NodeJS.ProcessEnv
}

export const launchers: Launcher[] = [
  // As many processes as asked for, on any number of cores; containers run as root.
  {
    name: 'Open MPI',
    command: 'mpirun.openmpi',
    options: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  },
  { name: 'MPICH', command: 'mpirun.mpich', options: [] },
].map((launcher) => ({ ...launcher, ...missing(launcher) }))

function missing({ name, command }: Launcher): { missing?: string } {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return {}
  } catch (error) {
    const reason = `${name} is not here: ${(error as Error).message}`
    console.log(`Skipped: ${reason}`)
    return { missing: reason }
  }
}

/** Runs the text of a module on every rank to its end. */
export async function runJob(
  module: string,
  { launcher, worldSize, environment = {} }: JobOptions,
): Promise<{ code: number | null; output: string }> {
  const script = [process.execPath, '--input-type=module', '--eval', module]
  const job = spawn(launcher.command, [...launcher.options, '-n', String(worldSize), ...script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [job.stdout, job.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(job, 'close')
  return { code, output }
}

/** A job whose ranks do what they are told. */
export class MpiJob {
  readonly #server: Server
  readonly #folder: string
  readonly #ranks: Socket[] = []
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #ended: Promise<unknown[]>
  #nextId = 0

  private constructor(process: ChildProcess, server: Server, folder: string) {
    this.#server = server
    this.#folder = folder
    this.#ended = once(process, 'exit')
  }

  static async start({ command, options }: Launcher, worldSize: number): Promise<MpiJob> {
    const folder = mkdtempSync(join(tmpdir(), 'dcml-mpi-'))
    const path = join(folder, 'socket')
    const server = createServer().listen(path)
    await once(server, 'listening')
    const script = fileURLToPath(new URL('../fixtures/mpi-rank.mjs', import.meta.url))
    const child = spawn(command, [...options, '-n', String(worldSize), process.execPath, script], {
      env: { ...process.env, DCML_TEST_SOCKET: path },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const job = new MpiJob(child, server, folder)
    const failed = job.#ended.then(([code]) => {
      throw new Error(`${command} ended with code ${code} before all ranks came`)
    })
    failed.catch(() => {})
    await Promise.race([job.#allCome(worldSize), failed])
    return job
  }

  call(rank: number, command: string, values: object = {}): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#ranks[rank]!.write(`${JSON.stringify({ id, command, values })}\n`)
    })
  }

  all(command: string, values: object = {}): Promise<unknown[]> {
    return Promise.all(this.#ranks.map((_, rank) => this.call(rank, command, values)))
  }

  /** The ends of a new group, driven from here. */
  async group(options: TransportOptions): Promise<Transport[]> {
    const places = (await this.all('join', options)) as { rank: number; worldSize: number }[]
    return places.map((place) => this.#remoteTransport(place))
  }

  /** Lets all ranks come to their end; resolves with the exit code of mpirun. */
  async end(): Promise<unknown> {
    for (const rank of this.#ranks) rank.end()
    const [code] = await this.#ended
    this.#server.close()
    rmSync(this.#folder, { recursive: true })
    return code
  }

  #allCome(worldSize: number): Promise<void> {
    return new Promise((resolve) => {
      this.#server.on('connection', (socket) => {
        createInterface({ input: socket }).on('line', (line) => {
          const { id, rank, result, error } = JSON.parse(line)
          if (id === undefined) {
            this.#ranks[rank] = socket
            if (Object.keys(this.#ranks).length === worldSize) resolve()
            return
          }
          const { resolve: give, reject } = this.#waiting.get(id)!
          this.#waiting.delete(id)
          if (error === undefined) give(result)
          else if (error.name === 'TransportError') reject(new TransportError(error.message, { rank: error.rank }))
          else reject(new Error(error.message))
        })
      })
    })
  }

  #remoteTransport({ rank, worldSize }: { rank: number; worldSize: number }): Transport {
    const call = (command: string, values?: object) => this.call(rank, command, values)
    return {
      rank,
      worldSize,
      send: (to, tag, bytes) =>
        call('send', { to, tag, bytes: Buffer.from(bytes).toString('base64') }) as Promise<void>,
      async receive(from, tag, into) {
        const text = (await call('receive', { from, tag, intoLength: into?.length })) as string
        const bytes = new Uint8Array(Buffer.from(text, 'base64'))
        if (!into) return bytes
        into.set(bytes)
        return into.subarray(0, bytes.length)
      },
      abort: (reason) => void call('abort', { reason }),
      close: () => call('close') as Promise<void>,
    }
  }
}
