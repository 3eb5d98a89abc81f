import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const run = promisify(execFile)
// Several processes one after the other, each with data to make and code to warm up.
vi.setConfig({ testTimeout: 180_000 })
const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const bench = (...args: string[]) => run(process.execPath, [command, 'bench', ...args])

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function measure(...args: string[]) {
  const file = join(folder, 'figures.json')
  const { stdout } = await bench('train', ...args, '--seconds', '0.2', '--json', file)
  return { stdout, figures: JSON.parse(await readFile(file, 'utf8')) }
}

describe('dcml bench train', () => {
  it('measures a case and writes its figures', async () => {
    const { stdout, figures } = await measure('--case', 'mlp-64', '--library', 'dcml', '--rounds', '1')
    expect(stdout).toContain('mlp-64')
    expect(figures).toMatchObject({ node: process.version, cpu: expect.any(String), rounds: 1, seconds: 0.2 })
    expect(Date.parse(figures.date)).toBeLessThanOrEqual(Date.now())
    expect(figures.cases).toHaveLength(1)
    const [{ results, ...about }] = figures.cases
    expect(about).toEqual({ name: 'mlp-64', unit: 'us/sample', ratios: {} })
    expect(Object.keys(results)).toEqual(['dcml'])
    expect(results.dcml).toMatchObject({
      engine: expect.stringMatching(/^(captured|eager)$/),
      backend: expect.stringMatching(/^wasm/),
    })
    expect(results.dcml.rounds).toHaveLength(1)
    expect(results.dcml.rounds[0]).toBeGreaterThan(0)
    expect(results.dcml.median).toBe(results.dcml.rounds[0])
  })

  it('takes the median of its rounds, compares with one worker, and judges the target by that', async () => {
    const { stdout, figures } = await measure('--case', 'cnn-2w', '--library', 'dcml', '--rounds', '3')
    const [{ results, ratios, target }] = figures.cases
    expect(Object.keys(results)).toEqual(['dcml', 'dcml-1w'])
    for (const { median, rounds } of [results.dcml, results['dcml-1w']]) {
      expect(rounds).toHaveLength(3)
      expect(median).toBe(rounds.toSorted((a: number, b: number) => a - b)[1])
    }
    expect(ratios['dcml-1w']).toBeCloseTo(results['dcml-1w'].median / results.dcml.median, 10)
    expect(target).toMatchObject({
      over: 'dcml-1w',
      ratio: ratios['dcml-1w'],
      met: ratios['dcml-1w'] >= target.atLeast,
    })
    expect(stdout).toContain(target.met ? '; met with' : '; missed with')
  })

  it('passes the engine on', async () => {
    const { figures } = await measure(
      ...['--case', 'mlp-64', '--library', 'dcml', '--rounds', '1', '--engine', 'eager'],
    )
    expect(figures.cases[0].results.dcml.engine).toBe('eager')
  })

  it('reports what another library cannot train, and goes on', async () => {
    const { stdout, figures } = await measure(
      ...['--case', 'mlp-64', 'cnn', 'lstm', '--library', 'tfjs-wasm', 'jax-js', '--rounds', '1'],
    )
    const [mlp, cnn, lstm] = figures.cases
    for (const library of ['tfjs-wasm', 'jax-js']) expect(mlp.results[library].median).toBeGreaterThan(0)
    expect(cnn.results['tfjs-wasm'].error).toContain('Conv2DBackpropFilter')
    expect(lstm.results['tfjs-wasm'].median).toBeGreaterThan(0)
    expect(lstm.results['jax-js'].skipped).toContain('MLP')
    expect(stdout).toContain('Conv2DBackpropFilter')
  })

  refuses([
    ['a benchmark', ['nonsense']],
    ['no benchmark', []],
    ['a case', ['train', '--case', 'nonsense']],
    ['a library', ['train', '--library', 'nonsense']],
    ['an engine', ['train', '--engine', 'nonsense']],
    ['a count', ['train', '--rounds', '0']],
    ['a time', ['train', '--seconds', '-1']],
    ['a file', ['train', '--json', join(tmpdir(), 'no', 'such', 'folder', 'figures.json')]],
    ['an option', ['train', '--nonsense']],
  ])
})

