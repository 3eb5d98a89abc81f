export * from './columns.js'
export * from './dataset.js'
export * from './datasets.js'
export type { Row } from './streams.js'
