import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { buildStandIn } from './stand-in.js'

/** Under the sanitizer: these tests reach most kernels, with shapes of many kinds. */
const standIn = buildStandIn(true)
if ('reason' in standIn) console.log(`Skipped: the operation tests on cuda. ${standIn.reason}`)

it.skipIf('reason' in standIn)(
  'passes the operation tests of tfjs-core on cuda, over the stand-in, but for those with a reason',
  { timeout: 300_000 },
  () => {
    const script = fileURLToPath(new URL('../../scripts/op-tests.mjs', import.meta.url))
    const { env } = standIn as { env: Record<string, string> }
    const options = { encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, ...env } } as const
    const { status, stdout } = spawnSync(process.execPath, [script, '--backend', 'cuda'], options)
    const last = stdout.trimEnd().split('\n').at(-1)!
    console.log(last)
    const [, passed, failed] = /cuda: (\d+) passed, (\d+) failed/.exec(last)!
    expect(Number(failed)).toBe(0)
    expect(Number(passed)).toBeGreaterThan(4000)
    expect(status).toBe(0)
  },
)
