export * from './indexed-db.js'
export * from './memory.js'
export * from './store.js'
