import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listAssists } from 'dcml/node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { dcml } from './run-cli.js'

vi.setConfig({ testTimeout: 180_000 })
const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const measurement = ['bench', 'train', '--case', 'mlp-512', '--library', 'dcml', '--rounds', '1', '--seconds', '0.2']

const [blas] = await listAssists()
if (!blas!.available) console.log(`Skipped: commands with a BLAS. ${blas!.reason}`)

describe.skipIf(!blas!.available)('with a BLAS', () => {
  it('dcml doctor names it', async () => {
    const { stdout } = await dcml('doctor')
    expect(stdout).toMatch(new RegExp(`✓ blas +${blas!.library}`))
    const { assists } = JSON.parse((await dcml('doctor', '--json')).stdout)
    expect(assists).toEqual([{ name: 'blas', available: true, library: blas!.library }])
  })

  it('dcml bench train --assist uses it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dcml-assist-'))
    const file = join(folder, 'figures.json')
    const { exitCode } = await dcml(...measurement, '--assist', '--json', file)
    const { default: figures } = await import(file, { with: { type: 'json' } })
    await rm(folder, { recursive: true })
    expect(exitCode).toBe(0)
    expect(figures.cases[0].results.dcml.assist).toBe(blas!.library)
  })
})

describe('what is missing', () => {
  let copy: string

  /** The package where everything is installed but koffi. */
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'dcml-without-koffi-'))
    for (const name of ['dist', 'package.json']) await cp(join(root, name), join(copy, name), { recursive: true })
    await mkdir(join(copy, 'node_modules'))
    for (const name of await readdir(join(root, 'node_modules')))
      if (name !== 'koffi') await symlink(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  })
  afterAll(() => rm(copy, { recursive: true }))

  const withoutKoffi = (...args: string[]) =>
    run(process.execPath, [join(copy, 'dist/cli.js'), ...args]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
    )

  it('is named by dcml doctor: the package', async () => {
    const { code, stdout } = await withoutKoffi('doctor')
    expect(code).toBe(0)
    expect(stdout).toMatch(/· blas +The package koffi is not installed\. Install it: npm install koffi\./)
  })

  it('fails dcml bench train --assist with the remedy, and nothing else', async () => {
    const asked = await withoutKoffi(...measurement, '--assist')
    expect(asked.code).toBe(1)
    expect(asked.stdout).toContain("The assist 'blas' is not available. The package koffi is not installed.")
    expect((await withoutKoffi(...measurement)).code).toBe(0)
  })

  it.skipIf(!blas!.available)('is named by dcml doctor: the library', async () => {
    const env = { ...process.env, DCML_BLAS: join(copy, 'none.so') }
    const { stdout } = await run(process.execPath, [join(root, 'dist/cli.js'), 'doctor'], { env })
    expect(stdout).toMatch(/· blas +DCML_BLAS names .*none\.so, which does not load/)
  })
})
