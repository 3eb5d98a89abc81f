/**
 * Makes one call, `joined`, of calls that go element by element over as many elements.
 *
 * A backend with a compiler makes one kernel of it: each operand is read once, values between stay in registers, and only
 * those are written that something else reads. That saves memory traffic on large tensors, and launches on small ones.
 * Calls need not be neighbours: one moves to the other where nothing between forbids it.
 * @module
 */

import {
  type ElementwiseForm,
  elementwiseOf,
  isFull,
  MAX_READS,
  MAX_WRITES,
  type Place,
  placeKey,
  type RecordedCall,
  readsOfJoined,
} from '../../backends/index.js'
import { readsOf, type Step, samePlace, usesOf, writesOf } from './calls.js'

/** Calls of one joined call, at most. */
const MAX_PARTS = 32
/** Elements up to which launches cost more than bytes: calls are joined that have nothing to do with each other. */
const FEW = 2 ** 14
/** So many calls may lie between two: what one of them reads or writes takes room for as long. */
const REACH = { few: 32, many: 4 } as const
/** So many of them one may move ahead of: further ahead it would belong to another part of the step. */
const MOST_AHEAD = 4

/** A range that a call reads or writes. */
interface Touch {
  readonly place: Place
  /** First byte and the one behind the last, in the buffer. */
  readonly from: number
  readonly to: number
  readonly isWritten: boolean
  /** Whether the elements go with those of the result one by one. */
  readonly isFull: boolean
}

/** A call, or several that are to be one. */
interface Item {
  readonly calls: readonly RecordedCall[]
  readonly touches: readonly Touch[]
  /** Elements, where it goes by elements. */
  readonly n?: number
}

/** Joins what can be joined. */
export function joinCalls(step: Step): Step {
  const { readers, writers } = usesOf(step.calls)
  const users = (buffer: number) => new Set([...(readers.get(buffer) ?? []), ...(writers.get(buffer) ?? [])]).size
  const outside = outsideOf(step, users)
  const items: Item[] = []
  for (const call of step.calls) {
    items.push(itemOf(call))
    let index = items.length - 1
    for (let at: number | undefined = index; at !== undefined; ) {
      index = at
      at = joinBack(items, index, (calls) => outside(calls).length)
    }
  }
  const calls = items.map(({ calls: [first, ...others] }) =>
    others.length === 0 ? first! : joinedOf([first!, ...others], outside([first!, ...others])),
  )
  return { ...step, calls }
}

/** Joins the item with one before it; returns where the two are now, or undefined if there is no partner. */
function joinBack(items: Item[], index: number, countWrites: (calls: readonly RecordedCall[]) => number) {
  const item = items[index]!
  const { n = Number.POSITIVE_INFINITY } = item
  const reach = n <= FEW ? REACH.few : REACH.many
  const partners = items.flatMap((other, i) => (other.n === n && i < index && i >= index - 1 - reach ? [i] : []))
  const [related, strangers] = [true, false].map((are) =>
    partners.filter((i) => areRelated(items[i]!, item) === are).reverse(),
  ) as [number[], number[]]
  for (const i of n <= FEW ? [...related, ...strangers] : related) {
    const other = items[i]!
    const order = orderBetween(items, i, index)
    if (!order || !keepStep(other, item)) continue
    const calls = [...other.calls, ...item.calls]
    if (calls.length > MAX_PARTS || countSources(calls) > MAX_READS || countWrites(calls) > MAX_WRITES) continue
    const joined = { calls, touches: [...other.touches, ...item.touches], n }
    items.splice(i, index - i + 1, ...order.before, joined, ...order.after)
    return i + order.before.length
  }
  return undefined
}

/** What calls read or draw: each takes several arguments of a kernel. */
const countSources = (calls: readonly RecordedCall[]): number =>
  readsOfJoined(calls).length + calls.filter(({ name }) => name === 'philoxFill').length

