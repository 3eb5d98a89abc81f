/**
 * What needs Node: files, folders, signals.
 * @module
 */

export { findMnist, mnistFolder, sources } from './data/node.js'
export { directory } from './storage/node.js'
export { stopOnSignal } from './training/node.js'
export { listTransports, type TransportName, type TransportReport } from './transport/node.js'
