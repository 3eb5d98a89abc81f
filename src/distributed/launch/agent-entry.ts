/**
 * The launcher's hand on one host: a process that starts ranks and sees to it that none outlives the launcher.
 *
 * Everything secret comes through stdin. Each rank leads a process group, so that what it starts ends with it.
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import { hear, type Notice, type Order, say, signalGroup } from './agent-protocol.js'
import { reachableHost } from './reachable-host.js'

/** How long ranks may take to end once the launcher is gone. */
const GRACE_MS = 3000

const ranks = new Map<number, ChildProcess>()
const tell = (notice: Notice) => say(process.stdout, notice)

// Nobody reads any more: the end of stdin, which comes with it, ends the ranks.
process.stdout.on('error', () => {})

await hear<Order>(process.stdin, (order) => {
  switch (order.kind) {
    case 'findRendezvous':
      Promise.all([reachableHost(order), findPort()]).then(([host, port]) => tell({ kind: 'rendezvous', host, port }))
      break
    case 'start':
      start(order)
      break
    case 'signal':
      for (const [rank, { pid }] of ranks)
        if ((order.rank ?? rank) === rank && pid !== undefined) signalGroup(pid, order.signal)
      break
    default:
      order satisfies never
  }
})
await endAll()
process.exit()

function start({ rank, command, cwd, environment }: Order & { kind: 'start' }): void {
  const [program, ...args] = command
  const child = spawn(program!, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  ranks.set(rank, child)
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => tell({ kind: 'output', rank, stream, text }))
  child.once('spawn', () => tell({ kind: 'started', rank, pid: child.pid! }))
  child.once('error', (error) => tell({ kind: 'exit', rank, code: 127, why: error.message }))
  child.once('exit', () => {
    ranks.delete(rank)
    signalGroup(child.pid!, 'SIGKILL')
  })
  // When its output is read to the end.
  child.once('close', (code, signal) => {
    if (child.pid === undefined) return
    if (signal) tell({ kind: 'exit', rank, code: 128 + constants.signals[signal], why: signal })
    else tell({ kind: 'exit', rank, code: code ?? 1, why: `exit code ${code}` })
  })
}

async function endAll(): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const exits = [...ranks.values()].map((child) => once(child, 'exit'))
    for (const { pid } of ranks.values()) if (pid !== undefined) signalGroup(pid, signal)
    const grace = new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())
    await Promise.race([Promise.all(exits), grace])
  }
}

/**
 * A port that is free, and the one above it too, which an elastic training uses. Both below those that systems give to
 * outgoing connections: such a connection would take a port that is not listened at all the time.
 */
async function findPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + 2 * randomInt(6000)
    const servers = [port, port + 1].map((wanted) => createServer().listen(wanted))
    const results = await Promise.allSettled(servers.map((server) => once(server, 'listening')))
    for (const server of servers) server.close()
    if (results.every(({ status }) => status === 'fulfilled')) return port
  }
}
