export { stopOnSignal } from './stop-on-signal.js'
export { csvLog, jsonlLog } from './trackers/table-logs.js'
export { tensorBoard } from './trackers/tensor-board.js'
