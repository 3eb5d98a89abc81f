export { type CollectivesOptions, createCollectives } from './create-collectives.js'
