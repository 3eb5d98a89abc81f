import { beforeAll, describe, expect, it } from 'vitest'
import {
  createDeviceFloats,
  type DeviceFloats,
  type ProgramCall,
  selectBackend,
} from '../../../../src/backends/index.js'
import { stopCodes } from '../../../../src/backends/wasm/exports.js'
import { kindsOf, type ProgramCallName } from '../../../../src/backends/wasm/program/call-table.js'
import { WasmLoop } from '../../../../src/backends/wasm/program/loop.js'
import { activeWasmBackend } from '../../../../src/backends/wasm/register.js'

let floats: DeviceFloats

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
  floats = createDeviceFloats(64)!
})

/** A call whose arguments are numbers, byte offsets, or names of inputs. */
function call(name: ProgramCallName, ...values: (number | string)[]): ProgramCall {
  const places = new Map<number, { buffer: number; offset: number }>()
  const numbers = new Map<number, number>()
  const inputs = new Map<number, string>()
  kindsOf(name).forEach((kind, i) => {
    const value = values[i]!
    if (typeof value === 'string') inputs.set(i, value)
    else if ('rwu'.includes(kind)) places.set(i, { buffer: -1, offset: value })
    else numbers.set(i, value)
  })
  return { name, places, numbers, inputs }
}

function loopOf(calls: ProgramCall[], ints: string[], names: string[] = []): WasmLoop {
  const { heap, kernels } = activeWasmBackend()!
  return new WasmLoop(heap, kernels, {
    calls,
    varying: { ints, floats: names },
    capacity: 4,
    addressOf: ({ offset }) => offset,
  })
}

const at = (element: number) => floats.pointer + element * 4

describe('a meeting of threads', () => {
  it('fails for all when one does not come in time', () => {
    const { kernels } = activeWasmBackend()!
    const place = createDeviceFloats(32)!
    expect(kernels.meet(place.pointer, 1, 0, 1)).toBe(0)
    expect(kernels.meet(place.pointer, 2, 10, 1)).toBe(stopCodes.late)
    expect(kernels.meet(place.pointer, 2, 10, Number.POSITIVE_INFINITY)).toBe(stopCodes.ended)
    place.dispose()
  })

  it('fails for all once it is ended', () => {
    const { kernels } = activeWasmBackend()!
    const place = createDeviceFloats(32)!
    kernels.endMeetings(place.pointer)
    const loop = loopOf([call('meet', place.pointer, 2, 0, Number.POSITIVE_INFINITY)], ['unused'])
    loop.setRun(0, [0], [])
    expect(loop.run(1)).toEqual({ runs: 0, stop: 'ended' })
    loop.dispose()
    place.dispose()
  })
})

describe('a loop over a program', () => {
  it('takes what changes from a row for each run, and the rest from what was set', () => {
    floats.view().fill(0)
    const loop = loopOf([call('addInto', 'from', at(0), 2, 'scale')], [], ['scale'])
    floats.view().set([1, 10], 8)
    loop.begin({ from: at(8) })
    for (const run of [0, 1, 2]) loop.setRun(run, [], [0.5 + run])
    expect(loop.run(3)).toEqual({ runs: 3 })
    expect([...floats.view().subarray(0, 2)]).toEqual([4.5, 45])
    loop.dispose()
  })

  it('stops where the sum of the losses is no number, and says after how many runs', () => {
    const pointers = new Uint32Array(floats.view().buffer, at(16), 2)
    pointers.set([at(20), at(30)])
    const values = floats.view()
    values.set([1, 2, 3], 21)
    values.set([5, 6, 7], 31)
    const loop = loopOf(
      [call('totals', at(16), 2, 1, 'out', 3), call('copyRows', 'next', at(21), 1, 4, 0, 0)],
      ['out', 'next'],
    )
    values.set([4, Number.NaN], 50)
    loop.setRun(0, [at(0), at(50)], [])
    loop.setRun(1, [at(3), at(51)], [])
    loop.setRun(2, [at(6), at(50)], [])
    expect(loop.run(3)).toEqual({ runs: 2, stop: 'notFinite' })
    expect([...floats.view().subarray(0, 9)]).toEqual([6, 8, 10, 9, 8, 10, Number.NaN, 8, 10])
    loop.dispose()
  })

  it('stops before anything is added up after an index outside its table', () => {
    floats.view().fill(0)
    new Int32Array(floats.view().buffer, at(40), 1)[0] = 9
    const loop = loopOf(
      [call('gather', at(0), at(40), at(44), 1, 2, 1, 4), call('totals', at(16), 1, 0, at(48), 1)],
      ['unused'],
    )
    loop.setRun(0, [0], [])
    expect(loop.run(1)).toEqual({ runs: 0, stop: 'fault' })
    loop.dispose()
  })
})
