import { describe, expect, it } from 'vitest'
import { ConfigError, Random } from '../../../src/core/index.js'
import {
  choice,
  cmaEs,
  conditional,
  gaussianProcess,
  grid,
  intUniform,
  logUniform,
  nondominatedFronts,
  nsga2,
  population,
  quasiRandom,
  random,
  type Sampler,
  Space,
  type TrialRecord,
  Tuner,
  tpe,
  uniform,
} from '../../../src/tuning/index.js'
import { normalCdf } from '../../../src/tuning/maths/normal.js'
import { ParzenMixture } from '../../../src/tuning/samplers/parzen.js'
import { branin, hartmann6, rosenbrock } from './benchmarks.js'
import { medianOf, regrets } from './regrets.js'

const space = {
  rate: logUniform(1e-4, 1),
  units: intUniform(1, 64, { log: true }),
  kind: choice(['plain', 'deep', 'wide']),
  depth: conditional('kind', 'deep', intUniform(2, 8)),
  share: uniform(0, 1, { step: 0.25 }),
} as const

const makers: Record<string, (options: { seed: number }) => Sampler> = {
  random,
  quasiRandom,
  tpe: (options) => tpe({ ...options, startupTrials: 5 }),
  cmaEs,
  gaussianProcess: (options) => gaussianProcess({ ...options, startupTrials: 5 }),
  nsga2: (options) => nsga2({ ...options, population: 6 }),
  population: (options) => population({ ...options, size: 6 }),
}

/** What a tuner tries in 25 trials. */
async function tried(sampler: Sampler, constrained = false) {
  const constraints = constrained ? [({ units, share }: { units: number; share: number }) => units * share < 8] : []
  const tuner = new Tuner({ space, sampler, constraints })
  const { trials } = await tuner.run(
    ({ params }) => Math.log10(params.rate) ** 2 + params.units / 10 + (params.depth ?? 5),
    { trials: 25 },
  )
  return trials.map(({ params }) => params!)
}

describe.each(Object.entries(makers))('%s', (_, make) => {
  it('stays within the space, follows its conditions, and does the same for the same seed', async () => {
    const params = await tried(make({ seed: 3 }))
    const axes = new Space(space).axes
    for (const one of params) {
      for (const axis of axes) if (axis.name in one) expect(axis.holds(one[axis.name])).toBe(true)
      expect('depth' in one).toBe(one.kind === 'deep')
    }
    expect(await tried(make({ seed: 3 }))).toEqual(params)
    expect(await tried(make({ seed: 4 }))).not.toEqual(params)
  })

  it('tries only what the constraints allow', async () => {
    for (const { units, share } of await tried(make({ seed: 1 }), true))
      expect((units as number) * (share as number)).toBeLessThan(8)
  })

  it('refuses a seed that is none', () => {
    expect(() => make({ seed: -1 })).toThrow(ConfigError)
  })
})

describe('grid', () => {
  it('tries every combination once, those under a condition only there, and ends', async () => {
    const result = await new Tuner({ space, sampler: grid({ points: { rate: 5, units: 2, depth: 3 } }) }).run(() => 1, {
      trials: 10_000,
    })
    // 5 rates, 2 units, 5 shares; 'plain', 'wide' and 'deep' with 3 depths.
    expect(result.trials).toHaveLength(5 * 2 * 5 * (2 + 3))
    expect(new Set(result.trials.map(({ params }) => JSON.stringify(params))).size).toBe(250)
    const rates = [...new Set(result.trials.map(({ params }) => params!.rate as number))].sort((a, b) => a - b)
    for (const [i, rate] of [1e-4, 1e-3, 1e-2, 1e-1, 1].entries()) expect(rates[i]).toBeCloseTo(rate, 12)
  })

  it('names a parameter that is not there', async () => {
    const run = new Tuner({ space, sampler: grid({ points: { rates: 3 } }) }).run(() => 1)
    await expect(run).rejects.toThrow(/points for 'rates'.*Did you mean 'rate'/)
  })
})

