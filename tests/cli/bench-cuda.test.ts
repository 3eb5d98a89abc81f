import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildStandIn, hasDriver } from '../cuda/stand-in.js'

const run = promisify(execFile)
const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const standIn = buildStandIn()
if ('reason' in standIn) console.log(`Skipped: dcml bench cuda. ${standIn.reason}`)

describe('dcml bench cuda', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcml-bench-cuda-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const bench = async (env: Record<string, string>, ...args: string[]) => {
    const json = join(folder, 'figures.json')
    const all = ['bench', 'cuda', '--rounds', '1', '--seconds', '0.01', '--json', json, ...args]
    const { stdout } = await run(process.execPath, [command, ...all], { env: { ...process.env, ...env } })
    return { stdout, figures: JSON.parse(await readFile(json, 'utf8')) }
  }

  it.skipIf(hasDriver)('says why it measures nothing where there is no GPU', async () => {
    const { stdout, figures } = await bench({ DCML_CUDA_LIBRARIES: folder })
    expect(stdout).toMatch(/^Skipped: .*libcuda\.so\.1/)
    expect(figures.skipped).toContain('libcuda.so.1')
  })

  it.skipIf('reason' in standIn)('measures operations, and compares what memory bounds with a copy', async () => {
    const { env } = standIn as { env: Record<string, string> }
    const cases = ['--case', 'matMul tf32', 'add', 'transpose', '--side', '16', '--elements', '1000']
    const { stdout, figures } = await bench(env, ...cases)
    expect(stdout).toMatch(/matMul tf32 .*GFLOP\/s/)
    expect(stdout).toMatch(/No figure of pytorch|PyTorch \d/)
    expect(figures.device).toContain('Stand-in')
    const measured = figures.operations as {
      name: string
      us: number
      rate: number
      ofCopy?: number
      target?: object
    }[]
    expect(measured.map(({ name }) => name)).toEqual(['matMul tf32', 'copy', 'add', 'transpose'])
    for (const { us, rate } of measured) expect(Math.min(us, rate)).toBeGreaterThan(0)
    const [product, copy, ...bound] = measured
    expect([product!.ofCopy, copy!.ofCopy]).toEqual([undefined, undefined])
    for (const { rate, ofCopy, target } of bound) {
      expect(ofCopy).toBeCloseTo(rate / copy!.rate, 9)
      expect(target).toEqual({ over: 'copy', atLeast: 0.85, ratio: ofCopy, met: ofCopy! >= 0.85 })
    }
  })

  it.skipIf('reason' in standIn)('says which training fails, and why', async () => {
    const { env } = standIn as { env: Record<string, string> }
    const failing = bench({ ...env, STAND_IN_FAILS: '719' }, '--case', 'mlp')
    const { stdout, code } = (await failing.catch((error: unknown) => error)) as { stdout: string; code: number }
    expect(code).toBe(1)
    expect(stdout).toMatch(/No figure of dcml: .*CUDA_ERROR_LAUNCH_FAILED/)
  })
})
