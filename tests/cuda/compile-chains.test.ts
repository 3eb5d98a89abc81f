import { beforeAll, expect, it } from 'vitest'
import { chainModule, writeChain } from '../../src/backends/cuda/chain-source.js'
import { type Place, type RecordedCall, recordCalls, selectBackend } from '../../src/backends/index.js'
import { joinCalls } from '../../src/engine/plan/join-calls.js'
import { findNvrtc, strict } from './find-nvrtc.js'
import { randomChains } from './random-chains.js'

const found = await findNvrtc()
if ('reason' in found) console.log(`Skipped: compiling chains with NVRTC. ${found.reason}`)

/** Two buffers never lie side by side; what is outside the step lies apart from all. */
const address = ({ buffer, offset }: Place) => (buffer + 2) * 2 ** 20 + offset

/** The joined calls of random computations. What is recorded is the same on every backend. */
function randomCalls(): RecordedCall[] {
  const { recording } = recordCalls(() => randomChains(26))
  const results = new Set(recording.buffers.keys())
  const sizes = recording.buffers.map(({ bytes }) => bytes)
  const { calls } = joinCalls({ calls: [...recording.calls], sizes, given: new Set(), results })
  return calls.filter(({ parts }) => parts)
}

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

it('says in the source what is computed, and in arguments on what: equal chains are one kernel', () => {
  const twice = [...randomCalls(), ...randomCalls()].map((call) => writeChain(call, address))
  const names = new Set(twice.map(({ name }) => name))
  expect(names.size).toBeLessThanOrEqual(twice.length / 2)
  expect(new Set(twice.map(({ text }) => text)).size).toBe(names.size)
})

it.skipIf('reason' in found).each(['sm_75', 'sm_90', 'sm_120'])(
  'chains compile for %s, all in registers',
  (architecture) => {
    if ('reason' in found) return
    const chains = randomCalls().map((call) => writeChain(call, address))
    const texts = new Map(chains.map(({ name, text }) => [name, text]))
    const { name, source, options = [] } = chainModule([...texts.values()])
    const image = found.nvrtc.compile(source, name, { kind: 'cubin', architecture }, [...strict, ...options])
    expect(image.length).toBeGreaterThan(0)
  },
)