describe('dcml bench kernels', () => {
  const measureKernels = async (...args: string[]) => {
    const file = join(folder, 'kernels.json')
    const { stdout } = await bench('kernels', ...args, '--seconds', '0.001', '--json', file)
    return { stdout, figures: JSON.parse(await readFile(file, 'utf8')) }
  }

  it('measures every kernel, and shares of the best product and of a copy', async () => {
    const { stdout, figures } = await measureKernels('--rounds', '1')
    const { kernels, peaks, ...about } = figures
    expect(about).toMatchObject({ node: process.version, rounds: 1, seconds: 0.001 })
    expect(about.backend).toMatch(/^wasm simd/)
    expect(kernels.map(({ kernel }: { kernel: string }) => kernel)).toEqual(
      expect.arrayContaining(['matMul', 'conv2dFilterGrad', 'maxPoolGrad', 'softmax', 'layerNorm', 'adam']),
    )
    const best = (name: string) =>
      Math.max(
        ...kernels
          .filter(({ kernel }: { kernel: string }) => kernel === name)
          .map(({ rate }: { rate: number }) => rate),
      )
    expect(peaks).toEqual({ gflops: best('matMul'), copyGBps: best('copy') })
    for (const { kernel, shape, minUs, rate, unit, share } of kernels) {
      expect(minUs, `${kernel} ${shape}`).toBeGreaterThan(0)
      expect(share).toBeCloseTo(rate / (unit === 'GFLOP/s' ? peaks.gflops : peaks.copyGBps), 10)
      expect(stdout).toContain(shape)
    }
  })

  it('measures the kernels asked for, round by round, by what they compute', async () => {
    const { stdout, figures } = await measureKernels('--rounds', '3', '--kernel', 'add', 'conv2d')
    expect(figures.kernels.map(({ kernel }: { kernel: string }) => kernel)).toEqual(['conv2d', 'conv2d', 'add'])
    const [, conv, add] = figures.kernels
    for (const { minUs, medianUs, roundsUs } of [conv, add]) {
      expect(roundsUs).toHaveLength(3)
      const sorted = roundsUs.toSorted((a: number, b: number) => a - b)
      expect([minUs, medianUs]).toEqual(sorted.slice(0, 2))
    }
    // 32 images of 11x11 with 64 channels, each from 3x3 pixels of 32; two operands and a result of 65,536 floats.
    expect(conv).toMatchObject({ shape: '3x3 32->64 on 32x13x13', unit: 'GFLOP/s' })
    expect(conv.rate * conv.minUs * 1000).toBeCloseTo(2 * 32 * 11 * 11 * 64 * 3 * 3 * 32, 3)
    expect(add.rate * add.minUs * 1000).toBeCloseTo(3 * 4 * 65_536, 3)
    expect(stdout).not.toContain('softmax')
  })

  refuses([
    ['a kernel', ['kernels', '--kernel', 'nonsense']],
    ['a count', ['kernels', '--rounds', '0']],
    ['a file', ['kernels', '--json', join(tmpdir(), 'no', 'such', 'folder', 'figures.json')]],
  ])
})

describe('dcml bench data', () => {
  it('measures a case beside another library, judges it and writes its figures', async () => {
    const file = join(folder, 'data.json')
    const { stdout } = await bench('data', '--case', 'csv', '--rounds', '3', '--json', file)
    const { cases, rounds } = JSON.parse(await readFile(file, 'utf8'))
    expect(rounds).toBe(3)
    const [{ dcml, other, ratio, target, ...about }] = cases
    expect(about).toMatchObject({ name: 'csv', over: 'Papa Parse alone' })
    for (const { median, rounds } of [dcml, other]) {
      expect(rounds).toHaveLength(3)
      expect(median).toBe(rounds.toSorted((a: number, b: number) => a - b)[1])
    }
    expect(ratio).toBe(other.median / dcml.median)
    expect(target).toEqual({ atLeast: 0.5, met: ratio >= 0.5 })
    expect(stdout).toMatch(new RegExp(`^csv .* 0\\.5, ${target.met ? 'met' : 'missed'} +Papa Parse alone$`, 'm'))
  })
})

describe('dcml bench allreduce', () => {
  it('checks and measures each size over shared memory, and tells what it lacks', async () => {
    const file = join(folder, 'allreduce.json')
    const { stdout } = await bench(
      ...['allreduce', '--rounds', '2', '--sizes', '4', '40kB', '--contender', 'dcml', 'openmpi', '--json', file],
    )
    const figures = JSON.parse(await readFile(file, 'utf8'))
    expect(figures).toMatchObject({ transport: 'sharedMemory', workers: 2, rounds: 2, algorithm: 'auto' })
    expect(figures.sizes.map(({ bytes }: { bytes: number }) => bytes)).toEqual([4, 40_000])
    for (const { bytes, results } of figures.sizes) {
      const { medianUs, minUs, algorithmGBps, busGBps } = results.dcml
      expect(minUs).toBeGreaterThan(0)
      expect(medianUs).toBeGreaterThanOrEqual(minUs)
      expect(algorithmGBps * medianUs * 1000).toBeCloseTo(bytes, 5)
      // On two workers each sends one half of the bytes twice.
      expect(busGBps).toBeCloseTo(algorithmGBps, 10)
      expect(results.gloo).toBeUndefined()
      if (figures.missing.openmpi === undefined)
        expect(results.openmpi.ratio).toBeCloseTo(results.openmpi.medianUs / medianUs, 10)
      else expect(stdout).toContain(figures.missing.openmpi)
    }
    expect(stdout).toContain('40 kB')
  })

  refuses([
    ['a transport', ['allreduce', '--transport', 'nonsense']],
    ['a size', ['allreduce', '--sizes', '5']],
    ['an algorithm', ['allreduce', '--algorithm', 'nonsense']],
    ['a file', ['allreduce', '--json', join(tmpdir(), 'no', 'such', 'folder', 'figures.json')]],
  ])
})

function refuses(uses: readonly (readonly [string, readonly string[]])[]): void {
  for (const [wrong, args] of uses)
    it.concurrent(`refuses the wrong use of ${wrong} in one line, with exit code 2`, async () => {
      const failure = await bench(...args).then(
        () => undefined,
        (error: { code: number; stderr: string }) => error,
      )
      expect(failure?.code).toBe(2)
      expect(failure?.stderr.trim().split('\n')).toHaveLength(1)
    })
}
