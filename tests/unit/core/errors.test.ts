import { expect, it } from 'vitest'
import { deserializeError, serializeError, TransportError } from '../../../src/core/index.js'

it('keeps class, message, cause and the named rank on the way to another thread or process', () => {
  const cause = new TransportError('Rank 2 was lost.', { rank: 2 })
  const error = new TransportError('The group has ended.', { remedy: 'Join again', cause })
  const copy = deserializeError(structuredClone(serializeError(error))) as TransportError
  expect(copy).toBeInstanceOf(TransportError)
  expect(copy.message).toBe('The group has ended. Join again.')
  expect(copy.rank).toBeUndefined()
  expect(copy.cause).toBeInstanceOf(TransportError)
  expect(copy.cause).toMatchObject({ message: 'Rank 2 was lost.', code: 'DCML_TRANSPORT', rank: 2 })
})
