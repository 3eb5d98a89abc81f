export { type SqliteOptions, sqlite } from './study/sqlite-studies.js'
