/** MPI across two machines, as far as the network, host names and the remote shell go. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TwoMachines } from '../fixtures/namespaces.js'
import { type Launcher, launchers, runJob } from './mpi-job.js'

const remoteShell = fileURLToPath(new URL('../fixtures/on-machine.sh', import.meta.url))
const reason = TwoMachines.whyNot() ?? ownNamesRefused()
if (reason) console.log(`Skipped: MPI across two machines. ${reason}`)

function ownNamesRefused(): string | undefined {
  try {
    execFileSync('unshare', ['--uts', '--mount', 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `host names of their own are refused: ${(error as Error).message}`
  }
}

const module = `
  import { hostname } from 'node:os'
  import { mpi } from 'dcml/node'
  const transport = await mpi().join()
  const { rank, worldSize, native } = transport
  const sum = new Float32Array(1_000_000).fill(rank + 1)
  await native.allReduce(sum)
  const to = (rank + 1) % worldSize
  const from = (rank + worldSize - 1) % worldSize
  const message = new Uint8Array(3_000_000).fill(rank)
  const [received] = await Promise.all([transport.receive(from, 1), transport.send(to, 1, message)])
  console.log([hostname(), sum.every((value) => value === 10), received.length, received.every((byte) => byte === from)].join(' '))
`

describe.skipIf(reason)('four processes on two machines', () => {
  let machines: TwoMachines
  let folder: string
  let environment: NodeJS.ProcessEnv

  beforeAll(() => {
    machines = new TwoMachines('dcml-mpi')
    folder = mkdtempSync(join(tmpdir(), 'dcml-mpi-'))
    const hosts = machines.names.map((name, i) => `${machines.addresses[i]} ${name}`)
    writeFileSync(join(folder, 'hosts'), `${['127.0.0.1 localhost', ...hosts].join('\n')}\n`)
    // MPICH would see through to the one memory of both.
    environment = { HOSTS_FILE: join(folder, 'hosts'), UCX_TLS: 'tcp,self' }
  })
  afterAll(() => {
    machines.remove()
    rmSync(folder, { recursive: true })
  })

  const across: Record<string, (names: readonly string[]) => string[]> = {
    'Open MPI': (names) => ['--mca', 'plm_rsh_agent', remoteShell, '--host', names.map((name) => `${name}:2`).join()],
    MPICH: (names) => ['-launcher', 'ssh', '-launcher-exec', remoteShell, '-hosts', names.join(), '-ppn', '2'],
  }

  it.each(launchers)('reach each other under $name', async (launcher) => {
    if (launcher.missing) return
    const options = [...launcher.options, ...across[launcher.name]!(machines.names)]
    const onFirst: Launcher = {
      name: launcher.name,
      command: remoteShell,
      options: ['--exec', machines.names[0], launcher.command, ...options],
    }
    const { code, output } = await runJob(module, { launcher: onFirst, worldSize: 4, environment })
    expect(code, output).toBe(0)
    const lines = output.trim().split('\n').toSorted()
    expect(lines).toEqual(machines.names.flatMap((name) => Array(2).fill(`${name} true 3000000 true`)))
  })
})