describe('quasiRandom', () => {
  it('puts one point into each box of the finest even division', () => {
    const halton = new Space({ a: uniform(0, 1), b: uniform(0, 1) })
    for (const seed of [0, 1, 2]) {
      const boxes = new Set<string>()
      for (let number = 0; number < 8 * 9; number++) {
        const { a, b } = quasiRandom({ seed }).suggest({ number, space: halton, directions: ['minimize'], trials: [] })
          .params as { a: number; b: number }
        boxes.add(`${Math.floor(a * 8)} ${Math.floor(b * 9)}`)
      }
      expect(boxes.size).toBe(72)
    }
  })
})

describe('ParzenMixture', () => {
  const { axes } = new Space({ x: uniform(0, 1), n: intUniform(1, 4), kind: choice(['a', 'b', 'c']) })
  const points = [
    [0.1, 0.125, 1 / 6],
    [0.9, 0.875, 1 / 2],
    [0.85, 0.625, 1 / 2],
  ]

  it('has a density that adds up to 1 over the space', () => {
    const mixture = new ParzenMixture(axes, points)
    const cells = 400
    let total = 0
    for (let i = 0; i < cells; i++)
      for (const n of [0.125, 0.375, 0.625, 0.875])
        for (const kind of [1 / 6, 1 / 2, 5 / 6]) total += Math.exp(mixture.logDensity([(i + 0.5) / cells, n, kind]))
    expect(total / cells).toBeCloseTo(1, 5)
  })

  it('draws as often as its density says', () => {
    const mixture = new ParzenMixture(axes, points)
    const random = new Random(5)
    const draws = 40_000
    const counts = new Map<string, number>()
    for (let i = 0; i < draws; i++) {
      const [x, n, kind] = mixture.draw(random) as [number, number, number]
      const key = [Math.floor(x * 4), Math.round(n * 8), Math.round(kind * 6)].join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (let cell = 0; cell < 4; cell++)
      for (const n of [0.125, 0.375, 0.625, 0.875])
        for (const kind of [1 / 6, 1 / 2, 5 / 6]) {
          let expected = 0
          for (let i = 0; i < 50; i++)
            expected += Math.exp(mixture.logDensity([(cell + (i + 0.5) / 50) / 4, n, kind])) / 200
          const share = (counts.get([cell, Math.round(n * 8), Math.round(kind * 6)].join()) ?? 0) / draws
          // Five standard deviations of a share of so many draws.
          expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt(expected / draws) + 1e-4)
        }
  })
})

describe('tpe', () => {
  // Over 20 seeds in tests/long.
  it.each([
    ['Branin', branin],
    ['Hartmann-6', hartmann6],
    ['Rosenbrock', rosenbrock],
  ])('finds better values of %s than random search', async (_, benchmark) => {
    const options = { seeds: 5, trials: 60 }
    const [found, byChance] = [await regrets(benchmark, tpe, options), await regrets(benchmark, random, options)]
    expect(medianOf(found)).toBeLessThan(0.7 * medianOf(byChance))
  })

  it('learns from pruned trials by how far they came', () => {
    const line = new Space({ x: uniform(0, 1) })
    const trials = Array.from({ length: 40 }, (_, number): TrialRecord => {
      const x = number / 40
      const far = Math.abs(x - 0.7) < 0.1
      return {
        number,
        state: 'pruned',
        params: { x },
        values: [1],
        reports: [{ step: far ? 9 : 1, value: 1 }],
        attempt: 1,
        startedMs: 0,
      }
    })
    const xs = Array.from({ length: 20 }, (_, seed) => {
      const { params } = tpe({ seed }).suggest({ number: 40, space: line, directions: ['minimize'], trials })
      return params.x as number
    })
    expect(medianOf(xs.map((x) => Math.abs(x - 0.7)))).toBeLessThan(0.15)
  })
})

describe('cmaEs', () => {
  it('finds the bottom of a long, turned valley', async () => {
    const valley = {
      space: { x: uniform(-2, 2), y: uniform(-2, 2) },
      regret: ({ x, y }: Record<string, unknown>) =>
        1000 * ((x as number) + (y as number) - 1) ** 2 + ((x as number) - (y as number)) ** 2,
    }
    const found = await regrets(valley, cmaEs, { seeds: 5, trials: 300 })
    expect(medianOf(found)).toBeLessThan(1e-4)
  })

  it('needs numbers', async () => {
    const run = new Tuner({ space: { kind: choice([1, 2]) }, sampler: cmaEs() }).run(() => 1)
    await expect(run).rejects.toThrow(/cmaEs needs numbers/)
  })
})

