/**
 * Compiled kernels: in this process by name, and on disk from run to run.
 * @module
 */

import type { Driver } from './ffi/driver.js'
import type { CompileTarget, Nvrtc } from './ffi/nvrtc.js'
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
    const { createHash, randomUUID } = process.getBuiltinModule('node:crypto')
    const fs = process.getBuiltinModule('node:fs')
    const { kind, architecture } = this.#target
    const key = [module.source, ...(module.options ?? []), kind, architecture, this.#nvrtc.version].join('\0')
    const file = `${this.#folder}/${createHash('sha256').update(key).digest('hex')}.${kind}`
    try {
      return fs.readFileSync(file)
    } catch {
      // Not there yet.
    }
    const image = this.#compile(module)
    try {
      fs.mkdirSync(this.#folder, { recursive: true })
      // Written aside: another thread or process, of another machine even, may look for it or write it meanwhile.
      const draft = `${file}.${randomUUID()}`
      fs.writeFileSync(draft, image)
      fs.renameSync(draft, file)
    } catch {
      // A folder that cannot be written to: it is compiled anew in the next run.
    }
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
  const { homedir } = process.getBuiltinModule('node:os')
  return `${env.XDG_CACHE_HOME || `${homedir()}/.cache`}/dcml/cuda`
}
