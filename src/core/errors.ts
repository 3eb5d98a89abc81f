/**
 * The error base: one class per remedy, each with a stable code that survives a thread or a network.
 * @module
 */

/** What happened, and how to mend it. */
export interface ErrorDetails {
  /** What would have been right. */
  expected?: unknown
  /** What came instead. */
  received?: unknown
  /** What the user can do about it, one imperative sentence. */
  remedy?: string
  /** The error that led to this one. */
  cause?: unknown
}

/** An error as plain data, to be posted to another thread or process. */
export interface SerializedError {
  name: string
  code: string
  message: string
  stack?: string
  cause?: SerializedError
  /** Of a `TransportError`: the peer that it is about. */
  rank?: number
}

/**
 * Base of every error that dcml throws on purpose.
 *
 * The message reads: what happened. Expected ...; received .... Remedy.
 */
export class DcmlError extends Error {
  override readonly name: string = 'DcmlError'
  /** Stable identifier, `DCML_...`; unlike the message it never changes. */
  readonly code: string = 'DCML_ERROR'

  constructor(what: string, details: ErrorDetails = {}) {
    super(compose(what, details), details.cause === undefined ? undefined : { cause: details.cause })
  }
}

/** Shapes, ranks or lengths do not fit together. Mend the data or the model. */
export class ShapeError extends DcmlError {
  override readonly name = 'ShapeError'
  override readonly code = 'DCML_SHAPE'
}

/** An option, a name or a combination of options is wrong. Mend the call. */
export class ConfigError extends DcmlError {
  override readonly name = 'ConfigError'
  override readonly code = 'DCML_CONFIG'
}

/** A file, row or value of the data is wrong. Mend the data, or say how to treat such rows. */
export class DataError extends DcmlError {
  override readonly name = 'DataError'
  override readonly code = 'DCML_DATA'
}

/** A stored object is missing, damaged or of another format. */
export class StorageError extends DcmlError {
  override readonly name = 'StorageError'
  override readonly code = 'DCML_STORAGE'
}

/** A peer is gone, late, or speaks another protocol. */
export class TransportError extends DcmlError {
  override readonly name = 'TransportError'
  override readonly code = 'DCML_TRANSPORT'
  /** The peer that is gone or late, where it is about one. */
  readonly rank?: number

  constructor(what: string, details: ErrorDetails & { rank?: number | undefined } = {}) {
    super(what, details)
    if (details.rank !== undefined) this.rank = details.rank
  }
}

/** The hardware or package that a backend needs is not here. */
export class BackendUnavailableError extends DcmlError {
  override readonly name = 'BackendUnavailableError'
  override readonly code = 'DCML_BACKEND_UNAVAILABLE'
}

/** Training produced a value that is not a finite number. Lower the learning rate or mend the data. */
export class NumericError extends DcmlError {
  override readonly name = 'NumericError'
  override readonly code = 'DCML_NUMERIC'
}

/** A worker threw or died; the message names its rank and the cause is its error. */
export class WorkerError extends DcmlError {
  override readonly name = 'WorkerError'
  override readonly code = 'DCML_WORKER'
}

/** An object was used in the wrong state: before `fit`, after `close`, while busy. */
export class StateError extends DcmlError {
  override readonly name = 'StateError'
  override readonly code = 'DCML_STATE'
}

const errorClasses = {
  DcmlError,
  ShapeError,
  ConfigError,
  DataError,
  StorageError,
  TransportError,
  BackendUnavailableError,
  NumericError,
  WorkerError,
  StateError,
} as const

/** Turns any thrown value into plain data. */
export function serializeError(thrown: unknown): SerializedError {
  if (!(thrown instanceof Error)) return { name: 'Error', code: 'DCML_ERROR', message: String(thrown) }
  const serialized: SerializedError = {
    name: thrown.name,
    code: thrown instanceof DcmlError ? thrown.code : 'DCML_ERROR',
    message: thrown.message,
  }
  if (thrown.stack !== undefined) serialized.stack = thrown.stack
  if (thrown.cause !== undefined) serialized.cause = serializeError(thrown.cause)
  if (thrown instanceof TransportError && thrown.rank !== undefined) serialized.rank = thrown.rank
  return serialized
}

/** The inverse of `serializeError`: an error of the same class, with the message, stack and cause of the original. */
export function deserializeError(serialized: SerializedError): Error {
  const { name, message, stack, cause, rank } = serialized
  const options = { ...(cause === undefined ? {} : { cause: deserializeError(cause) }), rank }
  const Class = name in errorClasses ? errorClasses[name as keyof typeof errorClasses] : undefined
  const error: Error = Class ? new Class(message, options) : new Error(message, options)
  if (!Class && name !== 'Error') error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}

/** A short, readable form of any value, for error messages. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map((item) => describe(item)).join(', ')}]`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value === 'object' && value !== null) {
    const name = value.constructor?.name
    return name && name !== 'Object' ? name : JSON.stringify(value)
  }
  return String(value)
}

function compose(what: string, { expected, received, remedy }: ErrorDetails): string {
  const sentences = [sentence(what)]
  const facts: string[] = []
  if (expected !== undefined) facts.push(`expected ${describe(expected)}`)
  if (received !== undefined) facts.push(`received ${describe(received)}`)
  if (facts.length > 0) sentences.push(sentence(capitalize(facts.join('; '))))
  if (remedy !== undefined) sentences.push(sentence(remedy))
  return sentences.join(' ')
}

const sentence = (text: string) => (/[.!?:]$/.test(text) ? text : `${text}.`)
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
