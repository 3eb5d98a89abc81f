/** What every benchmark says: progress on a terminal, figures in a file. @module */

import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { ConfigError } from '../../index.js'

/** Writes figures as JSON, with the machine and the time that they are of. */
export async function writeFigures(path: string, figures: object): Promise<void> {
  const content = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    date: new Date().toISOString(),
    ...figures,
  }
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`)
  } catch (cause) {
    throw new ConfigError('The file of figures cannot be written.', {
      received: path,
      remedy: 'Pass a path in a folder that exists to --json',
      cause,
    })
  }
}

/** One line on a terminal, overwritten by the next. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}
