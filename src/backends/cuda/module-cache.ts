/**
 * Compiled kernels: in this process by name, and on disk from run to run.
 * @module
 */

import type { Driver } from './ffi/driver.js'
import type { CompileTarget, Nvrtc } from './ffi/nvrtc.js'
import { homeFolder } from './ffi/places.js'
import type { KernelModule } from './kernels/kernel-module.js'

/** A variable that names the folder of compiled kernels; 'off': none. */
const CACHE_VARIABLE = 'DCML_CUDA_CACHE'

/** Compiles modules when the first of their kernels is needed. */
export class ModuleCache {
  readonly #driver: Driver
  readonly #nvrtc: Nvrtc
  readonly #target: CompileTarget
  readonly #folder: string | undefined
  readonly #modules = new Map<KernelModule, number>()
  readonly #functions = new Map<string, number>()

  constructor(driver: Driver, nvrtc: Nvrtc, target: CompileTarget) {
    this.#driver = driver
    this.#nvrtc = nvrtc
    this.#target = target
    this.#folder = cacheFolder()
  }

  /** The handle of a kernel. Names are unique over all modules. */
  function(module: KernelModule, name: string): number {
    let handle = this.#functions.get(name)
    if (handle === undefined) {
      handle = this.#driver.calls.handle('cuModuleGetFunction', this.#load(module), name)
      this.#functions.set(name, handle)
    }
    return handle
  }

  close(): void {
    for (const handle of this.#modules.values()) this.#driver.calls.call('cuModuleUnload', handle)
  }

  #load(module: KernelModule): number {
    let handle = this.#modules.get(module)
    if (handle === undefined) {
      handle = this.#driver.calls.handle('cuModuleLoadData', this.#image(module))
      this.#modules.set(module, handle)
    }
    return handle
  }

  #image(module: KernelModule): Uint8Array {
    if (this.#folder === undefined) return this.#compile(module)
    const { kind, architecture } = this.#target
    const key = [module.source, ...(module.options ?? []), kind, architecture, this.#nvrtc.version].join('\0')
    const file = `${this.#folder}/${sha256(key).toString('hex')}.${kind}`
    const kept = readImage(file)
    if (kept) return kept
    const image = this.#compile(module)
    keepImage(file, image)
    return image
  }

  #compile(module: KernelModule): Uint8Array {
    return this.#nvrtc.compile(module.source, `${module.name}.cu`, this.#target, module.options)
  }
}

function cacheFolder(): string | undefined {
  const { env } = process
  const named = env[CACHE_VARIABLE]
  if (named) return named === 'off' ? undefined : named
  const home = homeFolder()
  const caches = env.XDG_CACHE_HOME || (home && `${home}/.cache`)
  return caches ? `${caches}/dcml/cuda` : undefined
}

const sha256 = (data: string | Uint8Array): Buffer =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(data).digest()

/** Ends each file, for the driver does not notice that one is cut: it is told no length. */
const CHECKSUM_BYTES = 32

/** What a file holds, if it is there and whole. */
function readImage(file: string): Uint8Array | undefined {
  try {
    const bytes = process.getBuiltinModule('node:fs').readFileSync(file)
    const image = bytes.subarray(0, -CHECKSUM_BYTES)
    return sha256(image).equals(bytes.subarray(image.length)) ? image : undefined
  } catch {
    return undefined
  }
}

/** Writes a file; where that cannot be, the module is compiled anew in the next run. */
function keepImage(file: string, image: Uint8Array): void {
  const fs = process.getBuiltinModule('node:fs')
  const { dirname } = process.getBuiltinModule('node:path')
  // Written aside: another thread or process, of another machine even, may look for it or write it meanwhile.
  const draft = `${file}.${process.getBuiltinModule('node:crypto').randomUUID()}`
  try {
    fs.mkdirSync(dirname(file), { recursive: true })
    try {
      fs.writeFileSync(draft, Buffer.concat([image, sha256(image)]))
      fs.renameSync(draft, file)
    } finally {
      // There is one yet if the disk was full.
      fs.rmSync(draft, { force: true })
    }
  } catch {
    // A folder that cannot be made or written to.
  }
}
