/** Which backends a test runs on that holds for all of them. @module */

import type { BackendName } from '../../../src/backends/index.js'

let tested: readonly BackendName[] = ['wasm', 'cpu']

/** Those to run on. */
export const testedBackends = (): readonly BackendName[] => tested

/** Those with kernels of dcml's own among them. */
export const nativeBackends = (): readonly BackendName[] => tested.filter((name) => name !== 'cpu')

/** Lets the tests that are imported from now on run on other backends. */
export function testOn(...backends: BackendName[]): void {
  tested = backends
}
