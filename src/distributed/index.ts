export {
  bfloat16,
  type Compression,
  float16,
  type Int8Options,
  int8,
  type PowerSgdOptions,
  powerSgd,
  type TopKOptions,
  topK,
} from './compression/compression.js'
export { createMember, type StrategyDescription } from './create-member.js'
export { CustomStrategy, type CustomStrategyOptions, type MemberMaker } from './custom-strategy.js'
export { DataParallel, type DataParallelOptions } from './data-parallel.js'
export type { ElasticOptions } from './elastic-options.js'
export { GroupMember } from './group-member.js'
export { type GroupOptions, GroupStrategy } from './group-strategy.js'
export { LocalSGD, type LocalSGDOptions } from './local-sgd.js'
export { type NesterovOptions, nesterov, type OuterOptimizer } from './outer-optimizer.js'
export { ParameterServer, type ParameterServerStrategyOptions } from './parameter-server.js'
export { ShardedDataParallel, type ShardedDataParallelOptions } from './sharded-data-parallel.js'
