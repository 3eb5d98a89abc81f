/**
 * The call that runs several kernels over the same elements, tile by tile: `chain`. No kernel of tfjs makes one; the
 * planner does.
 *
 * Arguments: number of elements, elements of a tile, number of links; then for each of `MAX_LINKS`, used or not, what
 * `chainLink` lists.
 * @module
 */

/** Links that a chain has room for. */
export const MAX_LINKS = 8

/** The arguments before the links. */
export const chainHead = { n: 0, tile: 1, links: 2 } as const

/** Arguments of a link, in order. Steps and moves are 0 or 1. */
export const chainLink = {
  /** 0: `unary`, which reads no b; 1: `binary`. */
  isBinary: 0,
  code: 1,
  dtype: 2,
  a: 3,
  b: 4,
  out: 5,
  /** 0: one element for all. */
  stepA: 6,
  stepB: 7,
  /** Whether the operand goes on with the tiles: not if it is one element, nor if it is no longer than a tile. */
  movesA: 8,
  movesB: 9,
  movesOut: 10,
  alpha: 11,
  beta: 12,
} as const

const HEAD = 3
const LENGTH = 13

/** Index of an argument of a link. */
export const linkArgument = (link: number, name: keyof typeof chainLink): number =>
  HEAD + link * LENGTH + chainLink[name]

/** What the arguments are, for the table of calls. */
export const chainArguments = `nnn${'nnnrrwnnnnnff'.repeat(MAX_LINKS)}`
