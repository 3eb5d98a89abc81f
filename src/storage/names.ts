/** Names in a store. @module */

import { ConfigError, StorageError } from '../core/index.js'

/** Refuses names that are empty or would leave the store. */
export function checkName(name: string): void {
  const parts = name.split('/')
  if (name !== '' && !name.includes('\\') && parts.every((part) => part !== '' && part !== '.' && part !== '..')) return
  throw new ConfigError('This is not a name that a store takes.', {
    expected: "parts divided by '/', none of them empty, '.' or '..'",
    received: JSON.stringify(name),
  })
}

/** The error for a name that has nothing. */
export function missing(name: string, where: string): StorageError {
  return new StorageError(`There is no '${name}' in ${where}.`, { remedy: 'Look at list() for what there is' })
}
