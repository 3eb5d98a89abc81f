export { DataParallel, type DataParallelOptions } from './data-parallel.js'
