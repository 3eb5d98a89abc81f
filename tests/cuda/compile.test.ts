import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Nvrtc } from '../../src/backends/cuda/ffi/nvrtc.js'
import { kernelModules } from '../../src/backends/cuda/kernels/index.js'
import { findNvrtc, strict } from './find-nvrtc.js'

/** That of an H100 and H200. */
const architecture = 'sm_90'
/** From the T4 of 2018 to the GPUs of 2025. */
const architectures = ['sm_75', 'sm_80', 'sm_86', 'sm_89', 'sm_90', 'sm_100', 'sm_103', 'sm_120']

/** The toolkit's compiler, or why there is none. */
function findNvcc(): string | undefined {
  const toolkits = readdirSync('/usr/local').filter((name) => name.startsWith('cuda'))
  const places = ['nvcc', ...toolkits.map((name) => `/usr/local/${name}/bin/nvcc`)]
  return places.find((place) => spawnSync(place, ['--version']).status === 0)
}

const nvcc = findNvcc()
if (!nvcc) console.log('Skipped: compiling the kernels with nvcc. There is no CUDA toolkit.')
const found = await findNvrtc()
if ('reason' in found) console.log(`Skipped: compiling the kernels with NVRTC. ${found.reason}`)

describe('the sources of the kernels', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dcml-nvcc-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.skipIf(!nvcc)(
    'compile with nvcc, without a warning, and keep all values in registers',
    { timeout: 120_000 },
    () => {
      for (const { name, source, options = [] } of kernelModules) {
        const file = join(folder, `${name}.cu`)
        writeFileSync(file, source)
        const all = ['-std=c++17', '-cubin', `-arch=${architecture}`, ...strict, ...options, '-o', `${file}bin`, file]
        const { status, stderr } = spawnSync(nvcc!, all, { encoding: 'utf8' })
        expect({ file, status, stderr }).toEqual({ file, status: 0, stderr: '' })
      }
    },
  )

  it.skipIf('reason' in found).each(kernelModules.map((module) => [module.name, module] as const))(
    '%s compiles with NVRTC for every architecture',
    (name, { source, options = [] }) => {
      const { nvrtc } = found as { nvrtc: Nvrtc }
      for (const architecture of architectures) {
        const image = nvrtc.compile(source, name, { kind: 'cubin', architecture }, [...strict, ...options])
        expect(image.length).toBeGreaterThan(0)
      }
    },
  )
})
