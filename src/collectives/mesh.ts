/** A group's ranks as a mesh, and the groups along its sides. @module */

import { ConfigError } from '../core/index.js'
import type { Transport } from '../transport/index.js'
import { subgroup } from './subgroup.js'

/**
 * Lays the ranks of a group out as a mesh, the last dimension first, and makes a sub-group along each dimension: of the
 * ranks that differ from this one in that dimension alone.
 *
 * Every rank makes it, with the same shape, and in the same order among its sub-groups.
 *
 * @param shape - Ranks along each dimension; their product is the world size.
 * @returns One transport for each dimension, whose rank is this one's place there.
 * @throws {ConfigError} if the mesh does not hold as many ranks as the group has.
 * @example
 * // 4 ranks: 0 and 1 are the first row, 2 and 3 the second.
 * const [down, along] = mesh(transport, [2, 2]).map((part) => createCollectives(part))
 */
export function mesh(transport: Transport, shape: readonly number[]): Transport[] {
  const { rank, worldSize } = transport
  const size = shape.reduce((product, length) => product * length, 1)
  if (size !== worldSize || !shape.every((length) => Number.isInteger(length) && length > 0))
    throw new ConfigError('The mesh does not hold the ranks of the group.', {
      expected: `whole numbers whose product is ${worldSize}`,
      received: shape,
    })
  return shape.map((length, dimension) => {
    const distance = shape.slice(dimension + 1).reduce((product, other) => product * other, 1)
    const first = rank - (Math.floor(rank / distance) % length) * distance
    return subgroup(
      transport,
      Array.from({ length }, (_, place) => first + place * distance),
    )
  })
}
