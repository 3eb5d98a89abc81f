/** The saved form of a preprocessor, and how it is read: with one clear error for a file that is not whole. @module */

import { DataError, DcmlError, StorageError } from '../core/index.js'
import type { ColumnKinds } from './pipeline-check.js'
import type { Json, Step } from './step.js'
import { stepKinds } from './steps/index.js'

/** The newest form that this version writes and reads. */
const VERSION = 1

/** A preprocessor as plain data. */
export interface PreprocessorJson {
  format: 'dcml-preprocessor'
  version: 1
  /** What each step learned; null for those that learn nothing. Absent: not fitted. */
  fitted?: Json[]
  /** What the columns held that it was fitted on, as far as steps read them. */
  fittedOn?: ColumnKinds
  /** Those of the columns that steps read whose numbers were float32 in the first dataset. Absent: it has seen none. */
  float32?: string[]
  steps: { kind: string; options: { [key: string]: Json | undefined } }[]
}

/** What a preprocessor consists of. */
export interface PreprocessorParts {
  steps: readonly Step[]
  fitted: Json[] | undefined
  fittedOn: ColumnKinds | undefined
  float32: string[] | undefined
}

/** As plain data. */
export function writePreprocessorJson({ steps, fitted, fittedOn, float32 }: PreprocessorParts): PreprocessorJson {
  return {
    format: 'dcml-preprocessor',
    version: VERSION,
    ...(fitted && { fitted }),
    ...(fittedOn && { fittedOn }),
    ...(float32 && { float32 }),
    steps: steps.map(({ kind, options }) => ({ kind, options })),
  }
}

/**
 * The parts of a saved preprocessor.
 *
 * @param json - The text, or what JSON.parse made of it.
 * @throws {StorageError} if it is of another format, of a newer version, or damaged.
 */
export function readPreprocessorJson(json: unknown): PreprocessorParts {
  const saved: unknown = typeof json === 'string' ? parse(json) : json
  if (!isObject(saved) || saved.format !== 'dcml-preprocessor')
    throw new StorageError('This is no saved preprocessor.', {
      expected: 'what JSON.stringify(preprocessor) gives, with format "dcml-preprocessor"',
      received: isObject(saved) ? `format ${JSON.stringify(saved.format)}` : saved,
    })
  if (Number.isInteger(saved.version) && (saved.version as number) > VERSION)
    throw new StorageError('The preprocessor was saved by a newer version of dcml.', {
      expected: `version ${VERSION} of the format`,
      received: saved.version,
      remedy: 'Update dcml',
    })
  if (saved.version !== VERSION) throw damaged('version', `${VERSION}`, saved.version)
  const { steps, fitted, fittedOn, float32 } = saved
  if (!Array.isArray(steps)) throw damaged('steps', 'a list', steps)
  const made = steps.map(stepFrom)
  if (fitted !== undefined) checkFitted(fitted, made)
  if (fittedOn !== undefined && !isKinds(fittedOn))
    throw damaged('fittedOn', "'numbers' or 'strings' by column", JSON.stringify(fittedOn))
  if (float32 !== undefined && !isNames(float32)) throw damaged('float32', 'names of columns', JSON.stringify(float32))
  return { steps: made, fitted: fitted as Json[] | undefined, fittedOn, float32 }
}

/**
 * @param step - Name of the step that learned it.
 * @throws {DataError} for a number that JSON cannot hold, so that what is saved is what was fitted.
 */
export function assertFinite(fitted: Json, step: string): void {
  if (typeof fitted === 'number' && !Number.isFinite(fitted))
    throw new DataError(`${step} learned a value that is not finite.`, {
      received: fitted,
      remedy: 'Leave out the infinite values of the training set',
    })
  if (typeof fitted === 'object' && fitted !== null)
    for (const value of Object.values(fitted)) if (value !== undefined) assertFinite(value, step)
}

function stepFrom(saved: unknown, index: number): Step {
  const place = `step ${index}`
  if (!isObject(saved) || typeof saved.kind !== 'string' || !isObject(saved.options))
    throw damaged(place, '{ kind, options }', JSON.stringify(saved))
  const { kind, options } = saved
  const make = Object.hasOwn(stepKinds, kind) ? stepKinds[kind] : undefined
  if (!make)
    throw new StorageError(`The saved preprocessor has a step of an unknown kind: ${place} is "${kind}".`, {
      expected: Object.keys(stepKinds).join(', '),
      remedy: 'If a newer version of dcml saved it, update dcml',
    })
  try {
    return make(options as Parameters<typeof make>[0])
  } catch (cause) {
    throw damaged(`${place} (${kind})`, 'options that the step takes', JSON.stringify(options), cause)
  }
}

function checkFitted(fitted: unknown, steps: readonly Step[]): void {
  if (!Array.isArray(fitted) || fitted.length !== steps.length)
    throw damaged('fitted', `one entry for each of ${steps.length} steps`, lengthOf(fitted))
  steps.forEach(({ kind, fitting }, i) => {
    const learned: unknown = fitted[i]
    const place = `what step ${i} (${kind}) learned`
    if (!fitting && learned !== null) throw damaged(place, 'null', JSON.stringify(learned))
    if (fitting && (!isObject(learned) || hasGap(learned)))
      throw damaged(place, 'an object without a gap', JSON.stringify(learned))
  })
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new StorageError('The saved preprocessor is no JSON: it is damaged, or cut off.', { cause })
  }
}

/** An error that says which part of the file is damaged. */
function damaged(part: string, expected: string, received: unknown, cause?: unknown): StorageError {
  const why = cause instanceof DcmlError ? ` ${cause.message}` : ''
  return new StorageError(`The saved preprocessor is damaged in its ${part}.${why}`, {
    expected,
    received: typeof received === 'string' && received.length > 200 ? `${received.slice(0, 200)} ...` : received,
    ...(cause === undefined ? {} : { cause }),
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isKinds = (value: unknown): value is ColumnKinds =>
  isObject(value) && Object.values(value).every((kind) => kind === 'numbers' || kind === 'strings')

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string')

/** JSON has null where a number was not finite. */
const hasGap = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value as object).some(hasGap))

const lengthOf = (value: unknown) => (Array.isArray(value) ? `${value.length} entries` : JSON.stringify(value))
