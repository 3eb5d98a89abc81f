/** Names in a store. @module */

import { ConfigError, StorageError } from '../core/index.js'

/** Ending of the checksum files of a directory; no name may have it. */
export const CHECKSUM = '.sha256'

/** Start of the temporary files of a directory; no part of a name may have it. */
export const TEMPORARY = '.dcml-'

/** Refuses names that are empty, would leave the store, are reserved, or that not every file system takes. */
export function checkName(name: string): void {
  const badPart = (part: string) => part === '' || part === '.' || part === '..' || part.startsWith(TEMPORARY)
  const badCharacter = (character: string) => character < ' ' || character === '\\' || character === ':'
  if (!name.endsWith(CHECKSUM) && !name.split('/').some(badPart) && ![...name].some(badCharacter)) return
  throw new ConfigError('This is not a name that a store takes.', {
    expected: `parts divided by '/', none of them empty, '.' or '..', without ':' or '\\', not ending in ${CHECKSUM}`,
    received: JSON.stringify(name),
  })
}

/** The error for a name that has nothing. */
export function missing(name: string, where: string, cause?: unknown): StorageError {
  return new StorageError(`There is no '${name}' in ${where}.`, {
    remedy: 'Look at list() for what there is',
    cause,
  })
}
