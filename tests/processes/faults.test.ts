import { once } from 'node:events'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { dcml } from '../cli/run-cli.js'
import { freePort } from '../fixtures/free-port.js'
import { type Fault, type Outcome, runGroup, startGroup, trainScript, weightsOf } from '../fixtures/run-group.js'
import { testFolder } from '../fixtures/test-folder.js'

/** Epochs enough that no group is at its end when the fault comes. */
const long = { epochs: 1000 }

/** What a listener on loopback answers to some bytes, once it is there. */
async function answerOf(port: number, bytes: Uint8Array): Promise<string> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
    } catch {
      continue
    }
    socket.write(bytes)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return answer.toString()
  }
}

/** Every rank but those lost must say who was lost. */
function expectNamed(ranks: Outcome[], lost: number): void {
  for (const [rank, { error }] of ranks.entries()) {
    if (rank === lost) continue
    expect(error).toMatchObject({ message: expect.stringMatching(new RegExp(`\\b(Rank|Worker) ${lost}\\b`)) })
    expect(error!.code).toMatch(/^DCML_(WORKER|TRANSPORT)$/)
  }
}

describe('a group of processes that loses one', () => {
  it.each<[string, number, Fault]>([
    ['killed in mid all-reduce', 2, { rank: 1, how: 'SIGKILL', send: 30 }],
    ['killed in mid all-reduce', 4, { rank: 3, how: 'SIGKILL', send: 30 }],
    ['stopped in mid all-reduce', 3, { rank: 2, how: 'SIGSTOP', send: 30 }],
    ['that throws in mid all-reduce', 3, { rank: 1, how: 'exception', send: 30 }],
    ['killed while it leads', 3, { rank: 0, how: 'SIGKILL', send: 30 }],
    ['that throws at the rendezvous', 2, { rank: 1, how: 'exception', at: 'rendezvous' }],
    ['killed at the rendezvous', 2, { rank: 0, how: 'SIGKILL', at: 'rendezvous' }],
  ])('%s, of %i, ends with an error that names it', async (_name, worldSize, fault) => {
    // Only where it is what ends the wait: on a busy machine one may come seconds after the others.
    const options = fault.at === 'rendezvous' ? { joinTimeoutMs: 4000 } : {}
    const tcp = Object.fromEntries(Array.from({ length: worldSize }, (_, rank) => [rank, options]))
    expectNamed(await runGroup(worldSize, { ...long, tcp, faults: [fault] }), fault.rank)
  })

  it('refuses those that do not belong to it', async () => {
    const quick = { joinTimeoutMs: 8000 }
    const secrets = await runGroup(2, { tcp: { 0: quick, 1: { ...quick, secret: 'not what the others know' } } })
    expect(secrets[1]!.error).toMatchObject({ code: 'DCML_CONFIG', message: expect.stringMatching(/secret/) })
    expect(secrets[0]!.error).toMatchObject({ message: expect.stringMatching(/Rank 1 did not come/) })
    const twice = await runGroup(3, { tcp: { 0: quick, 1: quick, 2: quick } }, [{}, {}, { RANK: '1' }])
    // The rightful rank 1, which may have started before rank 0, may have given up before it.
    expect(twice[0]!.error).toMatchObject({ message: expect.stringMatching(/Ranks? (1, )?2 did not come/) })
    expect(twice.slice(1).map(({ error }) => error!.message)).toContainEqual(
      expect.stringMatching(/Another process has joined as rank 1/),
    )
  })

  it('refuses one that speaks another version, and goes on waiting', async () => {
    const port = await freePort()
    const { ranks } = await startGroup(2, { tcp: { 0: { joinTimeoutMs: 4000 } } }, [{ MASTER_PORT: `${port}` }])
    const hello = Buffer.from(JSON.stringify({ dcml: 7, purpose: 'join', from: 1, to: 0 }))
    const frame = Buffer.concat([Buffer.from(Uint32Array.of(hello.length, 2 ** 31).buffer), hello])
    expect(await answerOf(port, frame)).toMatch(/"reason":"version"/)
    expect((await ranks[0]!.outcome).error).toMatchObject({ message: expect.stringMatching(/Rank 1 did not come/) })
  })

  it('waits for one that was stopped for a while', async () => {
    const deterministic = { logicalShards: 2 }
    const [undisturbed] = await runGroup(1, { deterministic })
    const { ranks } = await startGroup(2, { deterministic, tells: true })
    const [zero, one] = ranks.map(({ process }) => process)
    let strikes = 0
    createInterface({ input: zero!.stdout! }).on('line', (line) => {
      if (!line.startsWith('step')) return
      strikes++
      one!.kill('SIGSTOP')
      setImmediate(() => one!.kill('SIGCONT'))
    })
    for (const outcome of await Promise.all(ranks.map((rank) => rank.outcome)))
      expect(weightsOf(outcome)).toEqual(weightsOf(undisturbed!))
    expect(strikes).toBeGreaterThan(50)
  })
})

