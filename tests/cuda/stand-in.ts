/** Builds the stand-in for NVIDIA's libraries, so that the backend `cuda` runs where there is no GPU. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, it } from 'vitest'

const sources = fileURLToPath(new URL('./stand-in', import.meta.url))
const root = fileURLToPath(new URL('../../node_modules/.cache/dcml-cuda', import.meta.url))
const fileNames = ['libcuda.so.1', 'libnvrtc.so.13', 'libcublas.so.13', 'libnccl.so.2']

/** Whether a real GPU is to be used: `npm run test:cuda` says so. */
const isReal = Boolean(process.env.DCML_TEST_GPU)

/** Whether NVIDIA's driver is on this machine: then dcml finds it, whatever a test hides. */
export const hasDriver = ['/dev/nvidiactl', '/dev/dxg'].some((file) => existsSync(file))

/**
 * Where the stand-in lies, as variables for the environment; or why there is none.
 *
 * @param isSanitized - Whether it looks at every access of kernels to memory (stand-in/sanitizer.h). @default as
 *   DCML_TEST_SANITIZE says
 */
export function buildStandIn(
  isSanitized = Boolean(process.env.DCML_TEST_SANITIZE),
): { env: Record<string, string> } | { reason: string } {
  if (isReal) return { reason: 'These are tests with the stand-in, and a GPU is to be used.' }
  if (process.platform !== 'linux') return { reason: 'The CUDA backend runs on Linux alone.' }
  const parts = readdirSync(sources)
    .sort()
    .map((name) => readFileSync(join(sources, name), 'utf8'))
  const folder = join(root, createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16))
  const env = { DCML_CUDA_LIBRARIES: folder, DCML_CUDA_CACHE: join(folder, isSanitized ? 'sanitized' : 'kernels') }
  // With ranges of their exact size, for an access past the end of a tensor to be seen.
  if (isSanitized) Object.assign(env, { STAND_IN_SANITIZE: '1', DCML_CUDA_DEBUG: '1' })
  if (existsSync(folder)) return { env }
  if (spawnSync('g++', ['--version']).status !== 0) return { reason: 'There is no g++ to compile the stand-in with.' }
  // Aside first: test files run at the same time.
  const draft = `${folder}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  for (const name of ['kernel.h', 'shared.h']) copyFileSync(join(sources, name), join(draft, name))
  const options = ['-std=c++17', '-O1', '-shared', '-fPIC', '-fvisibility=hidden', '-U_FORTIFY_SOURCE', '-pthread']
  const file = join(draft, fileNames[0]!)
  const units = ['libraries.cpp', 'nccl.cpp'].map((name) => join(sources, name))
  const build = spawnSync('g++', [...options, ...units, '-ldl', '-lrt', '-o', file], { encoding: 'utf8' })
  if (build.status !== 0) throw new Error(`The stand-in does not compile:\n${build.stderr}`)
  for (const name of fileNames.slice(1)) symlinkSync(fileNames[0]!, join(draft, name))
  try {
    renameSync(draft, folder)
  } catch {
    // Another test was faster.
    rmSync(draft, { recursive: true })
  }
  return { env }
}

/**
 * Lets the backend cuda of this process run on the stand-in, or on the GPU where that is asked for. Where neither works,
 * a skipped test says why.
 *
 * @param isSanitized - As in `buildStandIn`.
 */
export function useStandIn(what: string, isSanitized?: boolean): boolean {
  if (isReal) {
    // At once, past what vitest gathers: the last name in a log is that of the test in which the process crashed.
    beforeEach(({ task }) => {
      writeSync(2, `> ${task.name}\n`)
    })
    return true
  }
  return needStandIn(what, isSanitized)
}

/**
 * Lets the backend cuda of this process run on the stand-in, for tests that ask what only that can tell. Where it does
 * not work, or a GPU is to be used, a skipped test says why.
 *
 * @param isSanitized - As in `buildStandIn`.
 */
export function needStandIn(what: string, isSanitized?: boolean): boolean {
  const built = buildStandIn(isSanitized)
  if ('env' in built) {
    Object.assign(process.env, built.env)
    return true
  }
  console.log(`Skipped: ${what} on cuda. ${built.reason}`)
  it.skip(`${what}: ${built.reason}`, () => {})
  return false
}
