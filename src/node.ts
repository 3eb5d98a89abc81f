/**
 * What needs Node: files, folders, signals.
 * @module
 */

export {
  type AssistName,
  type AssistReport,
  type DeviceLinkReport,
  listAssists,
  listDeviceLinks,
} from './backends/node.js'
export { type Environment, type ProcessPlace, processPlace } from './core/index.js'
export {
  type AudioFolderOptions,
  type FindMnistOptions,
  type FolderOptions,
  type FoundMnist,
  findMnist,
  type ImageFolderOptions,
  type MnistSplit,
  mnistFolder,
  type SqlOptions,
  type SqlValue,
  sources,
  type TableFormat,
  type WriteTableOptions,
  writeTable,
} from './data/node.js'
export { type LaunchOptions, launch } from './distributed/node.js'
export { directory } from './storage/node.js'
export { csvLog, jsonlLog, stopOnSignal, tensorBoard } from './training/node.js'
export {
  listTransports,
  type MpiOptions,
  mpi,
  type TcpOptions,
  type TcpTls,
  type TransportName,
  type TransportReport,
  tcp,
} from './transport/node.js'
export { type SqliteOptions, sqlite } from './tuning/node.js'
