import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dcml } from '../cli/run-cli.js'
import { Daemon } from '../fixtures/daemon.js'
import { freePort } from '../fixtures/free-port.js'
import { type Outcome, trainScript, weightsOf } from '../fixtures/run-group.js'

// It starts its children by its own name, and so wants all of it.
const sshd = '/usr/sbin/sshd'
const reason = existsSync(sshd) ? undefined : 'sshd is not here (openssh-server of Debian)'
if (reason) console.log(`Skipped: ${reason}`)

/** Two addresses of this machine, neither of which the launcher takes for its own. */
const hosts = ['127.0.0.2', '127.0.0.3']

describe.skipIf(reason)('dcml launch over ssh', () => {
  let folder: string
  let server: Daemon
  const path = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dcml-ssh-'))
    // Where it runs as root it wants a folder that the system makes at its start.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true })
    for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)])
    copyFileSync(path('user.pub'), path('authorized'))
    const port = await freePort()
    writeFileSync(
      path('sshd_config'),
      [
        ...hosts.map((host) => `ListenAddress ${host}`),
        `Port ${port}`,
        `HostKey ${path('host')}`,
        `AuthorizedKeysFile ${path('authorized')}`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        'PidFile none',
      ].join('\n'),
    )
    writeFileSync(
      path('config'),
      [
        `Port ${port}`,
        `IdentityFile ${path('user')}`,
        'IdentitiesOnly yes',
        `UserKnownHostsFile ${path('known')}`,
        'StrictHostKeyChecking accept-new',
        'BatchMode yes',
        'LogLevel ERROR',
        'Host first',
        `  HostName ${hosts[0]}`,
        'Host second',
        `  HostName ${hosts[1]}`,
      ].join('\n'),
    )
    server = new Daemon(sshd, ['-D', '-f', path('sshd_config')])
    await server.until(() => listens(port))
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const train = (...options: string[]) =>
    dcml('launch', '--rsh', `ssh -F ${path('config')}`, ...options, trainScript, JSON.stringify({ epochs: 2 }))

  function expectTrained({ exitCode, stdout, stderr }: Awaited<ReturnType<typeof train>>): void {
    expect(exitCode, stderr).toBe(0)
    const [zero, one] = stdout.trim().split('\n').toSorted()
    const outcomes = [zero!, one!].map((line) => JSON.parse(line.slice(4)) as Outcome)
    expect(outcomes.map(({ rank }) => rank)).toEqual([0, 1])
    expect(weightsOf(outcomes[1]!)).toEqual(weightsOf(outcomes[0]!))
  }

  it('trains on two hosts', async () => {
    expectTrained(await train('--hosts', hosts.map((host) => `${host}:1`).join()))
  })

  it('trains on hosts whose names are those of ssh alone, with the address of the first', async () => {
    expectTrained(await train('--hosts', 'first:1,second:1', '--master-addr', hosts[0]!))
  })

  it('says which host it cannot reach', async () => {
    rmSync(path('authorized'))
    const { exitCode, stderr } = await train('--hosts', 'first:1,second:1')
    copyFileSync(path('user.pub'), path('authorized'))
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/agent on first is gone/)
  })
})

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, hosts[0]!)
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}
