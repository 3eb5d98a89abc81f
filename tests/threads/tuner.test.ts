import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asha, choice, grid, StorageError, Tuner, uniform } from 'dcml'
import { sqlite } from 'dcml/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-tuner-'))
})
afterAll(() => rm(folder, { recursive: true }))

const program = fileURLToPath(new URL('../fixtures/study-process.mjs', import.meta.url))
const objective = new URL('../fixtures/objective.mjs', import.meta.url)
const space = { x: uniform(-5, 5), y: uniform(-5, 5) }

function start(...values: (string | number)[]): { child: ChildProcess; ended: Promise<string[]> } {
  const child = spawn(process.execPath, [program, ...values.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout!.on('data', (text) => {
    output += text
  })
  child.stderr!.on('data', (text) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The process ended with ${code}: ${errors}`)
    return output.trim().split('\n').filter(Boolean)
  })
  return { child, ended }
}

/** The study as it stands, without a trial more. */
async function read(file: string) {
  return (await new Tuner({ space, storage: sqlite(file) }).run(() => 0, { trials: 1 })).trials
}

describe('sqlite', () => {
  it('lets two processes work one study, each trial run by one of them', async () => {
    const file = join(folder, 'two.sqlite')
    const [a, b] = await Promise.all([start(file, 60).ended, start(file, 60).ended])
    expect([...a, ...b].map(Number).sort((x, y) => x - y)).toEqual(Array.from({ length: 60 }, (_, i) => i))
    const trials = await read(file)
    expect(trials.map(({ number, state }) => `${number} ${state}`)).toEqual(
      Array.from({ length: 60 }, (_, i) => `${i} complete`),
    )
    for (const { params, values, reports } of trials) {
      const { x, y } = params as { x: number; y: number }
      expect(values).toEqual([(x - 1) ** 2 + y ** 2])
      expect(reports.map(({ step }) => step)).toEqual([1, 2, 3])
    }
  })

  it('loses to kill -9 only the trial under way, takes it up again, and goes on in the same sequence', async () => {
    const file = join(folder, 'killed.sqlite')
    const straight = start('memory', 30)
    const killed = start(file, 30, 17)
    expect(await killed.ended).toHaveLength(17)
    expect(killed.child.signalCode).toBe('SIGKILL')
    expect((await start(file, 30).ended).map(Number)).toEqual(Array.from({ length: 13 }, (_, i) => i + 17))
    const expected = JSON.parse((await straight.ended).at(-1)!)
    const trials = await read(file)
    expect(trials.map(({ params }) => params)).toEqual(expected)
    expect(trials[17]).toMatchObject({ attempt: 2, state: 'complete' })
    expect(trials[17]!.reports).toHaveLength(3)
  })

  it('gives a trial up that ends every process', async () => {
    const file = join(folder, 'deadly.sqlite')
    for (let i = 0; i < 3; i++) await start(file, 4, 2).ended
    expect((await start(file, 4, 2).ended).map(Number)).toEqual([3])
    const trials = await read(file)
    expect(trials[2]).toMatchObject({ state: 'failed', error: { code: 'DCML_WORKER' } })
  })

  it('takes up a trial whose process is silent for too long, though it lives', async () => {
    const file = join(folder, 'silent.sqlite')
    const storage = sqlite(file, { leaseMs: 1 })
    const description = { name: 'study', directions: ['minimize'] as const, space: {} }
    const silent = await storage.open(description)
    expect((await silent.begin(5))!.number).toBe(0)
    await silent.describe(0, { x: 1 })
    const other = await storage.open(description)
    // One of the two begins trials until the lease of the first is over.
    let taken = await other.begin(1)
    while (!taken) taken = await other.begin(1)
    expect(taken).toMatchObject({ number: 0, attempt: 2, params: { x: 1 } })
    // The first must not disturb it: what it tells and gives after all does not count any more.
    await expect(silent.report(0, 1, 5)).rejects.toThrow(/another process took it up/)
    await silent.describe(0, { x: 2 })
    await silent.release(0)
    await silent.finish(0, { state: 'complete', values: [3] })
    expect((await other.trials())[0]).toMatchObject({ state: 'running', params: { x: 1 }, reports: [] })
    await other.finish(0, { state: 'complete', values: [1] })
    await silent.finish(0, { state: 'complete', values: [2] })
    expect((await silent.trials())[0]).toMatchObject({ values: [1] })
    await silent.close()
    await other.close()
  })

  it('keeps several studies in one file, with errors and notes', async () => {
    const storage = sqlite(join(folder, 'several.sqlite'))
    const failing = () => {
      throw new RangeError('no')
    }
    await new Tuner({ space, storage, name: 'a' }).run(failing, { trials: 2 })
    const b = await new Tuner({ space: { kind: choice(['p', 'q']) }, sampler: grid(), storage, name: 'b' }).run(() => 1)
    expect(b.trials.map(({ params }) => params!.kind)).toEqual(['p', 'q'])
    const a = await new Tuner({ space, storage, name: 'a' }).run(failing, { trials: 2 })
    expect(a.trials[1]!.error).toMatchObject({ name: 'RangeError', message: 'no' })
    await expect(new Tuner({ space, storage, name: 'b' }).run(() => 1)).rejects.toThrow(/other parameters/)
  })

  it('says what is wrong with a file', async () => {
    const noDatabase = join(folder, 'text.sqlite')
    await writeFile(noDatabase, 'This is no database at all, but it is long enough to look at. '.repeat(20))
    for (const file of [noDatabase, join(folder, 'missing', 'x.sqlite')]) {
      const failure = await new Tuner({ space, storage: sqlite(file) }).run(() => 1, { trials: 1 }).catch((e) => e)
      expect(failure).toBeInstanceOf(StorageError)
      expect(failure.message).toContain(file)
    }
  })
})

describe('an objective in threads', () => {
  const inThreads = (kinds: string[], options: { concurrency?: number; signal?: AbortSignal } = {}) =>
    new Tuner({
      space: { what: choice(kinds), x: uniform(0, 1) },
      sampler: grid({ points: 4 }),
      scheduler: asha(),
    }).run(objective, { trials: 4 * kinds.length, ...options })

  it('runs trials side by side, each thread one after the other', async () => {
    const { trials } = await inThreads(['go'], { concurrency: 2 })
    expect(trials.every(({ state }) => state === 'complete')).toBe(true)
    expect(new Set(trials.map(({ values }) => values![0])).size).toBe(2)
  })

  it('brings reports, prunes, and records what the objective throws', async () => {
    const { trials } = await inThreads(['report', 'throw', 'nothing'])
    const of = (what: string) => trials.filter(({ params }) => params!.what === what)
    expect(of('report').map(({ state }) => state)).toContain('pruned')
    expect(of('report')[0]).toMatchObject({ state: 'complete', reports: { length: 4 } })
    for (const { error } of of('throw')) expect(error).toMatchObject({ name: 'RangeError' })
    for (const { error } of of('nothing')) expect(error).toMatchObject({ code: 'DCML_NUMERIC' })
  })

  it('gives verdicts to the trial that reported, also when it does not wait for them', async () => {
    const { trials } = await inThreads(['hurry'])
    expect(trials.map(({ state }) => state)).toEqual(['complete', 'pruned', 'pruned', 'pruned'])
    for (const { reports } of trials) expect(reports.map(({ step }) => step)).toEqual([1, 2])
  })

  it('replaces a thread that ended', async () => {
    const { trials } = await inThreads(['exit', 'go'])
    for (const { params, state, error } of trials)
      if (params!.what === 'go') expect(state).toBe('complete')
      else expect(error).toMatchObject({ code: 'DCML_WORKER', message: expect.stringMatching(/exit code 7/) })
  })

  it('is told to stop', async () => {
    const controller = new AbortController()
    const running = inThreads(['wait'], { concurrency: 2, signal: controller.signal })
    setImmediate(() => controller.abort())
    const result = await running
    expect(result.stopReason).toBe('aborted')
    for (const { state } of result.trials) expect(state).toBe('waiting')
  })

  it('tells of a module that is not there, or exports no objective', async () => {
    const run = (file: string) =>
      new Tuner({ space }).run(new URL(file, import.meta.url), { trials: 1 }).then(({ trials }) => trials[0]!.error!)
    expect((await run('../fixtures/absent.mjs')).message).toMatch(/absent\.mjs/)
    expect((await run('../fixtures/setup.mjs')).message).toMatch(/does not export it.*export default/)
  })
})
