/** Datasets of files whose rows may be bad. @module */

import { DataError } from '../core/index.js'
import { BadRowLog, type BadRowPass, type BadRows, type OnError } from './bad-rows.js'
import { type Columns, rowsOf } from './columns.js'
import { Dataset } from './dataset.js'

/** A dataset whose reader may leave rows out. */
export type FileDataset = Dataset & {
  /** What the latest pass over the file left out. Datasets that are made of this one do not have it. */
  readonly badRows: BadRows
}

/**
 * The dataset of a file.
 *
 * @param name - Of the file, for messages.
 * @param read - One pass over it; notes bad rows, which are settled at every chunk.
 * @throws {DataError} at the end of a pass that gave no row.
 */
export function fileDataset(
  name: string,
  onError: OnError | undefined,
  read: (pass: BadRowPass) => AsyncIterable<Columns>,
): FileDataset {
  const badRows = new BadRowLog(onError)
  async function* onePass(): AsyncGenerator<Columns> {
    const pass = badRows.startPass(name)
    let isEmpty = true
    try {
      for await (const columns of read(pass)) {
        pass.settle()
        if (rowsOf(columns) === 0) continue
        isEmpty = false
        yield columns
      }
      pass.settle()
    } finally {
      pass.end()
    }
    if (!isEmpty) return
    const leftOut = pass.count === 0 ? '' : ` that can be read: ${pass.count} were left out`
    throw new DataError(`${name} has no rows${leftOut}.`)
  }
  return Object.assign(Dataset.fromBatches(onePass), { badRows })
}
