/** What the launcher and its agent on a host say to each other: one JSON object per line, on the agent's stdin and stdout. @module */

import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** From the launcher. When its end of the pipe closes, the agent ends all ranks, and itself. */
export type Order =
  /**
   * Asks where others can meet a rank of that host: under the name that they know it by, if that leads beyond its own
   * machine, and at a port that is free, as is the one above it. `towards`: one of the others.
   */
  | { kind: 'findRendezvous'; name: string; towards: string | undefined }
  | { kind: 'start'; rank: number; command: string[]; cwd: string; environment: Record<string, string> }
  /** Passes a signal on to one rank, or to all. */
  | { kind: 'signal'; signal: NodeJS.Signals; rank?: number }

/** Where rank 0 is met. */
export interface Rendezvous {
  host: string
  port: number
}

/** From the agent. */
export type Notice =
  | ({ kind: 'rendezvous' } & Rendezvous)
  | { kind: 'started'; rank: number; pid: number }
  | { kind: 'output'; rank: number; stream: 'stdout' | 'stderr'; text: string }
  | { kind: 'exit'; rank: number; code: number; why: string }

/** Sends one message. */
export function say(to: Writable, message: Order | Notice): void {
  if (to.writable) to.write(`${JSON.stringify(message)}\n`)
}

/** Hears messages until the other side closes. A line that is none, such as a greeting of a remote shell, is left out. */
export function hear<Message extends Order | Notice>(from: Readable, take: (message: Message) => void): Promise<void> {
  const lines = createInterface({ input: from })
  lines.on('line', (line) => {
    if (!line.startsWith('{"kind":')) return
    take(JSON.parse(line) as Message)
  })
  return new Promise((resolve) => lines.once('close', resolve))
}

/** Sends a signal to a process and all that it started. One that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    // Windows knows no process groups.
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
