export { type AshaOptions, asha } from './asha.js'
export { type HyperbandOptions, hyperband } from './hyperband.js'
export { type MedianOptions, median } from './median.js'
export type { Scheduler, SchedulerContext } from './scheduler.js'
