import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from 'dcml/node'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../fixtures/test-folder.js'
import { dcml } from './run-cli.js'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const script = fileURLToPath(new URL('../fixtures/rank.mjs', import.meta.url))
const remoteShell = fileURLToPath(new URL('../fixtures/remote-shell.sh', import.meta.url))

/** Starts the command and lets it run. */
function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [cli, 'launch', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Resolves with what was printed once it matches as often as asked. */
async function printed({ stdout }: ChildProcess, pattern: RegExp, times: number): Promise<RegExpMatchArray[]> {
  let text = ''
  for await (const chunk of stdout!.setEncoding('utf8')) {
    text += chunk
    const matches = [...text.matchAll(pattern)]
    if (matches.length >= times) return matches
  }
  throw new Error(`ended without ${pattern}: ${text}`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const gone = (pids: number[]) => expect.poll(() => pids.filter(isAlive), { timeout: 20_000 }).toEqual([])

describe('dcml launch', () => {
  it('gives every process its place and its arguments, and says whose line it is', async () => {
    const { exitCode, stdout } = await dcml('launch', '-n', '2', script, 'place', '-n', '9', '--hosts')
    expect(exitCode).toBe(0)
    const lines = stdout.trim().split('\n').sort()
    expect(lines).toHaveLength(2)
    const places = lines.map((line, rank) => {
      expect(line.slice(0, 4)).toBe(`[${rank}] `)
      return JSON.parse(line.slice(4))
    })
    const { MASTER_PORT } = places[0]
    expect(Number(MASTER_PORT)).toBeGreaterThan(1023)
    const both = { WORLD_SIZE: '2', LOCAL_WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT, DCML_GENERATION: '0' }
    const args = ['-n', '9', '--hosts']
    expect(places).toEqual([0, 1].map((rank) => ({ ...both, RANK: `${rank}`, LOCAL_RANK: `${rank}`, args })))
  })

  it('starts the ranks of other hosts through a remote shell, with the secret on no command line', async () => {
    const hosts = ['--hosts', 'first:2,second:1', '--rsh', remoteShell, '--master-addr', '127.0.0.1']
    const { exitCode, stdout } = await dcml('launch', ...hosts, script, 'place')
    expect(exitCode).toBe(0)
    const places = stdout
      .trim()
      .split('\n')
      .sort()
      .map((line) => JSON.parse(line.slice(4)))
    expect(places.map(({ RANK, LOCAL_RANK, LOCAL_WORLD_SIZE }) => [RANK, LOCAL_RANK, LOCAL_WORLD_SIZE])).toEqual([
      ['0', '0', '2'],
      ['1', '1', '2'],
      ['2', '0', '1'],
    ])
    expect((await dcml('launch', ...hosts, script, 'secret')).stdout.match(/64 characters, hidden/g)).toHaveLength(3)
  })

  it('ends the others when one fails, with its exit code', async () => {
    const { exitCode, stderr } = await dcml('launch', '-n', '3', script, 'fail')
    expect(exitCode).toBe(7)
    expect(stderr).toBe('dcml launch: rank 1 failed: exit code 7\n')
  })

  it('kills what does not end, and what that has started', async () => {
    const launcher = start('-n', '2', '--grace', '0', script, 'stubborn')
    const pids = (await printed(launcher, /pids (\d+) (\d+)/g, 2)).flatMap(([, ...pids]) => pids.map(Number))
    launcher.kill('SIGTERM')
    expect(await once(launcher, 'exit')).toEqual([137, null])
    await gone(pids)
  })

  it('leaves nobody behind when it is killed itself', async () => {
    const launcher = start(
      '--hosts',
      'localhost:1,other:1',
      '--rsh',
      remoteShell,
      '--master-addr',
      '::1',
      script,
      'stubborn',
    )
    const pids = (await printed(launcher, /pids (\d+) (\d+)/g, 2)).flatMap(([, ...pids]) => pids.map(Number))
    launcher.kill('SIGKILL')
    await gone(pids)
  })

  it('passes signals on, and ends as the processes do', async () => {
    const launcher = start('-n', '2', script, 'signals')
    await printed(launcher, /ready/g, 2)
    launcher.kill('SIGINT')
    expect(await once(launcher, 'exit')).toEqual([0, null])
  })

  it('calls no rank failed that ends by the signal that was passed on', async () => {
    const user = new AbortController()
    const lines: string[] = []
    const write = (line: string) => {
      if (lines.push(line) === 2) user.abort('SIGTERM')
    }
    expect(await launch(script, ['signals'], { processes: 2, signal: user.signal, write })).toBe(143)
    expect(lines.toSorted()).toEqual(['[0] ready', '[1] ready'])
  })

  it('starts all again after a failure, as often as told', async () => {
    const once = await dcml('launch', '-n', '2', '--restarts', '1', script, 'failOnce')
    expect(once).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('starting all 2 processes again') })
    expect(once.stdout.match(/generation 1/g)).toHaveLength(2)
    expect(await dcml('launch', '-n', '2', '--restarts', '1', script, 'fail')).toMatchObject({ exitCode: 7 })
  })

  it('starts again through a new agent where the old one was lost', async () => {
    const { exitCode, stdout, stderr } = await dcml('launch', '-n', '1', '--restarts', '1', script, 'loseAgent')
    expect(stderr).toMatch(/agent on this machine is gone/)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '[0] generation 1\n' })
  })

  it('starts nothing when it was told to end before', async () => {
    const lines: string[] = []
    const options = { processes: 1, signal: AbortSignal.abort('SIGINT'), write: (line: string) => lines.push(line) }
    expect({ exitCode: await launch(script, ['place'], options), lines }).toEqual({ exitCode: 130, lines: [] })
  })

  it('starts a rank alone again when the training is elastic', async () => {
    const mark = join(testFolder(), 'mark')
    const { exitCode, stderr } = await dcml(
      'launch',
      '-n',
      '3',
      '--elastic',
      '--restarts',
      '2',
      script,
      'elastic',
      mark,
    )
    expect(stderr).toBe('dcml launch: rank 1 failed: exit code 7\ndcml launch: starting rank 1 again\n')
    expect(exitCode).toBe(0)
  })

  it('says in one line what is wrong', async () => {
    for (const [args, complaint] of [
      [[], /how many processes/],
      [['-n', '5', '--hosts', 'a:2,b:2'], /too few slots.*Expected 5.*received 4/],
      [['--hosts', '-oProxyCommand=x'], /cannot be read/],
      [['--hosts', 'a:1', '--rsh', 'false'], /agent on a is gone/],
      [['-n', 'many'], /Expected a whole number/],
    ] as const) {
      const { exitCode, stderr } = await dcml('launch', ...args, script, 'place')
      expect(exitCode).toBe(2)
      expect(stderr).toMatch(complaint)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })
})
