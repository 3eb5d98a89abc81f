/** A store in memory. @module */

import { checkName, missing } from './names.js'
import type { Store } from './store.js'

/** Keeps bytes for as long as the object lives. */
export function memory(): Store {
  const entries = new Map<string, Uint8Array>()
  return {
    async read(name) {
      checkName(name)
      const bytes = entries.get(name)
      if (!bytes) throw missing(name, 'memory')
      return bytes.slice()
    },
    async write(name, bytes) {
      checkName(name)
      // Not slice(): that of a Node Buffer shares its memory.
      entries.set(name, Uint8Array.from(bytes))
    },
    async list(prefix = '') {
      return [...entries.keys()].filter((name) => name.startsWith(prefix)).sort()
    },
    async remove(name) {
      checkName(name)
      entries.delete(name)
    },
  }
}
