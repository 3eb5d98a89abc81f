export * from './memory-studies.js'
export * from './study-storage.js'
export * from './trial-record.js'
