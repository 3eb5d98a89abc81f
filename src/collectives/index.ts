export { type AllReduceAlgorithm, type CollectivesOptions, createCollectives } from './create-collectives.js'
export type { RankGroups } from './hierarchical.js'
export { type LinkModel, measureLink } from './link-model.js'
export { subgroup } from './subgroup.js'
