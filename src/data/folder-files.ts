/** The files of a folder, and the classes that its subfolders are. @module */

import { readdir } from 'node:fs/promises'
import { extname, relative, resolve, sep } from 'node:path'
import { DataError } from '../core/index.js'

/** A file and its class. */
export interface FolderFile {
  path: string
  /** Relative to the folder, with `/`. */
  name: string
  label: string
}

/** Which files count, and how the class of each is found. */
export interface FolderOptions {
  /** Whether a file is read, by its name relative to the folder, with `/`. @default all */
  filter?: (name: string) => boolean
  /** Class of a file from its name relative to the folder. @default the subfolder that it is in */
  label?: (name: string) => string
}

/**
 * Files below a folder by name, in order; links to files count, links to folders are not followed.
 *
 * @param extensions - In lower case, with the dot.
 * @throws {DataError} if the folder cannot be read, holds no such file, or a file has no class.
 */
export async function folderFiles(
  folder: string,
  extensions: readonly string[],
  { filter = () => true, label }: FolderOptions,
): Promise<FolderFile[]> {
  let entries: import('node:fs').Dirent[]
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true })
  } catch (cause) {
    throw new DataError(`The folder ${folder} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const files = entries
    .filter(
      (entry) => (entry.isFile() || entry.isSymbolicLink()) && extensions.includes(extname(entry.name).toLowerCase()),
    )
    .map((entry) => resolve(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => ({ path, name: relative(folder, path).split(sep).join('/') }))
  if (files.length === 0)
    throw new DataError(`The folder ${folder} holds no file of the kind.`, { expected: extensions.join(', ') })
  const chosen = files.filter(({ name }) => filter(name))
  if (chosen.length === 0)
    throw new DataError(`The filter leaves no file of the folder ${folder}.`, {
      received: `${files.length} files, such as ${files[0]!.name}`,
    })
  return chosen.map(({ path, name }) => {
    const [subfolder] = name.split('/')
    if (!label && subfolder === name)
      throw new DataError(`The file ${path} has no class.`, {
        expected: 'a subfolder for each class',
        remedy: 'Pass label: (name) => class',
      })
    return { path, name, label: label ? label(name) : subfolder! }
  })
}
