/** The functions of a C library as JavaScript sees them: bound once, checked at every call. @module */

import type { NativeFunction, NativeLibrary } from '../../../core/index.js'

/** Functions that return 0, or a code that says what went wrong. */
export class NativeCalls<Name extends string> {
  readonly #library: NativeLibrary
  readonly #prototypes: Readonly<Record<Name, string>>
  readonly #functions = new Map<Name, NativeFunction>()
  readonly #fail: (name: Name, code: number) => Error

  /**
   * @param prototypes - C types of the parameters, by the name of the function.
   * @param fail - The error for a code that a function returned.
   */
  constructor(
    library: NativeLibrary,
    prototypes: Readonly<Record<Name, string>>,
    fail: (name: Name, code: number) => Error,
  ) {
    this.#library = library
    this.#prototypes = prototypes
    this.#fail = fail
  }

  /** @throws What `fail` makes of a code that is not 0. */
  call(name: Name, ...values: unknown[]): void {
    const code = this.function(name)(...values) as number
    if (code !== 0) throw this.#fail(name, code)
  }

  /** A function by itself: the caller looks at what it returns. */
  function(name: Name): NativeFunction {
    let bound = this.#functions.get(name)
    if (!bound) {
      bound = this.#library.func(`int ${name}(${this.#prototypes[name]})`)
      this.#functions.set(name, bound)
    }
    return bound
  }

  /** The handle or address that a function writes through its first parameter. */
  handle(name: Name, ...values: unknown[]): number {
    const out = new BigUint64Array(1)
    this.call(name, out, ...values)
    return Number(out[0])
  }

  /** The int that a function writes through its first parameter. */
  int(name: Name, ...values: unknown[]): number {
    const out = new Int32Array(1)
    this.call(name, out, ...values)
    return out[0]!
  }
}

/** The text in a buffer up to the byte that ends it. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
