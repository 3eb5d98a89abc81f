import { expect, it } from 'vitest'
import { stopOnSignal } from '../../../src/training/node.js'

it('takes the first signal and leaves the next, whichever it is, to the system', () => {
  const signals: NodeJS.Signals[] = ['SIGUSR2', 'SIGWINCH']
  const listeners = () => signals.map((signal) => process.listenerCount(signal))
  const before = listeners()
  const { aborted } = stopOnSignal(signals)
  const signal = stopOnSignal(signals)
  expect(aborted).toBe(false)
  process.emit('SIGWINCH', 'SIGWINCH')
  expect(signal.reason).toMatchObject({ message: 'received SIGWINCH' })
  expect(listeners()).toEqual(before)
})
