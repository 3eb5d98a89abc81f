import { describe, expect, it } from 'vitest'
import { ConfigError, deferred, StateError } from '../../../src/core/index.js'
import {
  asha,
  choice,
  cmaEs,
  hyperband,
  intUniform,
  median,
  memoryStudies,
  nsga2,
  type Objective,
  type ParamsOf,
  population,
  quasiRandom,
  random,
  type SchedulerContext,
  type TrialRecord,
  type TuneOptions,
  Tuner,
  tpe,
  tuningProgress,
  uniform,
} from '../../../src/tuning/index.js'

const space = { x: uniform(-1, 1), y: intUniform(0, 9) }
type Values = ParamsOf<typeof space>
const parabola = ({ params: { x, y } }: { params: Values }) => x ** 2 + y

describe('Tuner', () => {
  it('finds the best, and tells of all trials', async () => {
    const best = await new Tuner({ space, sampler: tpe({ seed: 1 }) }).run(parabola, { trials: 40 })
    expect(best.trials.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(best.value).toBe(Math.min(...best.trials.map(({ values }) => values![0]!)))
    expect(best.params.x ** 2 + best.params.y).toBe(best.value)
    expect(best.value).toBeLessThan(0.5)
    const most = await new Tuner({ space, direction: 'maximize' }).run(parabola, { trials: 40 })
    expect(most.value).toBe(Math.max(...most.trials.map(({ values }) => values![0]!)))
  })

  it('records failures with their error, and goes on', async () => {
    const best = await new Tuner({ space, sampler: random() }).run(
      (trial) => {
        if (trial.number % 3 === 0) throw new RangeError(`no ${trial.number}`)
        return trial.number % 3 === 1 ? Number.NaN : trial.number
      },
      { trials: 9 },
    )
    expect(best.trials.map(({ state }) => state)).toEqual(
      Array.from({ length: 9 }, (_, i) => (i % 3 === 2 ? 'complete' : 'failed')),
    )
    expect(best.trials[3]!.error).toMatchObject({ name: 'RangeError', message: 'no 3' })
    expect(best.trials[4]!.error).toMatchObject({ code: 'DCML_NUMERIC', message: expect.stringMatching(/NaN/) })
    expect(best.value).toBe(2)
  })

  it('records a pruned trial as such, whatever it returns', async () => {
    const scheduler = { name: 'all', shouldPrune: () => true }
    const returned = [Number.NaN, undefined as unknown as number, 7]
    const { trials } = await new Tuner({ space, scheduler }).run(
      async (trial) => {
        await trial.report(1, trial.number)
        return returned[trial.number]!
      },
      { trials: 3 },
    )
    expect(trials.map(({ state, values }) => [state, values])).toEqual([0, 1, 2].map((n) => ['pruned', [n]]))
  })

  it('says so when no trial was complete, and why', async () => {
    const result = await new Tuner({ space }).run(
      () => {
        throw new RangeError('out of paper')
      },
      { trials: 3 },
    )
    expect(() => result.params).toThrow(StateError)
    expect(() => result.params).toThrow(/No trial.*3 trials, the first error being: out of paper/)
  })

  it('runs so many trials at a time and never more', async () => {
    let running = 0
    let most = 0
    await new Tuner({ space }).run(
      async ({ params: { x } }) => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        return x
      },
      { trials: 30, concurrency: 4 },
    )
    expect(most).toBe(4)
  })

  it('goes on with a study of the same name, in the same sequence', async () => {
    for (const sampler of [random({ seed: 5 }), tpe({ seed: 5 }), cmaEs({ seed: 5 }), quasiRandom({ seed: 5 })]) {
      const storage = memoryStudies()
      const straight = await new Tuner({ space, sampler }).run(parabola, { trials: 30 })
      await new Tuner({ space, sampler, storage }).run(parabola, { trials: 13 })
      const resumed = await new Tuner({ space, sampler, storage }).run(parabola, { trials: 30 })
      expect(resumed.trials.map(({ params }) => params)).toEqual(straight.trials.map(({ params }) => params))
    }
  })

  it('stops by signal; a trial under way is taken up again, with the same parameters', async () => {
    const storage = memoryStudies()
    const controller = new AbortController()
    const seen: Values[] = []
    const first = await new Tuner({ space, storage }).run(
      ({ number, params, signal }) => {
        if (number === 4) {
          seen.push(params)
          controller.abort()
          expect(signal.aborted).toBe(true)
        }
        return number
      },
      { trials: 10, signal: controller.signal },
    )
    expect(first.stopReason).toBe('aborted')
    expect(first.trials.map(({ state }) => state)).toEqual([...new Array(4).fill('complete'), 'waiting'])
    const second = await new Tuner({ space, storage }).run(
      ({ number, params }) => {
        if (number === 4) seen.push(params)
        return number
      },
      { trials: 10 },
    )
    expect(second.trials.every(({ state }) => state === 'complete')).toBe(true)
    expect(second.trials).toHaveLength(10)
    expect(seen[1]).toEqual(seen[0])
  })

  it('begins nothing after its time', async () => {
    const result = await new Tuner({ space }).run(() => 1, { trials: 1e6, timeoutMs: 1 })
    expect(result.stopReason).toBe('timeout')
    expect(result.trials.length).toBeLessThan(1e6)
    expect(result.trials.every(({ state }) => state === 'complete')).toBe(true)
  })

  it('shows running trials to the sampler of the next', async () => {
    const begun = deferred<void>()
    const seen: string[][] = []
    const watching = {
      ...random(),
      suggest(context: Parameters<ReturnType<typeof random>['suggest']>[0]) {
        seen.push(context.trials.map(({ state, params }) => `${state} ${params !== undefined}`))
        if (context.number === 2) begun.resolve()
        return random().suggest(context)
      },
    }
    await new Tuner({ space, sampler: watching }).run(() => begun.promise.then(() => 1), { trials: 3, concurrency: 3 })
    expect(seen).toEqual([[], ['running true'], ['running true', 'running true']])
  })

  it('ends early when a callback throws, with its error', async () => {
    const callbacks = [
      {
        onTrialEnd({ number }: TrialRecord) {
          if (number === 2) throw new Error('disk full')
        },
      },
    ]
    const storage = memoryStudies()
    await expect(new Tuner({ space, callbacks, storage }).run(parabola, { trials: 50 })).rejects.toThrow('disk full')
    const { trials } = await new Tuner({ space, storage }).run(parabola, { trials: 3 })
    expect(trials).toHaveLength(3)
  })

  it('shows progress, on a terminal as one line', async () => {
    const written: string[] = []
    const output = { isTTY: true, write: (text: string) => written.push(text) }
    await new Tuner({ space, callbacks: [tuningProgress({ output })] }).run(({ number }) => 5 - number, { trials: 3 })
    expect(written).toHaveLength(4)
    expect(written[1]).toMatch(/^\r\S*█{16}░{8} 2\/3 trials {2}best 4 \(trial 1\)$/)
    const lines: string[] = []
    const file = { write: (text: string) => lines.push(text) }
    await new Tuner({ space, callbacks: [tuningProgress({ output: file, lines: true })] }).run(() => 1, { trials: 2 })
    expect(lines[1]).toMatch(/^Trial 1 {2}complete 1 {2}x -?\d.* y \d {2}best 1 \(trial 0\)\n$/)
  })

  it('holds to a verdict when the objective looks late', async () => {
    const { trials } = await new Tuner({ space, sampler: random(), scheduler: asha({ reductionFactor: 4 }) }).run(
      async (trial) => {
        // Judged at 1 and at 4; looked at after 3.
        for (let step = 1; step <= 3; step++) await trial.report(step, trial.number)
        return trial.shouldPrune ? -1 : trial.number
      },
      { trials: 3 },
    )
    expect(trials.map(({ state, values }) => `${state} ${values}`)).toEqual(['complete 0', 'pruned 1', 'pruned 2'])
  })

  it.each<[name: string, run: () => unknown, message: RegExp]>([
    ['an unknown direction', () => new Tuner({ space, direction: 'max' as 'maximize' }), /no such direction.*max/],
    [
      'both direction and directions',
      () => new Tuner({ space, direction: 'minimize', directions: ['minimize'] }),
      /one of the two; received both/,
    ],
    ['no directions', () => new Tuner({ space, directions: [] }), /directions is empty/],
    ['TPE with two values', () => new Tuner({ space, directions: ['minimize', 'minimize'] }), /tpe cannot.*nsga2/],
    [
      'pruning with two values',
      () => new Tuner({ space, directions: ['minimize', 'minimize'], sampler: nsga2(), scheduler: asha() }),
      /scheduler asha cannot/,
    ],
    ['no trials', () => tune(() => 1, { trials: 0 }), /trials is out of range.*received 0/i],
    ['half a trial at a time', () => tune(() => 1, { concurrency: 0.5 }), /concurrency is out of range/],
    ['a time that is over', () => tune(() => 1, { timeoutMs: 0 }), /timeoutMs is out of range/],
    ['an objective that is none', () => tune('objective.js' as unknown as Objective), /neither a function nor/],
    ['startupTrials below 0', () => tpe({ startupTrials: -1 }), /startupTrials of tpe/],
    ['no candidates', () => tpe({ candidates: 0 }), /candidates of tpe/],
    ['a population of one', () => nsga2({ population: 1 }), /population of nsga2/],
    ['a population that copies all', () => population({ truncate: 0.8 }), /truncate of a population/],
    ['a sigma of nothing', () => cmaEs({ sigma: 0 }), /sigma of cmaEs/],
    ['halving by one', () => asha({ reductionFactor: 1 }), /reductionFactor of asha/],
    ['no steps before the first judgement', () => asha({ minSteps: 0 }), /minSteps of asha/],
    ['a whole trial shorter than its part', () => hyperband({ minSteps: 9, maxSteps: 3 }), /maxSteps.*below minSteps/],
    ['a median of nothing', () => median({ startupTrials: 0 }), /startupTrials of median/],
  ])('refuses %s', async (_, run, message) => {
    const failure = await (async () => run())().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as Error).message).toMatch(message)
  })

  it('refuses a second run while the first goes on, and a study that is another', async () => {
    const tuner = new Tuner({ space })
    const first = tuner.run(parabola, { trials: 2 })
    await expect(tuner.run(parabola)).rejects.toThrow(/busy/)
    await first
    const storage = memoryStudies()
    await new Tuner({ space, storage }).run(parabola, { trials: 1 })
    await expect(new Tuner({ space: { x: choice([1]) }, storage }).run(() => 1)).rejects.toThrow(/other parameters/)
    const other = new Tuner({ space, storage, direction: 'maximize' })
    await expect(other.run(parabola)).rejects.toThrow(/other directions/)
  })

  it('records a wrong number of values, and a report that is no number, as failures', async () => {
    const two = new Tuner({ space, directions: ['minimize', 'maximize'], sampler: random() })
    expect((await two.run(() => 1, { trials: 1 })).trials[0]!.error!.message).toMatch(/Expected 2; received 1/)
    const reported = await new Tuner({ space }).run(
      async (trial) => {
        await trial.report(1, Number.NaN)
        return 1
      },
      { trials: 1 },
    )
    expect(reported.trials[0]!.error!.message).toMatch(/Trial 0 reported a value.*NaN/)
  })
})

