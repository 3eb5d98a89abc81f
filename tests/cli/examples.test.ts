/** The examples from raw data to a decision meet their targets, at the size that suits a test. */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { script } from './run-cli.js'

const names = readdirSync('examples').filter((name) => /^2\d-.*\.ts$/.test(name))

describe('examples', () => {
  it.for(names)('%s meets its targets', async (name, context) => {
    const { exitCode, stdout, stderr } = await script('scripts/examples.mjs', '--quick', name)
    expect(stderr).toBe('')
    expect(stdout).toContain('1 passed, 0 failed')
    expect(exitCode).toBe(0)
    const skipped = /^Skipped: .*/m.exec(stdout)?.[0]
    context.skip(skipped !== undefined, skipped)
    expect(stdout).toContain('(target: ')
  })

  it('an unknown name is an error', async () => {
    const ended = await script('scripts/examples.mjs', 'no-such')
    expect(ended).toEqual({ exitCode: 2, stdout: '', stderr: 'No example starts with no-such.\n' })
  })
})
