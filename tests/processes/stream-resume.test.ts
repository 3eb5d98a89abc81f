/** A process that is killed in the middle of an epoch of a stream, and one that goes on from its checkpoint. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Random } from 'dcml'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROWS = 500
const script = fileURLToPath(new URL('../fixtures/train-stream.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dcml-stream-'))
const file = join(folder, 'train.csv')

beforeAll(() => {
  const random = new Random(1)
  const lines = Array.from({ length: ROWS }, () => {
    const [a, b, c] = [random.normal(), random.normal(), random.normal()]
    return [a, b, c, a - 2 * b + a * c].map((value) => value.toFixed(4)).join()
  })
  writeFileSync(file, `a,b,c,y\n${lines.join('\n')}\n`)
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the script in a process of its own. */
function run(name: string, dieAt = 0): Promise<{ signal: string | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, file, join(folder, name), String(dieAt)], (_, stdout, stderr) => {
      resolve({ signal: child.signalCode, stdout, stderr })
    })
  })
}

it('ends with the weights of a training that nobody disturbed, to the bit', async () => {
  const [whole, killed] = await Promise.all([run('whole'), run('killed', 23)])
  // 16 steps an epoch: in the middle of the second.
  expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' })
  const resumed = await run('killed')
  expect([whole.stderr, resumed.stderr]).toEqual(['', ''])
  const expected = JSON.parse(whole.stdout)
  expect(expected.losses[2]).toBeLessThan(expected.losses[0])
  expect(JSON.parse(resumed.stdout)).toEqual({ ...expected, resumes: true })
})