const tune = (objective: Objective<Values>, options: TuneOptions = {}) => new Tuner({ space }).run(objective, options)

/** A study in which trial i reports `losses[i]`, step by step. */
const context = (losses: number[][], index: number, direction: SchedulerContext['direction'] = 'minimize') => {
  const trials = losses.map(
    (values, number): TrialRecord => ({
      number,
      state: number === index ? 'running' : 'complete',
      reports: values.map((value, i) => ({ step: i + 1, value })),
      attempt: 1,
      startedMs: 0,
    }),
  )
  const trial = trials[index]!
  return { trial, previousStep: trial.reports.at(-2)?.step, trials, direction }
}

describe('median', () => {
  it('ends what is worse than the middle of the complete trials at that step', () => {
    const others = [
      [5, 4],
      [5, 3],
      [5, 2],
      [5, 1],
      [9, 0],
    ]
    const judge = (own: number[], direction?: SchedulerContext['direction']) =>
      median().shouldPrune(context([...others, own], 5, direction))
    expect(judge([5, 2.1])).toBe(true)
    expect(judge([5, 2])).toBe(false)
    // Its best so far counts.
    expect(judge([1, 9])).toBe(false)
    expect(judge([0, 1.9], 'maximize')).toBe(true)
    expect(median({ startupTrials: 6 }).shouldPrune(context([...others, [5, 9]], 5))).toBe(false)
    expect(median({ warmupSteps: 2 }).shouldPrune(context([...others, [5, 9]], 5))).toBe(false)
  })
})

