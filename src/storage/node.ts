export * from './directory.js'
