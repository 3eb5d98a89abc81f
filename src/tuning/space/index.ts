export * from './axis.js'
export * from './parameter.js'
export * from './space.js'
