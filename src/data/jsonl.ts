/** JSON lines, streamed. @module */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { DataError } from '../core/index.js'
import { Dataset } from './dataset.js'

/**
 * One JSON object per line, gzipped when the name ends in `.gz`. Empty lines are skipped; values become columns as in
 * `Dataset.fromRows`.
 *
 * @throws {DataError} when it is read, with file and line, for a line that is no JSON object.
 */
export function jsonl(path: string): Dataset {
  return Dataset.fromRows(() => readRows(path))
}

async function* readRows(path: string): AsyncGenerator<object> {
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  // readline ends quietly where its input fails.
  let failure: Error | undefined
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  for (const stage of [file, input])
    stage.once('error', (error: Error) => {
      failure ??= error
      lines.close()
    })
  let number = 0
  try {
    for await (const line of lines) {
      number++
      if (line.trim() !== '') yield parseLine(line, path, number)
    }
    if (failure) throw failure
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    throw new DataError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
  } finally {
    file.destroy()
  }
}

function parseLine(line: string, path: string, number: number): object {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new DataError(`${path}, line ${number} is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new DataError(`${path}, line ${number} is no object.`, { received: line.slice(0, 80) })
}
