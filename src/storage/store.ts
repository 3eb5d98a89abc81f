/** The contract of storage: named bytes. @module */

import { checkGiven } from '../core/index.js'

/**
 * Keeps bytes under names. A name may hold '/' as a folder separator.
 *
 * A write is all or nothing: a reader sees the old bytes or the new, never a part.
 */
export interface Store {
  /** @throws {StorageError} if there is nothing under this name, or it is damaged. */
  read(name: string): Promise<Uint8Array>
  /** Keeps bytes under a name, in place of what was there. */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** Names that begin with `prefix`, in order. */
  list(prefix?: string): Promise<string[]>
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>
}

/** @throws {ConfigError} if what was given, such as the name of a folder, is no store. @param what - For the message. */
export function checkStore(what: string, store: Store): void {
  checkGiven(typeof store?.read === 'function' && typeof store.write === 'function', `${what} is no store.`, {
    expected: "a store, such as directory('run') of 'dcml/node', indexedDb('run') or memory()",
    received: store,
  })
}
