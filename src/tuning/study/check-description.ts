/** Whether a study that is there is the one that is asked for. @module */

import { ConfigError } from '../../core/index.js'
import type { StudyDescription } from './study-storage.js'

/** @throws {ConfigError} if directions or space differ. */
export function checkSameStudy(stored: StudyDescription, asked: StudyDescription): void {
  for (const part of ['directions', 'space'] as const) {
    const [before, now] = [JSON.stringify(stored[part]), JSON.stringify(asked[part])]
    if (before !== now)
      throw new ConfigError(
        `The study '${asked.name}' is there already, with other ${part === 'space' ? 'parameters' : part}.`,
        {
          expected: before,
          received: now,
          remedy: 'Give the new study another name',
        },
      )
  }
}
