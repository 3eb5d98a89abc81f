/** Histories as files that every program reads: CSV and JSON lines. @module */

import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StorageError } from '../../core/index.js'
import type { Callback } from '../callback.js'
import { type TrackerOptions, tracked } from './tracked.js'

/**
 * Adds a line of JSON per epoch to a file: `kind`, `epoch`, `step`, and every value by name.
 *
 * @example
 * new Trainer({ ..., callbacks: [jsonlLog('run/history.jsonl', { everySteps: 10 })] })
 */
export function jsonlLog(path: string, options: TrackerOptions = {}): Callback {
  return tracked('jsonlLog', options, {
    onFitStart: () => makeFolder(path),
    async write({ kind, epoch, step, values }) {
      await append(path, `${JSON.stringify({ kind, epoch, step, ...values })}\n`)
    },
  })
}

/**
 * Adds a row per epoch to a CSV file: `epoch`, `step`, and every value in a column of its name. A file that is there is
 * continued, as after a resume.
 *
 * @throws {StorageError} at the first epoch, if the file has other columns.
 */
export function csvLog(path: string): Callback {
  let columns: string[] | undefined
  return tracked(
    'csvLog',
    {},
    {
      async onFitStart() {
        await makeFolder(path)
        const head = (await readFile(path, 'utf8').catch(() => '')).split('\n', 1)[0]!
        columns = head === '' ? undefined : head.split(',')
      },
      async write({ epoch, step, values }) {
        const row: Record<string, number> = { epoch, step, ...values }
        const names = Object.keys(row).map(quoted)
        if (!columns) await append(path, `${names.join(',')}\n`)
        columns ??= names
        if (columns.join() !== names.join())
          throw new StorageError(`The values of this training are not the columns of ${path}.`, {
            expected: columns.join(', '),
            received: names.join(', '),
            remedy: 'Write another file',
          })
        await append(path, `${Object.values(row).join(',')}\n`)
      },
    },
  )
}

/** A name as RFC 4180 has it. */
const quoted = (name: string) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)

const makeFolder = async (path: string) => {
  await mkdir(dirname(path), { recursive: true })
}

async function append(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((cause) => {
    throw new StorageError(`Cannot write ${path}: ${(cause as Error).message}`, { cause })
  })
}
