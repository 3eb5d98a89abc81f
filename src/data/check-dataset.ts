/** Whether a dataset was given where one is needed. @module */

import { checkGiven } from '../core/index.js'
import { Dataset } from './dataset.js'

/** @throws {ConfigError} if what was given, such as rows or columns, is no dataset. @param what - For the message. */
export function checkDataset(what: string, dataset: Dataset): void {
  checkGiven(dataset instanceof Dataset, `${what} is no dataset.`, {
    expected: 'a Dataset, such as Dataset.fromRows(rows) or Dataset.fromArrays(columns)',
    received: Array.isArray(dataset) ? 'an array' : typeof dataset,
  })
}
