/** Curves for TensorBoard. @module */

import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { StateError, StorageError } from '../../core/index.js'
import type { Callback } from '../callback.js'
import { scalarRecord, versionRecord } from './event-file.js'
import { type TrackerOptions, tracked } from './tracked.js'

/**
 * Writes event files that `tensorboard --logdir` shows: one curve per value, over the number of updates. Each `fit`
 * makes a file of its own; a folder with the files of one training is a run.
 *
 * The values of single updates, when asked for, are under `step/`.
 *
 * @param folder - Of this run; its parent is what `--logdir` names.
 * @example
 * new Trainer({ ..., callbacks: [tensorBoard('runs/first', { everySteps: 10 })] })
 */
export function tensorBoard(folder: string, options: TrackerOptions = {}): Callback {
  let file: string | undefined
  let fits = 0
  return tracked('tensorBoard', options, {
    async onFitStart() {
      const seconds = Date.now() / 1000
      const path = join(folder, `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}.${fits++}`)
      await mkdir(folder, { recursive: true })
      await write(path, () => writeFile(path, versionRecord(seconds)))
      file = path
    },
    async write({ kind, step, values }) {
      const path = file
      if (!path) throw new StateError('tensorBoard was told of an epoch before the start of the training.')
      const prefix = kind === 'step' ? 'step/' : ''
      const tagged = Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
      await write(path, () => appendFile(path, scalarRecord(Date.now() / 1000, step, tagged)))
    },
  })
}

async function write(path: string, run: () => Promise<void>): Promise<void> {
  await run().catch((cause) => {
    throw new StorageError(`Cannot write ${path}: ${(cause as Error).message}`, { cause })
  })
}
