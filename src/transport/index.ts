export * from './collectives.js'
export * from './shared-collectives.js'
export * from './shared-group.js'
export * from './transport.js'
