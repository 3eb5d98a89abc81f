/**
 * NVRTC: compiles CUDA C while the program runs.
 *
 * @see https://docs.nvidia.com/cuda/nvrtc/
 * @module
 */

import { DcmlError, type NativeLibrary } from '../../../core/index.js'
import { NativeCalls, textOf } from './native-calls.js'

/** C types of parameters. */
export const nvrtcPrototypes = {
  nvrtcVersion: 'void *major, void *minor',
  nvrtcGetNumSupportedArchs: 'void *count',
  nvrtcGetSupportedArchs: 'void *architectures',
  nvrtcCreateProgram: 'void *program, const char *source, const char *name, int headers, void *texts, void *names',
  nvrtcCompileProgram: 'uintptr_t program, int count, const char **options',
  nvrtcGetProgramLogSize: 'uintptr_t program, void *bytes',
  nvrtcGetProgramLog: 'uintptr_t program, void *text',
  nvrtcGetCUBINSize: 'uintptr_t program, void *bytes',
  nvrtcGetCUBIN: 'uintptr_t program, void *image',
  nvrtcGetPTXSize: 'uintptr_t program, void *bytes',
  nvrtcGetPTX: 'uintptr_t program, void *image',
  nvrtcDestroyProgram: 'void *program',
} as const

/** Values of `nvrtc.h`, by their names there. */
export const nvrtcValues = { NVRTC_ERROR_BUILTIN_OPERATION_FAILURE: 7 } as const

/** What is compiled for: machine code of one architecture, or PTX, which the driver translates for a newer one. */
export interface CompileTarget {
  readonly kind: 'cubin' | 'ptx'
  /** The option's value, such as 'sm_90' or 'compute_90'. */
  readonly architecture: string
}

/** The compiler of this process. */
export class Nvrtc {
  /** Such as '13.0'. */
  readonly version: string
  readonly #calls: NativeCalls<keyof typeof nvrtcPrototypes>
  readonly #supported: readonly number[]

  constructor(library: NativeLibrary) {
    this.#calls = new NativeCalls(
      library,
      nvrtcPrototypes,
      (name, code) => new DcmlError(`${name} failed with error ${code}`),
    )
    const [major, minor] = [new Int32Array(1), new Int32Array(1)]
    this.#calls.call('nvrtcVersion', major, minor)
    this.version = `${major[0]}.${minor[0]}`
    const supported = new Int32Array(this.#calls.int('nvrtcGetNumSupportedArchs'))
    this.#calls.call('nvrtcGetSupportedArchs', supported)
    this.#supported = [...supported]
  }

  /**
   * What to compile for, on a device.
   *
   * @param capability - Compute capability of the device times 10, such as 90.
   * @throws {DcmlError} if the device is older than all that this NVRTC knows.
   */
  targetFor(capability: number): CompileTarget {
    if (this.#supported.includes(capability)) return { kind: 'cubin', architecture: `sm_${capability}` }
    const below = this.#supported.filter((known) => known < capability)
    if (below.length === 0)
      throw new DcmlError(`NVRTC ${this.version} does not compile for this GPU.`, {
        expected: `compute capability ${Math.min(...this.#supported) / 10} or newer`,
        received: capability / 10,
        remedy: 'Install an older CUDA toolkit, or use another GPU',
      })
    return { kind: 'ptx', architecture: `compute_${Math.max(...below)}` }
  }

  /**
   * Compiles a source.
   *
   * @param name - What messages call it.
   * @param more - Options beyond those of every source.
   * @throws {DcmlError} with the compiler's messages, if it refuses the source.
   */
  compile(
    source: string,
    name: string,
    { kind, architecture }: CompileTarget,
    more: readonly string[] = [],
  ): Uint8Array {
    const program = this.#calls.handle('nvrtcCreateProgram', source, name, 0, null, null)
    try {
      const options = [`--gpu-architecture=${architecture}`, '--std=c++17', ...more]
      const code = this.#calls.function('nvrtcCompileProgram')(program, options.length, options) as number
      if (code !== 0) {
        const log = textOf(this.#bytes(program, 'nvrtcGetProgramLogSize', 'nvrtcGetProgramLog'))
        const isIncomplete = code === nvrtcValues.NVRTC_ERROR_BUILTIN_OPERATION_FAILURE
        throw new DcmlError(
          `NVRTC ${this.version} refused ${name} for ${architecture} (error ${code}):\n${log.trim()}`,
          isIncomplete ? { remedy: 'Install NVRTC anew: libnvrtc-builtins belongs beside libnvrtc' } : {},
        )
      }
      return kind === 'cubin'
        ? this.#bytes(program, 'nvrtcGetCUBINSize', 'nvrtcGetCUBIN')
        : this.#bytes(program, 'nvrtcGetPTXSize', 'nvrtcGetPTX')
    } finally {
      this.#calls.call('nvrtcDestroyProgram', BigUint64Array.of(BigInt(program)))
    }
  }

  #bytes(program: number, sizeName: keyof typeof nvrtcPrototypes, name: keyof typeof nvrtcPrototypes): Uint8Array {
    const size = new BigUint64Array(1)
    this.#calls.call(sizeName, program, size)
    const bytes = new Uint8Array(Number(size[0]))
    this.#calls.call(name, program, bytes)
    return bytes
  }
}
