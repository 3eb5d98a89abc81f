/**
 * Conformance suites: what every implementation of a contract must pass.
 * @module
 */

export {
  type CollectivesPlace,
  type CollectivesSubject,
  runCollectivesCase,
  testCollectives,
} from './testing/collectives.js'
export { type StoreSubject, testStore } from './testing/store.js'
export { type StrategySubject, testStrategy } from './testing/strategy.js'
export type { ConformanceCase } from './testing/suite.js'
export { type TransportSubject, testTransport } from './testing/transport.js'
