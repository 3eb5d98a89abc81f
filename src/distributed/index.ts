export type { StrategyDescription } from './create-member.js'
export { DataParallel, type DataParallelOptions } from './data-parallel.js'
export { type GroupOptions, GroupStrategy } from './group-strategy.js'
