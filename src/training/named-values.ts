/** Flat buffers as values by name, the form that checkpoints have. @module */

import { ConfigError } from '../core/index.js'
import type { ParameterLayout } from '../engine/index.js'

/** Copies of the tensors in a flat buffer. */
export const namedValues = ({ entries }: ParameterLayout, values: Float32Array): Record<string, Float32Array> =>
  Object.fromEntries(entries.map(({ name, offset, length }) => [name, values.slice(offset, offset + length)]))

/**
 * Puts saved tensors where they lie in a flat buffer.
 *
 * @param what - For messages: what was saved.
 * @throws {ConfigError} if one is missing, or has another length.
 */
export function restoreValues(
  { entries }: ParameterLayout,
  values: Float32Array,
  saved: Record<string, Float32Array>,
  what: string,
): void {
  for (const { name, offset, length } of entries) {
    const own = saved[name]
    if (own?.length !== length)
      throw new ConfigError(`The saved ${what} of '${name}' do not fit the model.`, {
        expected: `${length} values`,
        received: own ? `${own.length} values` : 'none',
        remedy: 'Resume with the model and optimizer that the checkpoint was made with',
      })
    values.set(own, offset)
  }
}
