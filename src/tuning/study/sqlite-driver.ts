/**
 * SQLite on every Node: its own where it has one, else the package libsql.
 *
 * Both call the C library in this process, which locks files by the operating system. See docs/decisions.
 * @module
 */

import { StorageError } from '../../core/index.js'

/** What is used of a database, the same in both. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): void
}

/** What is used of a statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/** What a column holds. */
export type SqliteValue = string | number | null

type DatabaseClass = new (path: string) => SqliteDatabase

// A name in a variable keeps the package out of the build.
const PACKAGE = 'libsql'

/**
 * Opens a file, making it where there is none.
 *
 * @throws {StorageError} if there is no SQLite here, or the file cannot be opened.
 */
export async function openSqlite(path: string): Promise<SqliteDatabase> {
  const Database = await databaseClass()
  try {
    return new Database(path)
  } catch (cause) {
    throw new StorageError(`Cannot open ${path}: ${(cause as Error).message}`, {
      remedy: 'Make sure that its folder is there and that both can be written',
      cause,
    })
  }
}

async function databaseClass(): Promise<DatabaseClass> {
  const builtIn = (await import('node:process')).getBuiltinModule?.('node:sqlite') as
    | { DatabaseSync: DatabaseClass }
    | undefined
  if (builtIn) return builtIn.DatabaseSync
  try {
    return ((await import(PACKAGE)) as { default: DatabaseClass }).default
  } catch (cause) {
    throw new StorageError('There is no SQLite here: Node has its own from 22.13 on.', {
      received: `Node ${process.versions.node}`,
      remedy: 'Install it: npm install libsql',
      cause,
    })
  }
}
