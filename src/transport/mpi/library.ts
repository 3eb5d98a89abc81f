/**
 * Finds an MPI library on this machine and loads it through koffi. Neither is a dependency of dcml: both may be missing.
 * @module
 */

import {
  type Environment,
  hasLongStack,
  type Koffi,
  keepLoaded,
  loadKoffi,
  type NativeLibrary,
} from '../../core/index.js'
import { type Abi, abis } from './abi.js'

/** An MPI, loaded but not started. */
export interface MpiLibrary {
  readonly abi: Abi
  readonly file: string
  /** As the library tells it: 'Open MPI v4.1.4'. */
  readonly version: string
  readonly functions: NativeLibrary
  addressOf(symbol: string): number
  /** Whether its functions may run on another thread of this process. */
  readonly mayRunAside: boolean
}

/** A variable that names the library's file, when it is none of those known. */
const FILE_VARIABLE = 'DCML_MPI'

/** The binary interface that the launcher of this process speaks, as its variables tell; undefined for any. */
export function launcherAbi(environment: Environment): Abi['name'] | undefined {
  if (environment.OMPI_COMM_WORLD_SIZE) return 'Open MPI'
  if (environment.PMI_SIZE) return 'MPICH'
  return undefined
}

/**
 * Loads the first MPI library that is found: the launcher's kind first.
 *
 * @param file - The library's file; else the variable DCML_MPI, else what the loader finds under the known names.
 */
export async function loadMpi(file?: string): Promise<{ library: MpiLibrary } | { reason: string }> {
  const found = await findMpi({ file, atMost: 1 })
  if ('reason' in found) return found
  const [library] = found.libraries
  // Open MPI has something to do at the end of a thread, and its plug-ins look for its symbols among those that are lent.
  keepLoaded(found.koffi, library!.file, true)
  return { library: library! }
}

/** The MPI libraries of this machine, such as 'Open MPI 4.1.4 (libmpi.so.40)', or why there is none. */
export async function listMpi(): Promise<{ library: string } | { reason: string }> {
  const found = await findMpi({ file: undefined, atMost: Infinity })
  if ('reason' in found) return found
  const names = new Map(found.libraries.map(({ version, file }) => [version, `${version} (${file})`]))
  return { library: [...names.values()].join(', ') }
}

/** The first libraries that load: at least one. */
async function findMpi({
  file,
  atMost,
}: {
  file: string | undefined
  atMost: number
}): Promise<{ koffi: Koffi; libraries: MpiLibrary[] } | { reason: string }> {
  const loaded = await loadKoffi()
  if ('reason' in loaded) return loaded
  if (process.platform !== 'linux') return { reason: `MPI is used on Linux alone; this is ${process.platform}.` }
  const { koffi } = loaded
  prepareUcx()
  const libraries: MpiLibrary[] = []
  const tried: string[] = []
  for (const candidate of candidates(file)) {
    if (libraries.length === atMost) break
    try {
      libraries.push(open(koffi, candidate))
    } catch (error) {
      tried.push(`${candidate} (${(error as Error).message.replace('Failed to load shared library: ', '')})`)
    }
  }
  if (libraries.length > 0) return { koffi, libraries }
  return {
    reason:
      `No MPI library was found; tried ${tried.join(', ')}. Install one, such as openmpi-bin or mpich (Debian, ` +
      `Ubuntu), add its folder to LD_LIBRARY_PATH, or name its file in ${FILE_VARIABLE}.`,
  }
}

function candidates(file: string | undefined): readonly string[] {
  const named = file ?? process.env[FILE_VARIABLE]
  if (named) return [named]
  const first = launcherAbi(process.env)
  return [...abis].sort((a, b) => Number(b.name === first) - Number(a.name === first)).flatMap(({ files }) => files)
}

function open(koffi: Koffi, file: string): MpiLibrary {
  const functions = koffi.load(file)
  const text = Buffer.alloc(8192)
  functions.func('int MPI_Get_library_version(void *text, void *length)')(text, new Int32Array(1))
  const version = text.toString('latin1', 0, text.indexOf(0))
  const abi = abis.find(({ family }) => family.test(version))
  if (!abi) throw new Error(`an MPI of an unknown kind: ${version.slice(0, 60)}`)
  return {
    abi,
    file,
    version: nameOf(abi, version),
    functions,
    addressOf: (symbol) => Number(koffi.address(functions.symbol(symbol))),
    mayRunAside: hasLongStack(koffi),
  }
}

/** 'Open MPI v4.1.4, package: ...' and 'MPICH Version:\t4.0.2\n...' without the rest. */
function nameOf(abi: Abi, version: string): string {
  const [, name, number] = /^\s*([^\d:,]*?)\s*(?:version)?\s*:?\s*v?(\d[\w.]*)/i.exec(version) ?? []
  return number ? `${name} ${number}` : abi.name
}

/**
 * UCX, which MPICH and others build on, takes over memory and signals of the whole process. In a process with many
 * threads the first crashes now and then; the second would end the process where a trap in WebAssembly is to throw.
 */
function prepareUcx(): void {
  process.env.UCX_MEM_EVENTS ??= 'no'
  process.env.UCX_ERROR_SIGNALS ??= ''
}
