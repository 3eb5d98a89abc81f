/** A store in a folder of the file system. @module */

import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { StorageError } from '../core/index.js'
import { checkName, missing } from './names.js'
import type { Store } from './store.js'

const CHECKSUM = '.sha256'
const TEMPORARY = '.partial'

/**
 * Keeps each entry as a plain file, with its SHA-256 in a file beside it. A file without one is taken as it is.
 *
 * @param path - The folder; made on the first write.
 */
export function directory(path: string): Store {
  const fileOf = (name: string) => {
    checkName(name)
    return join(path, ...name.split('/'))
  }
  return {
    async read(name) {
      const file = fileOf(name)
      const bytes = await readIfThere(file)
      if (!bytes) throw missing(name, path)
      const expected = (await readIfThere(file + CHECKSUM))?.toString('utf8').slice(0, 64)
      const received = sha256(bytes)
      if (expected !== undefined && expected !== received)
        throw new StorageError(`'${name}' in ${path} is damaged: its checksum does not fit.`, {
          expected,
          received,
          remedy: 'Restore it, or remove it and its .sha256 file',
        })
      return new Uint8Array(bytes)
    },
    async write(name, bytes) {
      const file = fileOf(name)
      await mkdir(dirname(file), { recursive: true })
      // Without a checksum for a moment, rather than with the wrong one: a reader then sees a plain file.
      await rm(file + CHECKSUM, { force: true })
      await writeAtomically(file, bytes)
      await writeAtomically(file + CHECKSUM, Buffer.from(`${sha256(bytes)}  ${name.split('/').at(-1)}\n`))
    },
    async list(prefix = '') {
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(ifMissing([]))
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith(CHECKSUM) && !entry.name.endsWith(TEMPORARY))
        .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .filter((name) => name.startsWith(prefix))
        .sort()
    },
    async remove(name) {
      const file = fileOf(name)
      await rm(file, { force: true })
      await rm(file + CHECKSUM, { force: true })
    },
  }
}

async function writeAtomically(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}${TEMPORARY}`
  const handle = await open(temporary, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}

const readIfThere = (file: string) => readFile(file).catch(ifMissing(undefined))

function ifMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead
    throw new StorageError(`The file system refused: ${error.message}`, { cause: error })
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
