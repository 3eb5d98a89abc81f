/** Where MNIST is: a folder that was named, the environment, the user's cache, or a public mirror. @module */

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DataError, withDefaults } from '../core/index.js'
import { mnistFolder } from './mnist.js'

const MIRRORS = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
]

/** SHA-256 of the unpacked files, which do not depend on how a mirror packed them. */
const SUMS: Readonly<Record<string, string>> = {
  't10k-labels-idx1-ubyte.gz': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  't10k-images-idx3-ubyte.gz': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  'train-labels-idx1-ubyte.gz': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  'train-images-idx3-ubyte.gz': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
}

/** Where to look for MNIST. */
export interface FindMnistOptions {
  /** A folder that must have it, itself or in its subfolder `mnist`. */
  dir?: string
  /** Where downloads are kept. @default `$XDG_CACHE_HOME/dcml/mnist`, or `~/.cache/dcml/mnist` */
  cacheDir?: string
  /** Whether to fetch it when it is nowhere else. @default true */
  download?: boolean
  /** Folders of mirrors, each ending in `/`, tried in order. @default two public ones */
  mirrors?: readonly string[]
  /** Time for each file, in milliseconds; a first answer must come within 5 seconds. @default 60000 */
  timeoutMs?: number
}

/** What the search came to. */
export interface FoundMnist {
  /** The folder to give to `sources.mnist`; undefined: not found. */
  dir: string | undefined
  /** Each place that was tried in vain, with the reason. */
  tried: string[]
}

/**
 * Finds MNIST, and downloads it when it is not here and may be.
 *
 * @throws {DataError} if `dir` or DCML_DATA_DIR was named and does not hold the four files: what a user names is never
 *   replaced by something else in silence.
 * @example
 * const { dir, tried } = await findMnist()
 * const train = dir ? await sources.mnist({ dir, split: 'train' }) : datasets.syntheticDigits({ count: 60_000 })
 */
export async function findMnist(options: FindMnistOptions = {}): Promise<FoundMnist> {
  const { cacheDir, download, mirrors, timeoutMs } = withDefaults('findMnist', options, {
    dir: undefined,
    cacheDir: defaultCache(),
    download: true,
    mirrors: MIRRORS,
    timeoutMs: 60_000,
  })
  if (options.dir !== undefined) return { dir: named(options.dir, 'the folder that was named'), tried: [] }
  const fromEnvironment = process.env.DCML_DATA_DIR
  if (fromEnvironment) return { dir: named(fromEnvironment, 'DCML_DATA_DIR'), tried: [] }
  const cached = mnistFolder(cacheDir)
  if (cached) return { dir: cached, tried: [] }
  const tried = ['DCML_DATA_DIR: not set', `${cacheDir}: the four files are not there`]
  if (!download) return { dir: undefined, tried: [...tried, 'download: not allowed'] }
  for (const mirror of mirrors) {
    try {
      for (const file of Object.keys(SUMS)) await fetchFile(mirror, file, cacheDir, timeoutMs)
      return { dir: cacheDir, tried }
    } catch (error) {
      tried.push(`${mirror}: ${reasonOf(error)}`)
    }
  }
  return { dir: undefined, tried }
}

function named(dir: string, origin: string): string {
  const folder = mnistFolder(dir)
  if (folder) return folder
  throw new DataError(`MNIST is not in ${dir} (${origin}).`, {
    expected: `${Object.keys(SUMS).join(', ')}, there or in its subfolder mnist`,
    remedy: 'Name a folder that has them, or none to have them downloaded',
  })
}

const defaultCache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dcml', 'mnist')

/** Fetches one file, checks it and puts it in place whole. */
async function fetchFile(mirror: string, file: string, folder: string, timeoutMs: number): Promise<void> {
  const abort = new AbortController()
  const whole = setTimeout(() => abort.abort(new Error(`no ${file} within ${timeoutMs} ms`)), timeoutMs)
  const firstAnswer = setTimeout(() => abort.abort(new Error('no answer within 5 seconds')), 5000)
  try {
    const response = await fetch(mirror + file, { signal: abort.signal })
    clearTimeout(firstAnswer)
    if (!response.ok) throw new Error(`HTTP status ${response.status} for ${file}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const sum = createHash('sha256').update(gunzipSync(bytes)).digest('hex')
    if (sum !== SUMS[file]) throw new Error(`${file} has unpacked the SHA-256 ${sum}, not ${SUMS[file]}`)
    await mkdir(folder, { recursive: true })
    const temporary = join(folder, `.dcml-${randomUUID()}`)
    await writeFile(temporary, bytes)
    await rename(temporary, join(folder, file)).catch(async (error) => {
      await rm(temporary, { force: true })
      throw error
    })
  } finally {
    clearTimeout(whole)
    clearTimeout(firstAnswer)
  }
}

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message})` : message
}
