import { describe, expect, it } from 'vitest'
import { choice, conditional, logUniform, random, Tuner, uniform } from '../../../src/tuning/index.js'

const space = {
  important: uniform(-1, 1),
  rate: logUniform(1e-4, 1),
  idle: choice(['a', 'b', 'c']),
  depth: conditional('idle', 'a', uniform(0, 1)),
}

async function study() {
  return new Tuner({ space, sampler: random({ seed: 1 }), name: '<b>' }).run(
    async (trial) => {
      const { important, rate } = trial.params
      if (trial.number === 3) throw new RangeError('<i>broken</i>')
      await trial.report(1, 2)
      return 10 * important + Math.log10(rate)
    },
    { trials: 150 },
  )
}

describe('importance', () => {
  it('gives each parameter the share of the variance that is its own', async () => {
    const shares = (await study()).importance()
    // Variances of 10 important and log10(rate) over their ranges: 100 / 3 and 16 / 12.
    const total = 100 / 3 + 16 / 12
    expect(shares.important).toBeGreaterThan(0.85)
    expect(Math.abs(shares.important! - 100 / 3 / total)).toBeLessThan(0.1)
    expect(Math.abs(shares.rate! - 16 / 12 / total)).toBeLessThan(0.05)
    expect(shares.idle).toBeLessThan(0.05)
    expect(Object.keys(shares)[0]).toBe('important')
  })

  it('sees that two parameters matter together only', async () => {
    const both = { a: uniform(-1, 1), b: uniform(-1, 1) }
    const result = await new Tuner({ space: both, sampler: random() }).run(
      ({ params: { a, b } }) => Math.sign(a) * Math.sign(b),
      { trials: 200 },
    )
    const { a, b } = result.importance()
    expect(a! + b!).toBeLessThan(0.3)
  })

  it('says nothing of a study without differences', async () => {
    const result = await new Tuner({ space: { a: uniform(0, 1) } }).run(() => 1, { trials: 5 })
    expect(result.importance()).toEqual({})
  })
})

describe('toHTML', () => {
  it('is one page with every part, in which names and errors are text', async () => {
    const html = (await study()).toHTML({ title: 'A & B' })
    for (const heading of ['Best trial', 'History', 'Importance', 'Parallel coordinates', 'Slices', 'Failures'])
      expect(html).toContain(`<h2>${heading}`)
    expect(html.match(/<svg/g)).toHaveLength(2 * (1 + 1 + 1 + 4 + 1))
    expect(html).toContain('A &#38; B')
    expect(html).not.toMatch(/<b>,|<i>broken/)
    expect(html).not.toMatch(/src=|href=|NaN|undefined/)
  })

  it('shows the front of a study with two values', async () => {
    const result = await new Tuner({ space, sampler: random(), directions: ['minimize', 'maximize'] }).run(
      ({ params }) => [params.important, params.rate],
      { trials: 30 },
    )
    expect(result.toHTML()).toContain('<h2>Pareto front')
    expect(result.toJSON().trials).toHaveLength(30)
  })

  it('tells of a study in which everything failed', async () => {
    const result = await new Tuner({ space }).run(() => Number.NaN, { trials: 25 })
    expect(result.toHTML()).toMatch(/Failures.*and 5 more/s)
  })
})
