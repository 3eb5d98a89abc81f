export { listTransports, type TransportName, type TransportReport } from './list-transports.js'
export { type MpiOptions, mpi } from './mpi/mpi.js'
export { type Environment, type ProcessPlace, processPlace } from './process-place.js'
