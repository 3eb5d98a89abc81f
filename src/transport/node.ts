export { listTransports, type TransportName, type TransportReport } from './list-transports.js'
