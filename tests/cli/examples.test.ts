/** The examples from raw data to a decision meet their targets, at the size that suits a test. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { script } from './run-cli.js'

const numbered = readdirSync('examples').filter((name) => /^\d\d-.*\.ts$/.test(name))

describe('examples', () => {
  it.for(numbered.filter((name) => name.startsWith('2')))('%s meets its targets', async (name, context) => {
    const { exitCode, stdout, stderr } = await script('scripts/examples.mjs', '--quick', name)
    expect(stderr).toBe('')
    expect(stdout).toContain('1 passed, 0 failed')
    expect(exitCode).toBe(0)
    const skipped = /^Skipped: .*/m.exec(stdout)?.[0]
    context.skip(skipped !== undefined, skipped)
    expect(stdout).toContain('(target: ')
  })

  it('are listed in the guide, all of them', () => {
    const guide = readFileSync('docs/guides/examples.md', 'utf8')
    expect([...guide.matchAll(/^\| `(\d\d-.*?\.ts)`/gm)].map(([, name]) => name)).toEqual(numbered.sort())
  })

  it('an unknown name is an error', async () => {
    const ended = await script('scripts/examples.mjs', 'no-such')
    expect(ended).toEqual({ exitCode: 2, stdout: '', stderr: 'No example starts with no-such.\n' })
  })
})
