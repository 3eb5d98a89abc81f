/**
 * Conformance suites: what every implementation of a contract must pass.
 * @module
 */

export { testStore } from './testing/store.js'
export type { ConformanceCase } from './testing/suite.js'
export { testTransport } from './testing/transport.js'
