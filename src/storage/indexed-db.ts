/** A store in the browser's IndexedDB. @module */

import { ConfigError, StorageError } from '../core/index.js'
import { checkName, missing } from './names.js'
import type { Store } from './store.js'

const TABLE = 'bytes'

/**
 * Keeps bytes in the browser, across visits.
 *
 * @param name - Name of the database.
 */
export function indexedDb(name: string): Store {
  const where = `the database '${name}'`
  const run = async <T>(mode: IDBTransactionMode, use: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await open(name)
    try {
      const transaction = database.transaction(TABLE, mode)
      const request = use(transaction.objectStore(TABLE))
      return await new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = transaction.onerror = () =>
          reject(new StorageError(`An access to ${where} failed.`, { cause: transaction.error }))
      })
    } finally {
      database.close()
    }
  }
  return {
    async read(entry) {
      checkName(entry)
      const bytes = await run<Uint8Array | undefined>('readonly', (table) => table.get(entry))
      if (!bytes) throw missing(entry, where)
      return bytes
    },
    async write(entry, bytes) {
      checkName(entry)
      await run('readwrite', (table) => table.put(Uint8Array.from(bytes), entry))
    },
    async list(prefix = '') {
      const keys = await run('readonly', (table) => table.getAllKeys())
      return keys.map(String).filter((key) => key.startsWith(prefix))
    },
    async remove(entry) {
      checkName(entry)
      await run('readwrite', (table) => table.delete(entry))
    },
  }
}

function open(name: string): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined')
    throw new ConfigError('There is no IndexedDB here.', { remedy: "Use memory(), or directory() from 'dcml/node'" })
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () =>
      reject(new StorageError(`The database '${name}' could not be opened.`, { cause: request.error }))
  })
}