describe('an elastic group of processes', () => {
  const deterministic = { logicalShards: 4 }
  const elastic = { min: 1, commitEverySteps: 7 }

  it.each<[string, Fault]>([
    ['killed', { rank: 1, how: 'SIGKILL', send: 60 }],
    ['stopped', { rank: 2, how: 'SIGSTOP', send: 60 }],
    ['ended by an exception', { rank: 2, how: 'exception', send: 60 }],
  ])('goes on without one that was %s, to the same bits', async (_name, fault) => {
    const [undisturbed] = await runGroup(1, { deterministic })
    const ranks = await runGroup(3, { deterministic, elastic, faults: [fault] })
    for (const [rank, outcome] of ranks.entries()) {
      if (rank === fault.rank) continue
      expect(weightsOf(outcome)).toEqual(weightsOf(undisturbed!))
      expect(outcome.history!.groups!.map(({ workers }) => workers)).toEqual([3, 2])
    }
    expect(ranks[0]!.losses).toEqual(undisturbed!.losses)
  })

  it('ends with the name of rank 0 when that is lost', async () => {
    const ranks = await runGroup(3, { deterministic, elastic, faults: [{ rank: 0, how: 'SIGKILL', send: 60 }] })
    expectNamed(ranks, 0)
  })
})

/** What the last generation of rank 0 said. */
function outcomeOf(stdout: string, rank = 0): Outcome {
  const lines = stdout.split('\n').filter((line) => line.startsWith(`[${rank}] {`))
  return JSON.parse(lines.at(-1)!.slice(4)) as Outcome
}

describe('dcml launch with a training', () => {
  it('trains', async () => {
    const { exitCode, stdout } = await dcml('launch', '-n', '2', trainScript, '{}')
    expect(exitCode).toBe(0)
    expect(weightsOf(outcomeOf(stdout, 1))).toEqual(weightsOf(outcomeOf(stdout)))
  })

  it('starts again from the checkpoint before one that was being written, and ends in the same bits', async () => {
    const deterministic = { logicalShards: 2 }
    const [undisturbed] = await runGroup(1, { deterministic })
    const faults: Fault[] = [{ rank: 0, how: 'SIGKILL', write: 4 }]
    const orders = { deterministic, checkpoints: testFolder(), resume: true, faults }
    const { exitCode, stdout } = await dcml('launch', '-n', '2', '--restarts', '1', trainScript, JSON.stringify(orders))
    expect(exitCode).toBe(0)
    const outcome = outcomeOf(stdout)
    expect(weightsOf(outcome)).toEqual(weightsOf(undisturbed!))
    expect(Number(Object.keys(outcome.losses!)[0])).toBeGreaterThan(20)
  })

  it.each([
    ['truncated', (file: string) => truncateSync(file, 1000)],
    [
      'with a flipped bit',
      (file: string) => {
        const bytes = readFileSync(file)
        bytes[bytes.length - 100]! ^= 4
        writeFileSync(file, bytes)
      },
    ],
  ])('passes over a checkpoint that is %s', async (_name, damage) => {
    const checkpoints = testFolder()
    const [half] = await runGroup(1, { epochs: 5, checkpoints })
    expect(half!.exitCode).toBe(0)
    const names = readdirSync(checkpoints)
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
    damage(join(checkpoints, names.at(-1)!))
    const [undisturbed] = await runGroup(1)
    const [resumed] = await runGroup(1, { checkpoints, resume: true })
    expect(weightsOf(resumed!)).toEqual(weightsOf(undisturbed!))
    expect(Number(Object.keys(resumed!.losses!)[0])).toBe(41)
  })
})
