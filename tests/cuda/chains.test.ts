/** Chains of elementwise kernels as one kernel on cuda: the bits are those of the kernels one by one. */

import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { planRecorded } from './plan-recorded.js'
import { randomChains } from './random-chains.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('chains')

const partNames = [
  ...['addInto', 'binary', 'binaryStrided', 'cast', 'classify', 'compare', 'copyRows', 'fill', 'logicalNot'],
  ...['philoxFill', 'select', 'stridedCopy', 'unary'],
]

describe.runIf(isThere)('joined calls on cuda', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
  })

  it('give the bits of the kernels one by one, for random chains of any length', async () => {
    const planned = await planRecorded(() => randomChains(78))
    expect(planned.values).toEqual(planned.expected)
    const parts = planned.calls.flatMap((call) => call.parts ?? [])
    expect(planned.calls.length).toBeLessThan(100)
    const names = new Set(parts.map(({ name }) => name))
    expect([...names].sort()).toEqual(partNames)
    planned.dispose()
  })
})
