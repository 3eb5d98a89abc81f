/** Which rows belong to which rank: the arithmetic of PyTorch's DistributedSampler. @module */

import { ConfigError, checkWhole } from '../core/index.js'

/** How uneven ends are treated. */
export interface ShardOptions {
  /**
   * `'pad'` repeats rows from the start until every rank has the same number; `'drop'` leaves out the last rows;
   * `false` lets the first ranks have one row more.
   * @default 'pad'
   */
  evenly?: 'pad' | 'drop' | false
}

/** Throws a ConfigError for a rank outside its world. */
export function assertRank(rank: number, worldSize: number, evenly: unknown): void {
  checkWhole('The world size of a shard', worldSize)
  if (!Number.isInteger(rank) || rank < 0 || rank >= worldSize)
    throw new ConfigError('The rank of a shard is out of range.', { expected: `0 to ${worldSize - 1}`, received: rank })
  if (evenly !== 'pad' && evenly !== 'drop' && evenly !== false)
    throw new ConfigError('Unknown value of evenly.', { expected: "'pad', 'drop' or false", received: evenly })
}

/**
 * Positions of the rows of one rank: `rank`, `rank + worldSize`, ..., wrapped or cut as `evenly` says.
 *
 * @param size - Number of rows in all.
 * @see torch.utils.data.DistributedSampler with shuffle=False, drop_last=False ('pad') or True ('drop')
 */
export function shardPositions(
  size: number,
  rank: number,
  worldSize: number,
  evenly: 'pad' | 'drop' | false,
): Uint32Array {
  const whole = Math.floor(size / worldSize)
  const rest = size % worldSize
  const extra = evenly === 'pad' ? rest > 0 : evenly === false && rank < rest
  const count = whole + (extra ? 1 : 0)
  return Uint32Array.from({ length: count }, (_, i) => (rank + i * worldSize) % size)
}
