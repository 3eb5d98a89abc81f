export {
  type Column,
  type Columns,
  columnOf,
  gatherRows,
  numbersOf,
  rowsOf,
} from './columns.js'
export { Dataset, type Resident, type ShuffleOptions } from './dataset.js'
export { datasets } from './datasets.js'
export { columnsOfRows, type Row, rowAt } from './rows.js'
export type { ShardOptions } from './sharding.js'
export type { SplitOptions } from './splitting.js'
