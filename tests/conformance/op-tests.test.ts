import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('passes the operation tests of tfjs-core on dcml-wasm, but for those with a reason', { timeout: 300_000 }, () => {
  const script = fileURLToPath(new URL('../../scripts/op-tests.mjs', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const last = stdout.trimEnd().split('\n').at(-1)!
  console.log(last)
  const [, passed, failed] = /dcml-wasm: (\d+) passed, (\d+) failed/.exec(last)!
  expect(Number(failed)).toBe(0)
  expect(Number(passed)).toBeGreaterThan(4000)
  expect(status).toBe(0)
})
