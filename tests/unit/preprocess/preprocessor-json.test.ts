/** A saved preprocessor is read whole, or refused with one clear error. */
import { describe, expect, it } from 'vitest'
import { DataError, StorageError } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { oneHot, Preprocessor, robust, scale } from '../../../src/preprocess/index.js'

const data = Dataset.fromArrays({
  x: { data: Float32Array.of(1, 2, 3, 4, 9), shape: [5] },
  c: { data: ['a', 'b', 'a', 'b', 'c'], shape: [5] },
})
const saved = async () => JSON.stringify(await new Preprocessor([robust('x'), scale('x', 2), oneHot('c')]).fit(data))
type Saved = Record<string, unknown> & {
  fitted: unknown[]
  steps: { kind: string; options: Record<string, unknown> }[]
}

it('gives the same columns after JSON', async () => {
  const text = await saved()
  const read = Preprocessor.fromJSON(text)
  expect(JSON.stringify(read)).toBe(text)
  expect(await read.transform(data).columns()).toEqual(
    await Preprocessor.fromJSON(JSON.parse(text)).transform(data).columns(),
  )
})

describe('a file that is', () => {
  it.each<[string, (whole: Saved) => unknown, RegExp]>([
    ['of a newer version', (whole) => ({ ...whole, version: 2 }), /newer version.*version 1.*2.*Update dcml/],
    ['without a version', ({ version: _, ...rest }) => rest, /damaged in its version/],
    ['something else', () => ({ format: 'dcml-model' }), /no saved preprocessor.*"dcml-model"/],
    ['a list', () => [], /no saved preprocessor/],
    ['nothing', () => null, /no saved preprocessor/],
    ['without steps', ({ steps: _, ...rest }) => rest, /damaged in its steps/],
    ['of an unknown step', (whole) => changed(whole, 0, { kind: 'quantum' }), /unknown kind: step 0 is "quantum"/],
    ['with a step cut off', (whole) => changed(whole, 1, { options: undefined }), /damaged in its step 1/],
    [
      'with wrong options',
      (whole) => changed(whole, 1, { options: { columns: ['x'], factor: 0 } }),
      /step 1 \(scale\)/,
    ],
    ['with options of another type', (whole) => changed(whole, 0, { options: {} }), /step 0 \(robust\)/],
    [
      'short of what was learned',
      (whole) => ({ ...whole, fitted: whole.fitted.slice(1) }),
      /its fitted.*3 steps.*2 entries/,
    ],
    [
      'with a gap in what was learned',
      (whole) => ({ ...whole, fitted: [{ x: { shift: [null] } }, null, whole.fitted[2]] }),
      /step 0 \(robust\) learned/,
    ],
    [
      'without what a step learned',
      (whole) => ({ ...whole, fitted: [whole.fitted[0], null, null] }),
      /step 2 \(oneHot\) learned/,
    ],
    [
      'with what a step cannot learn',
      (whole) => ({ ...whole, fitted: [whole.fitted[0], {}, whole.fitted[2]] }),
      /step 1 \(scale\) learned/,
    ],
    ['of columns of no kind', (whole) => ({ ...whole, fittedOn: { x: 'colours' } }), /its fittedOn/],
    ['of a precision of no columns', (whole) => ({ ...whole, float32: { x: true } }), /its float32/],
  ])('%s is refused', async (_, change, message) => {
    const damaged = change(JSON.parse(await saved())) as never
    expect(() => Preprocessor.fromJSON(damaged)).toThrow(StorageError)
    expect(() => Preprocessor.fromJSON(damaged)).toThrow(message)
  })

  it('cut off anywhere is refused', async () => {
    const text = await saved()
    for (let length = 0; length < text.length; length++)
      expect(() => Preprocessor.fromJSON(text.slice(0, length))).toThrow(/no JSON/)
  })
})

it('refuses to learn what JSON cannot hold', async () => {
  const infinite = Dataset.fromArrays({ x: { data: Float32Array.of(1, Infinity, Infinity), shape: [3] } })
  const failure = new Preprocessor([robust('x')]).fit(infinite)
  await expect(failure).rejects.toThrow(DataError)
  await expect(failure).rejects.toThrow(/Step 0 \(robust\).*not finite/)
})

function changed(whole: Saved, step: number, change: Record<string, unknown>): Saved {
  return { ...whole, steps: whole.steps.map((old, i) => (i === step ? { ...old, ...change } : old)) }
}
