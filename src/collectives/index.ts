export { type AllReduceAlgorithm, type CollectivesOptions, createCollectives } from './create-collectives.js'
export type { RankGroups } from './hierarchical.js'
export { allReduceUs, fastestAllReduce, type LinkModel, measureLink } from './link-model.js'
export { subgroup } from './subgroup.js'