describe('gaussianProcess', () => {
  it('comes close to the least value of Branin in 35 trials', async () => {
    expect(medianOf(await regrets(branin, gaussianProcess, { seeds: 3, trials: 35 }))).toBeLessThan(0.1)
  })
})

describe('nsga2', () => {
  it('covers more below its front than random search', async () => {
    // ZDT1 (Zitzler et al. 2000): the front is 1 - sqrt(first).
    const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const
    const zdt1 = Object.fromEntries(names.map((name) => [name, uniform(0, 1)]))
    const covered = async (sampler: Sampler) => {
      const result = await new Tuner({ space: zdt1, sampler, directions: ['minimize', 'minimize'] }).run(
        ({ params }) => {
          const g = 1 + (9 / 5) * names.slice(1).reduce((sum, name) => sum + params[name]!, 0)
          return [params.a!, g * (1 - Math.sqrt(params.a! / g))]
        },
        { trials: 400 },
      )
      const front = result.paretoFront.map(({ values }) => values).sort((p, q) => p[0]! - q[0]!)
      expect(() => result.trial).toThrow(/no single best trial/)
      return front.reduce((area, [x, y], i) => area + ((front[i + 1]?.[0] ?? 1) - x!) * Math.max(0, 8 - y!), 0)
    }
    expect(await covered(nsga2({ population: 20 }))).toBeGreaterThan((await covered(random())) + 0.5)
  })

  it('sorts fronts as pairwise comparison does', () => {
    const draw = new Random(1)
    const losses = Array.from({ length: 60 }, () => [draw.integer(8), draw.integer(8), draw.integer(8)])
    const beats = (a: number[], b: number[]) => a.every((x, i) => x <= b[i]!) && a.some((x, i) => x < b[i]!)
    let rest = losses.map((_, i) => i)
    for (const front of nondominatedFronts(losses)) {
      const expected = rest.filter((i) => !rest.some((j) => beats(losses[j]!, losses[i]!)))
      expect(front).toEqual(expected)
      rest = rest.filter((i) => !expected.includes(i))
    }
    expect(rest).toEqual([])
  })
})

describe('population', () => {
  it('hands the state of the best on, and so reaches what no fixed parameters do', async () => {
    // Jaderberg et al. 2017, figure 2: each fixed pair of weights climbs along one axis only.
    const states = new Map<number, [number, number]>()
    const climb = async (sampler: Sampler) => {
      states.clear()
      const result = await new Tuner({
        space: { h0: uniform(0, 1), h1: uniform(0, 1) },
        sampler,
        direction: 'maximize',
      }).run(
        ({ number, parent, params: { h0, h1 } }) => {
          let [a, b] = parent === undefined ? [0.9, 0.9] : states.get(parent)!
          for (let step = 0; step < 4; step++) [a, b] = [a - 0.04 * h0 * a, b - 0.04 * h1 * b]
          states.set(number, [a, b])
          return 1.2 - (a * a + b * b)
        },
        { trials: 200 },
      )
      return result
    }
    const { value, trials } = await climb(population({ size: 8 }))
    expect(value).toBeGreaterThan(1.15)
    expect((await climb(random())).value).toBeLessThan(0.4)
    for (const { number, notes } of trials)
      if (number < 8) expect(notes?.parent).toBeUndefined()
      else expect(notes!.parent).toBeLessThan(number)
    const copied = trials.filter(({ number, notes }) => number >= 8 && notes!.parent !== number - 8)
    expect(copied.length).toBeGreaterThan(10)
  })
})

describe('maths', () => {
  it('knows the normal distribution as SciPy does', () => {
    // scipy.stats.norm.cdf, SciPy 1.10
    expect(normalCdf(0)).toBeCloseTo(0.5, 15)
    expect(normalCdf(1.96) / 0.9750021048517795).toBeCloseTo(1, 12)
    expect(normalCdf(-5) / 2.866515718791933e-7).toBeCloseTo(1, 10)
    expect(normalCdf(-10) / 7.61985302416047e-24).toBeCloseTo(1, 6)
  })
})
