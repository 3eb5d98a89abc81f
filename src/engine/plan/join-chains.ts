/**
 * Makes one call of kernels that go element by element over the same elements.
 *
 * Such kernels are bound by memory where their tensors are larger than a cache. Joined, each works on a tile that the one
 * before has just left in the first-level cache, and what only they read needs no more room than a tile.
 * @module
 */

import { type chainLink, linkArgument, MAX_LINKS, type Place, type RecordedCall } from '../../backends/index.js'
import { change, makeCall, numberOf, type Step, samePlace, usesOf } from './calls.js'

/** Elements of a tile: 8 KiB an operand. A multiple of 8, as the kernels go, so that results are the same bits. */
const TILE = 2048
/** Elements from which tensors are worth it: smaller ones stay in a cache by themselves. */
const LEAST = 4 * TILE

/** A call as a part of a chain. */
interface Link {
  isBinary: boolean
  n: number
  code: number
  dtype: number
  a: Operand
  b: Operand
  out: Operand
  alpha: number
  beta: number
}
interface Operand {
  place: Place
  /** Whether it has n elements; else one for all. */
  isFull: boolean
}

const nowhere: Operand = { place: { buffer: -1, offset: 0 }, isFull: false }

/** Joins neighbouring calls as far as each reads what another one reads or writes. */
export function joinChains(step: Step): Step {
  const calls: RecordedCall[] = []
  const sizes = [...step.sizes]
  const isPrivate = privateBuffers(step)
  let links: Link[] = []
  let members: RecordedCall[] = []
  const close = () => {
    if (links.length > 1) calls.push(chainOf(links, isPrivate(links), sizes))
    else calls.push(...members)
    links = []
    members = []
  }
  for (const call of step.calls) {
    const link = linkOf(call)
    if (!link || !(links.length === 0 || fits(link, links))) close()
    if (!link) calls.push(call)
    else {
      links.push(link)
      members.push(call)
    }
  }
  close()
  return { ...step, calls, sizes }
}

/** A call on many elements of one kind, each by itself. */
function linkOf(call: RecordedCall): Link | undefined {
  const place = (argument: number) => call.places.get(argument)!
  if (call.name === 'unary') {
    const [code, n, alpha, beta] = [0, 3, 4, 5].map((i) => numberOf(call, i)) as [number, number, number, number]
    if (n < LEAST) return undefined
    const [a, out] = [place(1), place(2)].map((at) => ({ place: at, isFull: true })) as [Operand, Operand]
    return { isBinary: false, n, code, dtype: 0, a, b: nowhere, out, alpha, beta }
  }
  if (call.name !== 'binary' || numberOf(call, 5) !== 1) return undefined
  const [code, dtype, n, stepA, stepB] = [0, 1, 6, 8, 10].map((i) => numberOf(call, i)) as number[]
  if (n! < LEAST) return undefined
  return {
    isBinary: true,
    n: n!,
    code: code!,
    dtype: dtype!,
    a: { place: place(2), isFull: stepA === 1 },
    b: { place: place(3), isFull: stepB === 1 },
    out: { place: place(4), isFull: true },
    alpha: 0,
    beta: 0,
  }
}

const readsOf = ({ isBinary, a, b }: Link): Operand[] => (isBinary ? [a, b] : [a])

/** Whether a link may follow others tile by tile, and has something to do with one of them. */
function fits(link: Link, links: readonly Link[]): boolean {
  if (links.length === MAX_LINKS || link.n !== links[0]!.n) return false
  const bytes = link.n * 4
  const isRelated = links.some((other) =>
    readsOf(link).some(({ place }) => [...readsOf(other), other.out].some((near) => samePlace(place, near.place))),
  )
  return (
    isRelated &&
    links.every(
      (other) =>
        readsOf(link).every((operand) => keepsApart(operand, other.out, bytes)) &&
        [...readsOf(other), other.out].every((operand) => keepsApart(operand, link.out, bytes)),
    )
  )
}

/** Whether what is written reaches an operand only where both go on element by element, or not at all. */
function keepsApart(operand: Operand, written: Operand, bytes: number): boolean {
  const { place, isFull } = operand
  if (place.buffer !== written.place.buffer) return true
  if (isFull && samePlace(place, written.place)) return true
  const end = place.offset + (isFull ? bytes : 4)
  return end <= written.place.offset || written.place.offset + bytes <= place.offset
}

/** Tells, for a chain, which buffers nothing else touches. */
function privateBuffers({ calls, sizes, given, results }: Step) {
  const { readers, writers } = usesOf(calls)
  return (links: readonly Link[]): Set<number> => {
    const found = new Set<number>()
    for (const { out, n } of links) {
      const { buffer, offset } = out.place
      if (buffer < 0 || offset !== 0 || sizes[buffer] !== n * 4 || given.has(buffer) || results.has(buffer)) continue
      const reads = links.filter((link) => readsOf(link).some(({ place }) => place.buffer === buffer)).length
      if (writers.get(buffer)!.length === 1 && (readers.get(buffer) ?? []).length === reads) found.add(buffer)
    }
    return found
  }
}

/** The call; each private buffer becomes one of a tile, with a new number. */
function chainOf(links: readonly Link[], own: ReadonlySet<number>, sizes: number[]): RecordedCall {
  const tiles = new Map<number, Place>()
  for (const buffer of own) tiles.set(buffer, { buffer: sizes.push(TILE * 4) - 1, offset: 0 })
  const head = makeCall('chain', [links[0]!.n, TILE, links.length])
  const places: [number, Place][] = []
  const numbers: [number, number][] = []
  for (let i = 0; i < MAX_LINKS; i++) {
    const link = links[i]
    for (const name of ['a', 'b', 'out'] as const) {
      const { place } = link?.[name] ?? nowhere
      places.push([linkArgument(i, name), tiles.get(place.buffer) ?? place])
    }
    const moves = (operand: Operand | undefined) => (operand?.isFull && !tiles.has(operand.place.buffer) ? 1 : 0)
    const values: Record<Exclude<keyof typeof chainLink, 'a' | 'b' | 'out'>, number> = {
      isBinary: link?.isBinary ? 1 : 0,
      code: link?.code ?? 0,
      dtype: link?.dtype ?? 0,
      stepA: link?.a.isFull ? 1 : 0,
      stepB: link?.b.isFull ? 1 : 0,
      movesA: moves(link?.a),
      movesB: moves(link?.b),
      movesOut: moves(link?.out),
      alpha: link?.alpha ?? 0,
      beta: link?.beta ?? 0,
    }
    for (const [name, value] of Object.entries(values))
      numbers.push([linkArgument(i, name as keyof typeof chainLink), value])
  }
  return change(head, { places, numbers })
}
