/** Loads koffi, which calls native libraries. It is no dependency of dcml: it may be missing. @module */

/** What is used of koffi. */
export interface Koffi {
  /** @param file - Null for what the process has loaded already. `global` lends the library's symbols to later ones. */
  load(file: string | null, options?: { global?: boolean }): NativeLibrary
  /** Address in this process of a view's first element, or of what a library's symbol names. */
  address(value: unknown): bigint
  /** The memory at an address, without a copy. */
  view(address: bigint, bytes: number): ArrayBuffer
  /** Names a C struct, for prototypes. */
  struct(name: string, fields: Record<string, unknown>): unknown
  /** The C type of an array inside a struct. */
  array(type: string, length: number): unknown
  config(): { async_stack_size?: number }
  config(settings: { async_stack_size: number }): unknown
}

/** A shared library. */
export interface NativeLibrary {
  /** @param prototype - A C function of the library. */
  func(prototype: string): NativeFunction
  /** What a name of the library stands for; for `address`. */
  symbol(name: string): unknown
}

/** A C function. */
export interface NativeFunction {
  (...values: unknown[]): unknown
  /** Runs it on another thread. The last value is called back with an error or null, and the result. */
  async(...values: unknown[]): void
}

/** Stack of a function that runs on another thread, in bytes: koffi's own, of 128 KiB, is too short for MPICH. */
const ASYNC_STACK_BYTES = 1 << 20

/** koffi, or why there is none. */
export async function loadKoffi(): Promise<{ koffi: Koffi } | { reason: string }> {
  const { process } = globalThis as { process?: NodeJS.Process }
  if (process?.versions?.node === undefined) return { reason: 'It needs Node: a browser cannot load a native library.' }
  try {
    // A specifier in a variable: bundlers leave the optional package alone.
    const name = 'koffi'
    const { default: koffi } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { default: Koffi }
    if (!hasLongStack(koffi)) lengthenStack(koffi)
    return { koffi }
  } catch (error) {
    // A file of koffi may be what is missing.
    return (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND' && /package 'koffi'/.test(String(error))
      ? { reason: 'The package koffi is not installed. Install it: npm install koffi.' }
      : { reason: `The package koffi does not load: ${(error as Error).message.split('\n')[0]} Install it anew.` }
  }
}

/** Of `dlopen` on Linux: resolve all symbols now; lend them to libraries loaded later; never unload. */
const NOW = 0x2
const GLOBAL = 0x100
const NODELETE = 0x1000

/**
 * Keeps a library that is loaded until the process ends. koffi unloads it once nothing in JavaScript refers to it, and
 * at the end of the thread that loaded it, even while the library's own threads run. Linux only.
 *
 * @param file - As it was loaded.
 * @param isGlobal - Whether its symbols are lent to later ones.
 */
export function keepLoaded(koffi: Koffi, file: string, isGlobal: boolean): void {
  koffi.load(null).func('void *dlopen(const char *file, int mode)')(file, NOW | NODELETE | (isGlobal ? GLOBAL : 0))
}

/** Whether functions of any library may run on another thread. */
export function hasLongStack(koffi: Koffi): boolean {
  return (koffi.config().async_stack_size ?? 0) >= ASYNC_STACK_BYTES
}

function lengthenStack(koffi: Koffi): void {
  try {
    koffi.config({ async_stack_size: ASYNC_STACK_BYTES })
  } catch {
    // Refused once a library is loaded, which a program may have done before dcml.
  }
}