/** The items between two, parted into those that can run before both and those that can run after both. */
function orderBetween(items: readonly Item[], first: number, last: number) {
  const [before, after]: [Item[], Item[]] = [[], []]
  const follows = [items[first]!]
  for (const item of items.slice(first + 1, last)) {
    if (follows.some((earlier) => conflict(earlier, item))) {
      follows.push(item)
      after.push(item)
    } else before.push(item)
  }
  if (after.length > MOST_AHEAD || after.some((item) => conflict(item, items[last]!))) return undefined
  return { before, after }
}

/** Whether two calls have to stay in their order. */
const conflict = (a: Item, b: Item): boolean =>
  a.touches.some((x) => b.touches.some((y) => (x.isWritten || y.isWritten) && overlap(x, y)))

const overlap = (x: Touch, y: Touch): boolean => x.place.buffer === y.place.buffer && x.from < y.to && y.from < x.to

/** Whether what one writes reaches the other only where both go on element by element, or not at all. */
const keepStep = (a: Item, b: Item): boolean =>
  a.touches.every((x) =>
    b.touches.every(
      (y) =>
        !(x.isWritten || y.isWritten) ||
        !overlap(x, y) ||
        (x.isFull && y.isFull && samePlace(x.place, y.place) && x.to === y.to),
    ),
  )

/** Whether both read or write the same. */
const areRelated = (a: Item, b: Item): boolean =>
  a.touches.some((x) => b.touches.some((y) => samePlace(x.place, y.place)))

function itemOf(call: RecordedCall): Item {
  const form = elementwiseOf(call)
  if (form) return { calls: [call], touches: touchesOf(call, form), n: form.n }
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, isFull: false }
  const touches = [
    ...readsOf(call).map(([, place]) => ({ place, ...all, isWritten: false })),
    ...writesOf(call).map(([, place]) => ({ place, ...all, isWritten: true })),
  ]
  return { calls: [call], touches: touches.filter(({ place }) => !isNowhere(place)) }
}

/** The pointer 0. */
const isNowhere = ({ buffer, offset }: Place): boolean => buffer < 0 && offset === 0

function touchesOf(call: RecordedCall, { n, operands, out }: ElementwiseForm): Touch[] {
  const reads = operands.map(({ argument, bytes, axes }): Touch => {
    const place = call.places.get(argument)!
    const ends = axes.map(({ length, stride }) => (length - 1) * stride * bytes)
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
    const from = place.offset + sum(ends.map((end) => Math.min(0, end)))
    const to = place.offset + bytes + sum(ends.map((end) => Math.max(0, end)))
    return { place, from, to, isWritten: false, isFull: isFull(axes) }
  })
  const place = call.places.get(out.argument)!
  return [...reads, { place, from: place.offset, to: place.offset + n * out.bytes, isWritten: true, isFull: true }]
}

/** Tells what of the results of calls has to be written: what others read, or was only written in part. */
function outsideOf({ sizes, results }: Step, users: (buffer: number) => number) {
  return (calls: readonly RecordedCall[]): Place[] => {
    const touched = new Map<number, number>()
    for (const { places } of calls)
      for (const buffer of new Set([...places.values()].map((place) => place.buffer)))
        touched.set(buffer, (touched.get(buffer) ?? 0) + 1)
    const written = new Map<string, Place>()
    for (const call of calls) {
      const { n, out } = elementwiseOf(call)!
      const place = call.places.get(out.argument)!
      const isWhole = place.buffer >= 0 && place.offset === 0 && sizes[place.buffer] === n * out.bytes
      if (isWhole && !results.has(place.buffer) && touched.get(place.buffer) === users(place.buffer)) continue
      written.set(placeKey(place), place)
    }
    return [...written.values()]
  }
}

function joinedOf(parts: readonly RecordedCall[], written: readonly Place[]): RecordedCall {
  const places = new Map<number, Place>()
  readsOfJoined(parts).forEach(({ place }, i) => {
    places.set(i, place)
  })
  written.forEach((place, i) => {
    places.set(MAX_READS + i, place)
  })
  return { name: 'joined', places, numbers: new Map(), parts }
}