describe('asha', () => {
  it('lets the best quarter of those that reached a rung pass, and judges between rungs not at all', () => {
    const judge = (others: number[][], own: number[]) =>
      asha({ reductionFactor: 4 }).shouldPrune(context([...others, own], others.length))
    const eight = Array.from({ length: 7 }, (_, i) => [i])
    // With its own there are 8, of which 2 pass.
    expect(judge(eight, [0.5])).toBe(false)
    expect(judge(eight, [1.5])).toBe(true)
    // The first to arrive passes.
    expect(judge([], [9])).toBe(false)
    // Steps 2 and 3 are no rungs, 4 is.
    const long = Array.from({ length: 7 }, (_, i) => [0, 0, 0, i])
    expect(judge(long, [9, 9, 9])).toBe(false)
    expect(judge(long, [9, 9, 9, 9])).toBe(true)
    expect(judge(long, [9, 9, 9, -1])).toBe(false)
  })
})

describe('hyperband', () => {
  it('judges some trials from the first step, some later, some never before the end', () => {
    // 9 steps by 3: brackets that judge from 1, from 3 and not at all, for a trial of 9 steps is whole.
    const scheduler = hyperband({ maxSteps: 9 })
    const firstEnd = Array.from({ length: 60 }, (_, number) => {
      // The worst of 60 by far.
      for (let step = 1; step <= 9; step++) {
        const losses = Array.from({ length: 60 }, (_, i) =>
          new Array(i === number ? step : 9).fill(i === number ? 99 : i),
        )
        if (scheduler.shouldPrune(context(losses, number))) return step
      }
      return 0
    })
    const counts = [1, 3, 0].map((step) => firstEnd.filter((end) => end === step).length)
    expect(counts.reduce((a, b) => a + b)).toBe(60)
    // 9, 5 and 3 of 17 in expectation.
    expect(counts[0]).toBeGreaterThan(counts[1]!)
    expect(counts[1]).toBeGreaterThan(counts[2]!)
    expect(counts[2]).toBeGreaterThan(0)
  })

  it('prunes a trial in a study', async () => {
    const { trials } = await new Tuner({ space, sampler: random(), scheduler: hyperband({ maxSteps: 9 }) }).run(
      async (trial) => {
        for (let step = 1; step <= 9 && !trial.shouldPrune; step++) await trial.report(step, trial.params.x)
        return trial.params.x
      },
      { trials: 60 },
    )
    const pruned = trials.filter(({ state }) => state === 'pruned')
    expect(pruned.length).toBeGreaterThan(20)
    for (const { values, reports } of pruned) {
      expect(values).toEqual([reports.at(-1)!.value])
      expect(reports.length).toBeLessThan(9)
    }
    const best = trials.reduce((a, b) => (b.values![0]! < a.values![0]! ? b : a))
    expect(best.state).toBe('complete')
  })
})
