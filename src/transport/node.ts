export { listTransports, type TransportName, type TransportReport } from './list-transports.js'
export { type MpiOptions, mpi } from './mpi/mpi.js'
export { tcp } from './tcp/tcp.js'
export type { TcpOptions, TcpTls } from './tcp/tcp-options.js'
