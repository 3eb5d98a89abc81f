/** A store in a folder of the file system, with atomic writes and checksums. @module */

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { StorageError } from '../core/index.js'
import { CHECKSUM, checkName, missing, TEMPORARY } from './names.js'
import type { Store } from './store.js'

/**
 * Keeps each entry as a plain file, with its SHA-256 in a file beside it (the format of `sha256sum`). A file without
 * one, put there by hand, is read unchecked.
 *
 * A write goes to a temporary file that is flushed to the disk and then renamed, so a crash leaves the old file or the
 * new one, never a mixture. One name may be written by one process at a time.
 *
 * @param path - The folder, absolute or relative to the working directory at the time of this call; made at the first
 *   write.
 * @example
 * const store = directory('runs/digits')
 * await trainer.save(store)
 */
export function directory(path: string): Store {
  return new DirectoryStore(resolve(path))
}

class DirectoryStore implements Store {
  readonly #root: string
  /** The last change under way per name: changes run one after the other. */
  readonly #pending = new Map<string, Promise<void>>()

  constructor(root: string) {
    this.#root = root
  }

  async read(name: string): Promise<Uint8Array> {
    const path = this.#pathOf(name)
    await this.#pending.get(name)
    // Another process may replace the file between the reading of its sum and of its bytes: look twice before judging.
    const bytes = (await this.#readWhole(path, name)) ?? (await this.#readWhole(path, name))
    if (bytes) return bytes
    throw new StorageError(`'${name}' in ${this.#root} is damaged: its checksum does not fit.`, {
      remedy: `Restore it, or remove it and its ${CHECKSUM} file`,
    })
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    // Copied now, for the caller may go on with its buffer while the change waits for its turn.
    const copy = Uint8Array.from(bytes)
    return this.#change(name, async (path) => {
      await mkdir(dirname(path), { recursive: true })
      // Both sums count while the file is replaced, so that a crash at any point leaves a file that can be read.
      const before = await readSums(path)
      const sum = sumOf(copy)
      await replaceFile(path + CHECKSUM, sumLines([sum, ...before.slice(0, 1)], path))
      await replaceFile(path, copy)
      if (before.length > 0) await replaceFile(path + CHECKSUM, sumLines([sum], path))
    })
  }

  async list(prefix = ''): Promise<string[]> {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true }).catch((cause) => {
      if (cause.code === 'ENOENT') return []
      throw new StorageError(`Cannot list ${this.#root}.`, { cause })
    })
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith(CHECKSUM) && !entry.name.startsWith(TEMPORARY))
      .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((name) => name.startsWith(prefix))
      .sort()
  }

  remove(name: string): Promise<void> {
    return this.#change(name, async (path) => {
      await rm(path, { force: true })
      await rm(path + CHECKSUM, { force: true })
    })
  }

  #pathOf(name: string): string {
    checkName(name)
    return join(this.#root, ...name.split('/'))
  }

  /** The bytes; undefined where they do not match their sum. */
  async #readWhole(path: string, name: string): Promise<Uint8Array | undefined> {
    const sums = await readSums(path)
    let bytes: Uint8Array
    try {
      bytes = new Uint8Array(await readFile(path))
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') throw missing(name, this.#root, cause)
      throw new StorageError(`Cannot read '${name}' in ${this.#root}: ${message}`, { cause })
    }
    return sums.length === 0 || sums.includes(sumOf(bytes)) ? bytes : undefined
  }

  async #change(name: string, change: (path: string) => Promise<void>): Promise<void> {
    const path = this.#pathOf(name)
    const work = (this.#pending.get(name) ?? Promise.resolve()).then(() => change(path))
    const settled = work.catch(() => {})
    this.#pending.set(name, settled)
    try {
      await work
    } catch (cause) {
      throw new StorageError(`Cannot change '${name}' in ${this.#root}: ${(cause as Error).message}`, { cause })
    } finally {
      if (this.#pending.get(name) === settled) this.#pending.delete(name)
    }
  }
}

const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const sumLines = (sums: string[], path: string) =>
  new TextEncoder().encode(sums.map((sum) => `${sum}  ${basename(path)}\n`).join(''))

/** The sums under which a file counts as whole; none where it has no checksum file. */
async function readSums(path: string): Promise<string[]> {
  const text = await readFile(path + CHECKSUM, 'utf8').catch(() => '')
  return [...text.matchAll(/^([0-9a-f]{64}) /gm)].map((match) => match[1]!)
}

/** Writes a file so that its path always holds the old bytes or the new ones, also after a loss of power. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `${TEMPORARY}${randomUUID()}`)
  try {
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Makes a rename last. Windows cannot open a folder; there it is left to the file system. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
